// What can happen to the widget's state.
import assert from "node:assert/strict";
import { test } from "node:test";

import { canUndo, choicesBody, linesOf, movedSides, neighbour, offsetsOf, partsOf, windowOf } from "../../widget/lists.js";
import {
  conflictLines, fitTabs, initial, isUnreachable, maySync, openConflicts, pace, progress, readyChoices, reduce, rowToSync, statusOf, visibleConflicts,
} from "../../widget/state.js";

const conflict = (id, more = {}) => ({
  id, resource: "variants", label: "Variants", table: "Variants", row: 1, title: "Linen shirt / S", sku: "LIN-S", field: "price", field_label: "Price", type: "money", choices: null,
  base: "42.00", grist: "39.00", shopify: "45.00", base_known: true, whole_row: false, deleted: null, reason: "", moved: null, choice: null, seen_at: "2026-11-23T13:00:00Z", ...more,
});
const SERVER = {
  now: "2026-11-23T13:05:00Z", status: "synced", synced_at: "2026-11-23T13:02:00Z", message: null, counts: { conflicts: 2, deletions: 0, refused: 0 }, run: null, last_run: null,
  mappings: [{ resource: "products", label: "Products" }, { resource: "variants", label: "Variants" }],
};
const SESSION = { role: "editor", document: "d", version: "0", link: { id: 1, shop: { currency: "USD" } } };
const begun = (conflicts = [conflict(1), conflict(2, { field: "compareAtPrice", field_label: "Compare at" })]) => [
  { type: "session", session: SESSION }, { type: "polled", server: SERVER, now: 1000 }, { type: "conflicts", items: conflicts, complete: true, working: false },
].reduce(reduce, initial({ readonly: false }, 0));
const play = (state, ...events) => events.reduce(reduce, state);
const fresh = (items, working = true) => ({ type: "conflicts", items, complete: true, working });

test("a choice is sent with the values it was made on", () => {
  const state = play(begun(), { type: "choose", id: 1, keep: "grist" }, { type: "type", id: 2, text: "40", result: { value: "40" } });
  assert.deepEqual(choicesBody(state), [
    { conflict: 1, keep: "grist", seen: { grist: "39.00", shopify: "45.00" } },
    { conflict: 2, keep: "value", value: "40", seen: { grist: "39.00", shopify: "45.00" } }]);
});

test("a cell that is kept apart leaves the list as one that is written does", () => {
  const state = play(begun(), { type: "choose_many", ids: [1, 2], keep: "apart" });
  assert.deepEqual(choicesBody(state).map(({ keep }) => keep), ["apart", "apart"]);
  const answered = play(state, { type: "applied", answer: { applied: [], apart: [1, 2], moved: [], invalid: [] } });
  assert.deepEqual(choicesBody(answered), []);
  assert.equal(openConflicts(play(answered, { type: "left", ids: [1, 2] })), 0);
  assert.equal(play(begun(), { ...fresh([conflict(1)]), apart: 3 }).lists.conflicts.apart, 3);
});

test("the same value pressed again takes the choice back", () => {
  assert.deepEqual(choicesBody(play(begun(), { type: "choose", id: 1, keep: "grist" }, { type: "choose", id: 1, keep: "grist" })), []);
});

test("undo takes back the last choice, and only that", () => {
  const state = play(begun(), { type: "choose", id: 1, keep: "grist" }, { type: "choose", id: 2, keep: "shopify" }, { type: "take_back" });
  assert.deepEqual(readyChoices(state), [1]);
});

test("a choice whose values moved is dropped and shows what it was made on", () => {
  const moved = conflict(1, { shopify: "47.00" });
  const state = play(begun(), { type: "choose", id: 1, keep: "grist" }, fresh([moved, conflict(2)]));
  assert.deepEqual(readyChoices(state), []);
  assert.deepEqual(movedSides(moved, state.moved[1]), [{ side: "shopify", was: "45.00" }]);
  assert.deepEqual(play(state, { type: "choose", id: 1, keep: "shopify" }).moved, {});
});

