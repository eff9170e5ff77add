// The state of the widget: one value, what can happen to it, and what the screens ask of it. Pure.
//
//   event → reduce(state, event) → new state → screen
//
// Choices are collected here and nowhere else; each remembers the values it was made on (`seen`). What arrives
// while somebody works on the list waits in `lists.conflicts.waiting` and moves nothing.

import { remembering, same } from "./same.js";
import { initialSlices, reduceSlice } from "./slices.js";
import * as deeds from "./slices/deeds.js";
import { isFirstRun } from "./slices/first-run.js";

export const TABS = ["overview", "conflicts", "deletions", "refused", "pairs", "changes", "actions", "mapping", "health"];
const SAMPLES_MS = 15_000;
/** Lines of a list that are asked for at first, and with every "Show more"; and the most that are ever listed. */
export const LIMIT_STEP = 200;
export const MOST_LISTED = 5_000;


/** The state before anything is known. `settings` as grist.js reads them from the address; `now` in ms. */
export function initial(settings, now) {
  return {
    settings, now,
    phase: "starting", // starting · no_frame · no_grist · no_access · ready
    session: null, places: null, // pages of Grist about this document
    server: null, cached: false,
    connection: { answered: null, nextTry: null, trying: false },
    samples: [],
    tab: "overview",
    runs: [],
    lists: {
      conflicts: { items: null, waiting: [], complete: false, apart: 0 },
      refused: { items: null, total: 0 }, deletions: { items: null, total: 0 }, changes: { items: null, next: null, of: null },
    },
    limits: { deletions: LIMIT_STEP, refused: LIMIT_STEP, apart: LIMIT_STEP },
    choices: {}, order: [], typing: {}, moved: {}, leaving: {}, settled: {}, invalid: {}, whole: {},
    current: null, focus: 0,
    selected: [], anchor: null,
    filters: { table: null, field: null, row: false },
    look: { table: null, field: null, to: null, text: "", row: false, of: null, run: null }, opened: {}, lines: {},
    cursor: null, gristTable: null,
    pressed: {}, chosenDeletions: [], confirm: null,
    preview: null, previewing: null,
    // Which undo is asked about: {key, wanted, run, result}; `result` is null until its preview has ended.
    undo: null, undoLater: null, line: null,
    menu: null, keys: false, letters: true,
    problem: null, toast: null, said: "",
    came: {}, // screens that are there by now
    ...initialSlices(),
  };
}

