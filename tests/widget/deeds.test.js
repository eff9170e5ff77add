// The state of the screen of actions: what is chosen, what may be asked, and that a yes is good only for what was shown.

import assert from "node:assert/strict";
import test from "node:test";
import { actableRow, hasDeeds, initial, notReady, optionsOf, reduce, wrongQuantity } from "../../widget/slices/deeds.js";
import { initial as first, reduce as reduceAll, tabsOf } from "../../widget/state.js";

const OF = { resource: "orders", table: "Orders", row: 812 };
const ROW = {
  title: "#1042", seen: "a", may: [{ action: "fulfil", may: true }],
  lines: [{ line: "l1", name: "Shirt", remaining: 2 }, { line: "l2", name: "Hat", remaining: 1 }],
};
const play = (...events) => events.reduce(reduce, initial);
const looked = [{ type: "looking", of: OF }, { type: "looked", of: OF, row: ROW }];

test("an answer about another row than is chosen now is dropped", () => {
  const other = { ...OF, row: 5 };
  assert.equal(play({ type: "looking", of: OF }, { type: "looking", of: other }, { type: "looked", of: OF, row: ROW }).row, null);
});

test("all that waits is sent unless somebody types less", () => {
  const part = play(...looked, { type: "choose", action: "fulfil" });
  assert.deepEqual(optionsOf(part).lines, [{ line: "l1", quantity: 2 }, { line: "l2", quantity: 1 }]);
  const fewer = play(...looked, { type: "choose", action: "fulfil" }, { type: "quantity", line: "l1", text: "1" }, { type: "quantity", line: "l2", text: "0" });
  assert.deepEqual(optionsOf(fewer), { lines: [{ line: "l1", quantity: 1 }] });
});

test("tracking is sent only where it was typed", () => {
  const part = play(...looked, { type: "choose", action: "fulfil" }, { type: "option", values: { tracking: { number: " 1Z ", url: " " } } });
  assert.deepEqual(optionsOf(part).tracking, { number: "1Z" });
});

for (const [text, wrong] of [["2", ""], ["0", ""], ["3", "wrong"], ["-1", "wrong"], ["1.5", "wrong"], ["two", "wrong"], [undefined, ""]]) {
  test(`of two that wait, “${text}” is ${wrong || "right"}`, () => assert.equal(wrongQuantity(ROW.lines[0], text), wrong));
}

test("nothing can be asked before something is chosen, or with nothing to send", () => {
  assert.equal(notReady(play(...looked)), "choose_first");
  const none = play(...looked, { type: "choose", action: "fulfil" }, { type: "quantity", line: "l1", text: "0" }, { type: "quantity", line: "l2", text: "0" });
  assert.equal(notReady(none), "no_lines");
  assert.equal(notReady(play(...looked, { type: "choose", action: "close" })), null);
});

test("a question falls with every change of what it asked, and when the order moves", () => {
  const asked = [...looked, { type: "choose", action: "fulfil" }, { type: "asked", of: OF, asked: { effect: [], final: "", seen: "a" } }];
  assert.notEqual(play(...asked).asked, null);
  assert.equal(play(...asked, { type: "quantity", line: "l1", text: "1" }).asked, null);
  assert.equal(play(...asked, { type: "option", values: { notify: true } }).asked, null);
  const moved = play(...asked, { type: "looked", of: OF, row: { ...ROW, seen: "b" } });
  assert.deepEqual([moved.asked, moved.action], [null, null]);
  assert.notEqual(play(...asked, { type: "looked", of: OF, row: ROW }).asked, null);
});

test("the tab stands there only while there is something to act on", () => {
  const server = { mappings: [{ resource: "orders", table: "Bestellungen" }, { resource: "products", table: "Products" }], counts: {} };
  const at = (cursor) => ({ ...first({}, 0), server, cursor });
  assert.deepEqual(actableRow(at({ table: "Bestellungen", row: 3 })), { resource: "orders", table: "Bestellungen", row: 3 });
  assert.equal(hasDeeds(at({ table: "Products", row: 3 })), false);
  assert.ok(!tabsOf(at(null)).includes("actions"));
  assert.ok(tabsOf(at({ table: "Bestellungen", row: 3 })).includes("actions"));
  const unsure = reduceAll(at(null), { type: "deeds/list", items: [], maybe: 1 });
  assert.ok(tabsOf(unsure).includes("actions"));
});