test("the backend's answer: applied ones leave, moved ones show new values, wrong ones say why", () => {
  const three = begun([conflict(1), conflict(2, { row: 2 }), conflict(3, { row: 3 })]);
  let state = play(three, ...[1, 2, 3].map((id) => ({ type: "choose", id, keep: "grist" })), { type: "current", current: { id: 1, column: "grist" }, focus: true });
  state = play(state, { type: "applied", answer: { applied: [1], moved: [{ conflict: 2, grist: "39.00", shopify: "50.00" }], invalid: [{ conflict: 3, message: "No.", cure: "Do." }], run: 9 } });
  assert.deepEqual([readyChoices(state), Object.keys(state.leaving), state.invalid[3].cure], [[], ["1"], "Do."]);
  assert.equal(visibleConflicts(state).find((item) => item.id === 2).shopify, "50.00");
  assert.deepEqual(movedSides(visibleConflicts(state)[1], state.moved[2]), [{ side: "shopify", was: "45.00" }]);
  state = play(state, { type: "left", ids: [1] });
  assert.deepEqual([visibleConflicts(state).map((item) => item.id), state.current.id, openConflicts(state)], [[2, 3], 2, 2]);
});

test("an applied conflict comes back when the service finds that it moved", () => {
  let state = play(begun([conflict(1)]), { type: "choose", id: 1, keep: "grist" }, { type: "applied", answer: { applied: [1], moved: [], invalid: [], run: 9 } }, { type: "left", ids: [1] });
  state = play(state, fresh([conflict(1, { choice: { keep: "grist" } })], false));
  assert.equal(visibleConflicts(state).length, 0);
  state = play(state, fresh([conflict(1, { shopify: "48.00", moved: { grist: "39.00", shopify: "45.00" } })], false));
  assert.equal(visibleConflicts(state).length, 1);
});

test("what arrives while somebody works waits, and changes nothing in place", () => {
  let state = play(begun(), fresh([conflict(9, { row: 0 }), conflict(1), conflict(2)]));
  assert.deepEqual([visibleConflicts(state).map((item) => item.id), state.lists.conflicts.waiting.length], [[1, 2], 1]);
  state = play(state, { type: "show_new" });
  assert.deepEqual(visibleConflicts(state).map((item) => item.id), [9, 1, 2]);
});

test("typing is kept when data arrives; a wrong value is no choice", () => {
  const wrong = { message: "“fourty” is not a number.", cure: "Type a price." };
  const state = play(begun(), { type: "choose", id: 1, keep: "grist" }, { type: "type", id: 1, text: "fourty", result: wrong }, fresh([conflict(1), conflict(2)]));
  assert.deepEqual([state.typing[1].text, state.typing[1].problem, readyChoices(state)], ["fourty", wrong, []]);
});

test("choices kept over a reload go when the conflict is settled, and wait while it is not loaded", () => {
  const kept = { 7: { keep: "grist", seen: { grist: "39.00", shopify: "45.00" } } };
  const state = play(initial({}, 0), { type: "session", session: SESSION }, { type: "polled", server: SERVER, now: 0 }, { type: "restore", choices: kept },
    { type: "conflicts", items: [conflict(1)], complete: false, working: false });
  assert.ok(state.choices[7]);
  assert.deepEqual(play(state, { type: "conflicts", items: [conflict(1)], complete: true, working: false }).choices, {});
});

test("order: by table as mapped, then row; the row chosen in Grist comes first", () => {
  const items = [conflict(1, { row: 4 }), conflict(2, { row: 2 }), conflict(3, { resource: "products", table: "Products", row: 9 })];
  const state = begun(items);
  assert.deepEqual(visibleConflicts(state).map((item) => item.id), [3, 2, 1]);
  const there = play(state, { type: "cursor", cursor: { table: "Variants", row: 4 }, working: false });
  assert.deepEqual(visibleConflicts(there).map((item) => item.id), [1, 3, 2]);
  const busy = play(state, { type: "cursor", cursor: { table: "Variants", row: 4 }, working: true });
  assert.deepEqual(visibleConflicts(busy).map((item) => item.id), [3, 2, 1]);
  assert.deepEqual(visibleConflicts(play(busy, { type: "filter", filters: { row: true } })).map((item) => item.id), [1]);
});

test("lines: a group line per row; J and K go by field, with Shift by row", () => {
  const lines = conflictLines(begun([conflict(1), conflict(2), conflict(3, { row: 2 })]));
  assert.deepEqual(lines.map((line) => line.kind), ["group", "field", "field", "group", "field"]);
  assert.deepEqual([neighbour(lines, null, 1), neighbour(lines, { id: 1 }, 1), neighbour(lines, { id: 3 }, 1), neighbour(lines, { id: 1 }, 1, true), neighbour(lines, { id: 3 }, -1, true)], [1, 2, 3, 3, 1]);
});