/** The state after `event`. An event that it does not know is a developer's mistake: it raises. */
export function reduce(state, event) {
  switch (event.type) {
    case "phase": return { ...state, phase: event.phase };
    case "access":
      if (event.level !== "full") return { ...state, phase: "no_access" };
      return state.phase === "no_access" ? { ...state, phase: "starting" } : state;
    case "session": return { ...state, phase: shownPhase(state), session: event.session, places: event.places ?? state.places };
    case "remembered": return state.server ? state : { ...state, phase: "ready", server: event.server, session: event.session, cached: true };
    case "polled": return polled(state, event);
    case "answered": return { ...state, phase: shownPhase(state), connection: { ...state.connection, answered: event.now, nextTry: null, trying: false } };
    case "trying": return { ...state, connection: { ...state.connection, trying: true } };
    case "unreachable":
      return { ...state, phase: state.phase === "starting" ? "ready" : state.phase, connection: { ...state.connection, nextTry: event.nextTry, trying: false } };
    case "tick": return { ...state, now: event.now };
    case "problem": return { ...state, problem: event.problem };
    case "toast": return { ...state, toast: event.toast };
    case "pressed": return { ...state, pressed: { ...state.pressed, [event.name]: event.on } };
    case "menu": return { ...state, menu: state.menu === event.menu ? null : event.menu };
    case "keys": return { ...state, keys: event.on, menu: null };
    case "letters": return event.on === state.letters ? state : { ...state, letters: event.on };
    case "tab": return { ...state, tab: event.tab, beside: { ...state.beside, apart: null }, menu: null, confirm: null, undo: null, focus: 0, ...(event.look ? { look: { ...initial({}, 0).look, ...event.look } } : {}), ...(event.filters ? { filters: { ...state.filters, ...event.filters } } : {}) };
    case "runs": return { ...state, runs: event.runs };
    case "conflicts": return arrived(state, event);
    case "show_new": return shown(state);
    case "refused": return { ...state, lists: { ...state.lists, refused: { items: event.items, total: event.total } } };
    case "deletions": return {
      ...state,
      lists: { ...state.lists, deletions: { items: event.items, total: event.total } },
      chosenDeletions: state.chosenDeletions.filter((id) => event.items.some((item) => item.id === id)),
      confirm: stillAsked(state.confirm, event.items),
    };
    case "changes": return sameRow(event.of, historyOf(state)) ? { ...state, lists: { ...state.lists, changes: merged(state.lists.changes, event) } } : state;
    case "look": return { ...state, look: { ...state.look, ...event.look } };
    case "limit": return { ...state, limits: { ...state.limits, [event.list]: Math.min(event.limit, MOST_LISTED) } };
    case "lines": return { ...state, lines: { ...state.lines, [event.key]: event.n } };
    case "open": return { ...state, opened: { ...state.opened, [event.key]: !state.opened[event.key] } };
    case "cursor": return rearranged({ ...state, cursor: event.cursor, gristTable: event.cursor?.table ?? state.gristTable, filters: { ...state.filters, row: false }, look: { ...state.look, row: false, of: null } }, event.working);
    case "filter": return { ...state, filters: { ...state.filters, ...event.filters } };
    case "current": return { ...state, current: event.current, focus: event.focus ? state.focus + 1 : state.focus };
    case "choose": return chosen(state, event.id, event.keep);
    case "choose_many": return chosenMany(state, event);
    case "take_back": return takenBack(state);
    case "clear": return { ...state, choices: {}, order: [], typing: {}, invalid: {} };
    case "restore": return { ...state, choices: event.choices, order: Object.keys(event.choices).map(Number) };
    case "type": return typed(state, event);
    case "type_end": return { ...state, typing: without(state.typing, [event.id]), focus: event.focus ? state.focus + 1 : state.focus };
    case "whole": return { ...state, menu: null, whole: { ...state.whole, [event.id]: state.whole[event.id] === event.how ? null : event.how } };
    case "select": return selected(state, event);
    case "applied": return applied(state, event);
    case "left": return left(state, event.ids);
    case "choose_deletions": return { ...state, confirm: null, chosenDeletions: event.ids };
    case "confirm": return { ...state, confirm: event.confirm };
    case "previewing": return { ...state, previewing: event.run, preview: null, undo: null };
    case "previewed": return { ...state, previewing: null, confirm: null, preview: event.preview, tab: event.preview ? "changes" : state.tab };
    case "undo": return { ...state, undo: event.undo, preview: null, previewing: null };
    case "undo_previewed": return state.undo?.run === event.run ? { ...state, undo: { ...state.undo, result: event.result } } : state;
    case "undo_later": return { ...state, undoLater: event.later };
    case "line": return { ...state, line: event.id };
    case "came": return { ...state, came: { ...state.came, [event.screen]: true } };
    case "say": return { ...state, said: event.words };
    default: {
      const next = reduceSlice(state, event);
      if (next === undefined) throw new Error(`state.js does not know the event ${event.type}`);
      return next;
    }
  }
}

// ---- what the screens ask ----


export function maySync(state) {
  return state.session !== null && state.session.role !== "viewer" && !state.settings.readonly;
}

/** The row chosen in Grist as `{resource, label, row}`, where its table is one that syncs; else null. */
export function rowToSync({ cursor, server }) {
  const mapping = cursor && server?.mappings.find((one) => one.table === cursor.table);
  return mapping ? { resource: mapping.resource, label: mapping.label, row: cursor.row } : null;
}

/** The row of which the history is looked at, `{resource, row}`: one that was asked for, or the one chosen in Grist. Null where all changes are. */
export function historyOf(state) {
  return state.look.of ?? (state.look.row ? rowToSync(state) : null);
}

/** Shopify turned the key away: nothing goes on before an owner connects the store again. */
export function isKeyRefused(state) {
  return state.server?.message?.code === "shopify_key" && !state.server.run;
}

/** Which screen there is to see: a tab's name, or "firstRun". */
export function screenName(state) {
  return isFirstRun(state) ? "firstRun" : state.tab;
}