test("Shift selects a range", () => {
  const state = play(begun([1, 2, 3, 4].map((id) => conflict(id, { row: id }))), { type: "select", ids: [2], on: true, range: false }, { type: "select", ids: [4], on: true, range: true });
  assert.deepEqual([...state.selected].sort(), [2, 3, 4]);
});

test("keep last agreed and merge only where they make sense", () => {
  const state = begun([conflict(1, { base_known: false }), conflict(2, { merge: "40.00" })]);
  assert.deepEqual(play(state, { type: "choose", id: 1, keep: "base" }, { type: "choose", id: 1, keep: "merge" }).choices, {});
  assert.equal(play(state, { type: "choose", id: 2, keep: "merge" }).choices[2].keep, "merge");
});

test("status: not connected before all, then what the service says", () => {
  const state = begun();
  assert.equal(statusOf(state), "synced");
  const lost = play(state, { type: "unreachable", nextTry: 5000 });
  assert.deepEqual([statusOf(lost), isUnreachable(lost), lost.server], ["unreachable", true, state.server]);
  assert.equal(statusOf(play(lost, { type: "polled", server: { ...SERVER, run: { id: 1, state: "running", phase: "comparing", done: 0, total: null } }, now: 6000 })), "running");
});

test("viewers and read-only documents may not sync; an answer that comes late does not undo a lost access", () => {
  assert.ok(maySync(begun()));
  assert.ok(!maySync({ ...begun(), session: { ...SESSION, role: "viewer" } }));
  assert.ok(!maySync({ ...begun(), settings: { readonly: true } }));
  assert.equal(play(begun(), { type: "access", level: "none" }, { type: "polled", server: SERVER, now: 1 }).phase, "no_access");
});

test("a yes to deleting counts for exactly the rows it was asked about", () => {
  const asked = play(begun(), { type: "deletions", items: [{ id: 1 }, { id: 2 }], total: 2 }, { type: "choose_deletions", ids: [1, 2] }, { type: "confirm", confirm: { ids: [1, 2] } });
  const later = play(asked, { type: "deletions", items: [{ id: 1 }], total: 1 });
  assert.deepEqual([later.confirm, later.chosenDeletions], [null, [1]]);
});

test("rate and time left need three seconds of data; a share needs a total", () => {
  assert.deepEqual(pace([{ at: 0, done: 0 }, { at: 2000, done: 80 }], 742), { rate: null, left: null });
  assert.deepEqual(pace([{ at: 0, done: 0 }, { at: 4000, done: 152 }], 532), { rate: 38, left: 10 });
  assert.equal(progress({ done: 310, total: 742 }).toFixed(3), "0.418");
  assert.equal(progress({ done: 310, total: null }), null);
});

test("tabs: the chosen one, those with counts, then as many as fit", () => {
  const widths = { a: 60, b: 70, c: 70, d: 60, e: 60 };
  const names = Object.keys(widths);
  assert.deepEqual(fitTabs(names, { widths, room: 500, gap: 14, more: 44, chosen: "a", counts: {} }), names);
  assert.deepEqual(fitTabs(names, { widths, room: 296, gap: 14, more: 44, chosen: "e", counts: { b: 3 } }), ["a", "b", "e"]);
  const wide = { a: 50, b: 50, c: 90, d: 20 };
  assert.deepEqual(fitTabs(Object.keys(wide), { widths: wide, room: 220, gap: 14, more: 44, chosen: "a", counts: {} }), ["a", "b"], "d goes with c, though it would fit");
});

test("a windowed list of 5,000 mounts what is seen, and the focused row", () => {
  const offsets = offsetsOf(Array.from({ length: 5000 }, () => 25));
  assert.equal(offsets[5000], 125_000);
  const between = (top, bottom, also) => windowOf(offsets, top, bottom, also);
  assert.deepEqual([between(50_001, 50_099), between(50_001, 50_099, 3), between(50_001, 50_099, 4999), between(50_001, 50_099, 2001)], [
    [2000, 2001, 2002, 2003], [3, 2000, 2001, 2002, 2003], [2000, 2001, 2002, 2003, 4999], [2000, 2001, 2002, 2003]]);
  assert.deepEqual([between(-600, 24), between(124_999, 126_000), between(0, 100, -1).length], [[0], [4999], 5]);
});

test("a row chosen in Grist can be synced where its table is one that syncs", () => {
  const state = play(begun(), { type: "polled", server: { ...SERVER, mappings: [{ resource: "variants", label: "Variants", table: "My_Variants" }] }, now: 0 });
  const chosen = (cursor) => rowToSync(play(state, { type: "cursor", cursor, working: false }));
  assert.deepEqual([chosen({ table: "My_Variants", row: 4 }), chosen({ table: "Notes", row: 4 }), chosen(null)], [{ resource: "variants", label: "Variants", row: 4 }, null, null]);
});

test("the history of one row is another list than all changes, and an answer about the other list is no news", () => {
  const server = { ...SERVER, mappings: [{ resource: "variants", label: "Variants", table: "Variants" }] };
  const row = { resource: "variants", row: 4 };
  const all = play(begun(), { type: "polled", server, now: 0 }, { type: "cursor", cursor: { table: "Variants", row: 4 }, working: false },
    { type: "changes", items: [{ id: 9 }], next: 9, more: false, of: null });
  const asked = play(all, { type: "look", look: { row: true } });
  assert.deepEqual(play(asked, { type: "changes", items: [{ id: 10 }], next: null, more: false, of: null }).lists.changes.items, [{ id: 9 }]);
  const one = play(asked, { type: "changes", items: [{ id: 3 }, { id: 2 }], next: 2, more: false, of: row }, { type: "changes", items: [{ id: 1 }], next: null, more: true, of: row });
  assert.deepEqual(one.lists.changes, { items: [{ id: 3 }, { id: 2 }, { id: 1 }], next: null, of: row });
  const back = play(one, { type: "look", look: { row: false } }, { type: "changes", items: [{ id: 9 }], next: null, more: false, of: null });
  assert.deepEqual(back.lists.changes, { items: [{ id: 9 }], next: null, of: null });
});

test("what is sent is parted so that no part is too long, and nothing is lost", () => {
  const items = Array.from({ length: 2300 }, (_, id) => ({ id }));
  assert.deepEqual(partsOf(items).map((part) => part.length), [1000, 1000, 300]);
  assert.deepEqual(partsOf(items).flat(), items);
  const long = [{ text: "ü".repeat(100_000) }, { text: "ü".repeat(100_000) }, { text: "x".repeat(400_000) }];
  assert.deepEqual(partsOf(long), [[long[0]], [long[1]], [long[2]]]);
  assert.deepEqual(partsOf([]), []);
});

test("an event nobody knows is an error", () => assert.throws(() => reduce(begun(), { type: "nonsense" }), /nonsense/));

test("an undo of choices takes back the cells they were made on, of their sync, once", () => {
  const change = (id, more = {}) => ({ id, run: 9, resource: "variants", row: 1, field: "price", kind: "update", undone: null, ...more });
  const changes = [change(1), change(2, { run: 8 }), change(3, { row: 2 }), change(4, { field: "sku" }), change(5, { undone: { at: null, by: "" } }), change(6, { kind: "create" })];
  assert.deepEqual(linesOf(changes, [9], [{ resource: "variants", row: 1, field: "price" }]), [1]);
});

test("the answer to an older question about an undo is not shown under a newer one", () => {
  const asked = play(begun(), { type: "undo", undo: { key: "run4", wanted: { runs: [4] }, run: 21, result: null } });
  assert.equal(play(asked, { type: "undo_previewed", run: 20, result: {} }).undo.result, null);
  assert.deepEqual(play(asked, { type: "undo_previewed", run: 21, result: { undone: 1 } }).undo.result, { undone: 1 });
  assert.equal(play(asked, { type: "tab", tab: "overview" }).undo, null);
});

test("cells and rows of Grist can be undone once, what was made or deleted in Shopify never", () => {
  const lines = [["update", "shopify"], ["update", "grist"], ["create", "grist"], ["delete", "grist"], ["create", "shopify"], ["delete", "shopify"]];
  assert.deepEqual(lines.map(([kind, to]) => canUndo({ kind, to, undone: null })), [true, true, true, true, false, false]);
  assert.equal(canUndo({ kind: "create", to: "grist", undone: { at: null, by: "Ana" } }), false);
});