/** The tabs there are now: Pairs only while pairs wait, or while somebody looks at them. */
export function tabsOf(state) {
  const shown = { pairs: state.tab === "pairs" || state.server?.counts.pairs > 0, actions: deeds.hasDeeds(state) };
  return TABS.filter((name) => shown[name] ?? true);
}

export function isUnreachable(state) {
  return state.connection.nextTry !== null;
}

/** The kind of status in the bar, in the design's order of urgency. */
export function statusOf(state) {
  const { server } = state;
  if (isUnreachable(state)) return "unreachable";
  if (server === null) return "starting";
  if (server.run) return server.run.state === "waiting" ? "waiting" : "running";
  if (server.paused && ["synced", "never"].includes(server.status)) return "paused";
  return ["running", "waiting"].includes(server.status) ? "synced" : server.status;
}

/** Items in the order of the lists: by table as mapped, then row, the row chosen in Grist first. */
export function arranged(items, server, cursor) {
  const tables = new Map((server?.mappings ?? []).map((mapping, at) => [mapping.resource, at]));
  const place = (item) => [
    isCursor(item, cursor) ? 0 : 1, tables.get(item.resource) ?? tables.size, item.resource, item.row ?? Number.MAX_SAFE_INTEGER, item.title, item.id,
  ];
  const keyed = items.map((item) => [place(item), item]);
  keyed.sort(([a], [b]) => {
    for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
    return 0;
  });
  return keyed.map(([, item]) => item);
}

export function isCursor(item, cursor) {
  return cursor !== null && item.table === cursor.table && item.row === cursor.row;
}

/** The conflicts that the filters let through, without those that a choice has settled. */
export function visibleConflicts({ lists, settled, filters, cursor }) {
  return visible(lists.conflicts.items, settled, filters.table, filters.field, filters.row ? cursor : undefined);
}

const visible = remembering((items, settled, table, field, cursor) => (items ?? []).filter((item) => !isSettled(settled, item)
  && (table === null || item.resource === table)
  && (field === null || item.field_label === field)
  && (cursor === undefined || isCursor(item, cursor))));

/** Conflicts that wait for an answer: what "of 7" counts; where not all are loaded, the server's own number. */
export function openConflicts(state) {
  const { items, complete } = state.lists.conflicts;
  const open = (items ?? []).length - settledOf(items, state.settled);
  return complete ? open : Math.max(open, state.server?.counts.conflicts ?? 0);
}

export function waitingChoices(state) {
  return settledOf(state.lists.conflicts.items, state.settled);
}

const settledOf = remembering((items, settled) => (items ?? []).filter((item) => isSettled(settled, item)).length);

export function groupKey(item) {
  return `${item.resource}:${item.row ?? item.title}`;
}

/** Rows of the conflict list: a group line per row, its fields, and a line below a field that has something to say. */
export function conflictLines(state) {
  return linesOfItems(visibleConflicts(state));
}

const linesOfItems = remembering((items) => {
  const lines = [];
  let [last, group] = [null, null];
  for (const item of items) {
    const key = groupKey(item);
    if (key !== last) {
      lines.push({ kind: "group", key: `g${key}:${item.id}`, item, ids: [] });
      [last, group] = [key, lines[lines.length - 1]];
    }
    group.ids.push(item.id);
    lines.push({ kind: "field", key: `f${item.id}`, item });
  }
  return lines;
});

/** What the choice of a conflict would write: `{value}`, or null where nothing is chosen. */
export function keptValue(item, choice) {
  if (!choice) return null;
  return { value: choice.keep === "value" ? choice.value : item[choice.keep] };
}

export function canMerge(item) {
  return "merge" in item && item.merge !== undefined && !item.whole_row;
}

/** Typing makes no sense for a whole row or references: only a kept side does. */
export function canType(item) {
  return !item.whole_row && item.type !== "ref" && item.type !== "refs";
}

export function canKeepBase(item) {
  return item.base_known && !item.whole_row;
}

/** Ids that "Apply" would send: chosen, listed and free of typing errors. */
export function readyChoices({ lists, order, choices, leaving }) {
  return ready(lists.conflicts.items, order, choices, leaving);
}

const ready = remembering((items, order, choices, leaving) => {
  const listed = new Set(order.length ? (items ?? []).map((item) => item.id) : []);
  return order.filter((id) => choices[id] && listed.has(id) && !leaving[id]);
});

export function wrongTyping(state) {
  return Object.values(state.typing).filter((entry) => entry.problem).length;
}

/** What an undo would do: how many lines it takes back, of how many, and why the others stay, by line. */
export function undoCounts({ undone, stays }) {
  return { n: undone, total: undone + stays.length, reasons: new Map(stays.map((one) => [one.change, one.reason])) };
}

/** Rate and time left of the running write, from three seconds of data on; nulls before. Times in ms and seconds. */
export function pace(samples, total) {
  const [first, last] = [samples[0], samples[samples.length - 1]];
  if (!first || last.at - first.at < 3000 || last.done <= first.done) return { rate: null, left: null };
  const rate = (last.done - first.done) / ((last.at - first.at) / 1000);
  return { rate, left: total === null ? null : (total - last.done) / rate };
}

/** The part of the work done in the current phase, 0 to 1, or null while the total is unknown. */
export function progress(run) {
  if (!run || run.total === null || run.total === undefined || run.total <= 0) return null;
  return Math.min(run.done / run.total, 1);
}

/** Which tabs fit into `room` px: the chosen one, then those with counts, then the others; in their usual order. */
export function fitTabs(tabs, { widths, room, gap, more, chosen, counts }) {
  const sum = (names) => names.reduce((total, name) => total + widths[name], 0) + gap * Math.max(names.length - 1, 0);
  if (sum(tabs) <= room) return tabs;
  const first = (name) => (name === chosen ? 0 : counts[name] ? 1 : 2);
  const kept = [];
  // From the right: what comes after one that does not fit goes with it, however narrow it is.
  for (const name of [...tabs].sort((a, b) => first(a) - first(b))) {
    if (sum([...kept, name]) + gap + more > room && name !== chosen) break;
    kept.push(name);
  }
  return tabs.filter((name) => kept.includes(name));
}

// ---- how events change it ----

function polled(state, { server, now }) {
  const run = server.run;
  const before = state.server?.run;
  const same = run && before && before.id === run.id && before.phase === run.phase && before.thing === run.thing;
  const samples = run ? [...(same ? state.samples : []), { at: now, done: run.done }].filter(({ at }) => now - at <= SAMPLES_MS) : [];
  return { ...state, phase: shownPhase(state), server, cached: false, now, samples, connection: { answered: now, nextTry: null, trying: false } };
}

/** Conflicts from the server: known ones are replaced in place, gone ones leave, new ones wait while somebody works. */
function arrived(state, { items, complete, working, apart = 0 }) {
  const list = state.lists.conflicts;
  const byId = new Map(items.map((item) => [item.id, item]));
  const known = list.items ?? [];
  // A first page is not everything: what it lacks is not gone.
  const kept = known.filter((item) => byId.has(item.id) || !complete).map((item) => byId.get(item.id) ?? item);
  const knownIds = new Set(known.map((item) => item.id));
  const fresh = items.filter((item) => !knownIds.has(item.id));
  const hold = working && list.complete && kept.length > 0;
  let next = hold ? kept : list.items !== null && working ? [...kept, ...fresh] : arranged([...kept, ...fresh], state.server, state.cursor);
  if (!list.complete && known.length && complete) next = arranged(next, state.server, state.cursor);
  return reconciled({ ...state, lists: { ...state.lists, conflicts: { items: next, waiting: hold ? fresh : [], complete, apart } } }, complete);
}

/** A choice lives only on the values it was made on: moved ones lose it, and say so; settled ones drop it. */
function reconciled(state, complete) {
  const items = new Map(state.lists.conflicts.items.map((item) => [item.id, item]));
  const choices = { ...state.choices };
  const typing = { ...state.typing };
  const moved = { ...state.moved };
  const settled = { ...state.settled };
  let dropped = 0;
  for (const [id, choice] of Object.entries(state.choices)) {
    const item = items.get(Number(id));
    if (!item) {
      if (!complete || state.lists.conflicts.waiting.some((one) => one.id === Number(id))) continue;
      delete choices[id];
      delete typing[id];
      dropped += 1;
    } else if (!same(choice.seen.grist, item.grist) || !same(choice.seen.shopify, item.shopify)) {
      delete choices[id];
      moved[id] = choice.seen;
    }
  }
  for (const [id, seen] of Object.entries(settled)) {
    const item = items.get(Number(id));
    if (!item ? complete : item.moved || !same(seen.grist, item.grist) || !same(seen.shopify, item.shopify)) delete settled[id];
  }
  for (const id of Object.keys(moved)) if (complete && !items.has(Number(id))) delete moved[id];
  const order = state.order.filter((id) => choices[id]);
  const current = state.current && complete && !items.has(state.current.id) ? null : state.current;
  const select = state.selected.filter((id) => items.has(id));
  return { ...state, choices, order, typing, moved, settled, current, selected: select, dropped: (state.dropped ?? 0) + dropped };
}

function shown(state) {
  const list = state.lists.conflicts;
  const items = arranged([...list.items, ...list.waiting], state.server, state.cursor);
  return { ...state, lists: { ...state.lists, conflicts: { ...list, items, waiting: [] } } };
}

function rearranged(state, working) {
  const list = state.lists.conflicts;
  if (working || !list.items) return state;
  return { ...state, lists: { ...state.lists, conflicts: { ...list, items: arranged(list.items, state.server, state.cursor) } } };
}

function find(state, id) {
  return (state.lists.conflicts.items ?? []).find((item) => item.id === id);
}

function isSettled(settled, item) {
  return item.id in settled || (item.choice !== null && item.choice !== undefined && !item.moved);
}

/** Keeps a side; the same again takes it back. */
function chosen(state, id, keep) {
  const item = find(state, id);
  if (!item || !canKeep(item, keep)) return state;
  const base = { ...state, menu: null, typing: without(state.typing, [id]), invalid: without(state.invalid, [id]) };
  if (state.choices[id]?.keep === keep) return { ...base, choices: without(state.choices, [id]), order: state.order.filter((one) => one !== id) };
  return withChoice(base, item, { keep });
}

/** Keeps one side of many at once: in one pass, for it may be all 5,000 of a column. */
function chosenMany(state, { ids, keep }) {
  const wanted = new Set(ids);
  const items = (state.lists.conflicts.items ?? []).filter((item) => wanted.has(item.id) && canKeep(item, keep));
  const done = items.map((item) => item.id);
  const choices = { ...state.choices };
  for (const item of items) choices[item.id] = { keep, seen: { grist: item.grist, shopify: item.shopify } };
  const again = new Set(done);
  return {
    ...state, choices, selected: [], menu: null,
    order: [...state.order.filter((id) => !again.has(id)), ...done],
    typing: without(state.typing, done), invalid: without(state.invalid, done), moved: without(state.moved, done),
  };
}

function canKeep(item, keep) {
  if (keep === "merge") return canMerge(item);
  return keep !== "base" || canKeepBase(item);
}

function withChoice(state, item, choice) {
  const seen = { grist: item.grist, shopify: item.shopify };
  return {
    ...state,
    choices: { ...state.choices, [item.id]: { ...choice, seen } },
    order: [...state.order.filter((id) => id !== item.id), item.id],
    moved: without(state.moved, [item.id]),
  };
}

function takenBack(state) {
  const id = state.order[state.order.length - 1];
  if (id === undefined) return state;
  return { ...state, choices: without(state.choices, [id]), typing: without(state.typing, [id]), order: state.order.slice(0, -1) };
}

/** Typing: `result` is what typed.js made of it, `{value}` or `{message, cure}`. A wrong one is no choice. */
function typed(state, { id, text, result }) {
  const item = find(state, id);
  if (!item || !canType(item)) return state;
  const problem = result && "message" in result ? result : null;
  const base = { ...state, menu: null, invalid: without(state.invalid, [id]), typing: { ...state.typing, [id]: { text, problem } } };
  if (result === null) return base;
  if (problem) return { ...base, choices: without(state.choices, [id]), order: state.order.filter((one) => one !== id) };
  return withChoice(base, item, { keep: "value", value: result.value });
}

function selected(state, { ids, on, range }) {
  const visible = visibleConflicts(state).map((item) => item.id);
  let wanted = ids;
  if (range && state.anchor !== null) {
    const [a, b] = [visible.indexOf(state.anchor), visible.indexOf(ids[0])];
    if (a >= 0 && b >= 0) wanted = visible.slice(Math.min(a, b), Math.max(a, b) + 1);
  }
  const rest = state.selected.filter((id) => !wanted.includes(id));
  return { ...state, selected: on ? [...rest, ...wanted] : rest, anchor: ids[0] ?? null };
}

/** What an answer to choices settled: written by a sync, or kept apart from now on. */
export function doneOf({ applied, apart = [] }) {
  return [...applied, ...apart];
}

/** The backend's answer to choices: applied ones begin to leave, moved ones show their new values, wrong ones say why. */
function applied(state, { answer }) {
  const done = doneOf(answer);
  const gone = new Set([...done, ...answer.moved.map((one) => one.conflict), ...answer.invalid.map((one) => one.conflict)]);
  const moved = { ...state.moved };
  const invalid = { ...state.invalid };
  const values = new Map(answer.moved.map((one) => [one.conflict, one]));
  for (const one of answer.moved) moved[one.conflict] = state.choices[one.conflict]?.seen ?? state.moved[one.conflict] ?? {};
  for (const one of answer.invalid) invalid[one.conflict] = { message: one.message, cure: one.cure };
  const list = state.lists.conflicts;
  const items = (list.items ?? []).map((item) => (values.has(item.id)
    ? { ...item, grist: values.get(item.id).grist, shopify: values.get(item.id).shopify, merge: undefined, seen_at: null } : item));
  const leaving = { ...state.leaving };
  for (const id of done) leaving[id] = state.choices[id] ?? true;
  const keep = (id) => !gone.has(Number(id));
  return {
    ...state, moved, invalid, leaving,
    lists: { ...state.lists, conflicts: { ...list, items } },
    // What was applied stays drawn as chosen for the second in which it leaves.
    choices: Object.fromEntries(Object.entries(state.choices).filter(([id]) => keep(id))),
    order: state.order.filter(keep),
    typing: without(state.typing, done),
    selected: state.selected.filter(keep),
  };
}

function left(state, ids) {
  const lines = conflictLines(state);
  const going = new Set(ids);
  const settled = { ...state.settled };
  for (const id of ids) {
    const item = find(state, id);
    if (item) settled[id] = { grist: item.grist, shopify: item.shopify };
  }
  const next = { ...state, settled, leaving: without(state.leaving, ids) };
  if (!state.current || !going.has(state.current.id)) return next;
  // The focus goes on to the next field that stays, or back to the last one.
  const fields = lines.filter((line) => line.kind === "field").map((line) => line.item.id);
  const at = fields.indexOf(state.current.id);
  const follow = fields.slice(at).find((id) => !going.has(id)) ?? fields.slice(0, at).reverse().find((id) => !going.has(id)) ?? null;
  return { ...next, current: follow === null ? null : { ...state.current, id: follow }, focus: state.focus + 1 };
}

/** `of`: the row of which these are the changes; null: of all. */
function merged(list, { items, next, more, of }) {
  if (!sameRow(list.of, of)) return { items, next, of };
  if (!more) {
    // A fresh first page in front of the older ones already asked for.
    const older = (list.items ?? []).filter((item) => items.length > 0 && item.id < items[items.length - 1].id);
    return older.length ? { ...list, items: [...items, ...older] } : { items, next, of };
  }
  const known = new Set((list.items ?? []).map((item) => item.id));
  return { items: [...(list.items ?? []), ...items.filter((item) => !known.has(item.id))], next, of };
}

function sameRow(one = null, other = null) {
  return one?.resource === other?.resource && one?.row === other?.row;
}

/** A yes counts for exactly the rows it was asked about: where one is gone, the question is asked anew. */
function stillAsked(confirm, items) {
  if (!confirm?.ids) return confirm;
  return confirm.ids.every((id) => items.some((item) => item.id === id)) ? confirm : null;
}

/** An answer that comes after full access was taken away must not bring the screens back. */
function shownPhase(state) {
  return state.phase === "no_access" ? "no_access" : "ready";
}

function without(map, ids) {
  const out = { ...map };
  for (const id of ids) delete out[id];
  return out;
}
