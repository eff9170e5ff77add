// Differences between the last agreed value and a side's value now.
import assert from "node:assert/strict";
import { test } from "node:test";

import { diff, differences, excerpt, htmlText, percent, subtract } from "../../widget/diff.js";
import { same } from "../../widget/same.js";
import { canType } from "../../widget/state.js";

const marks = (parts) => parts.map(({ text, mark }) => (mark === "added" ? `[+${text}]` : mark === "removed" ? `[-${text}]` : text)).join("");

for (const [base, value, expected] of [
  ["Wool scarf, undyed", "Wool scarf, undyed merino", "Wool scarf, undyed [+merino]"],
  ["Wool scarf, undyed", "Wool scarf, natural", "Wool scarf, [-undyed] [+natural]"],
  ["blocked by hand", "blocked and steamed by hand", "blocked [+and steamed] by hand"],
  ["one two three four", "one four", "one [-two three] four"],
  ["LIN-S", "LIN-S ", "LIN-S[+ ]"],
  ["LIN-SMALL", "LIN-SMELL", "LIN-SM[-A][+E]LL"],
]) {
  test(`text: ${base} → ${value}`, () => assert.equal(marks(diff("text", base, value).parts), expected));
}

test("over half changed is shown whole, without marks", () => {
  assert.equal(diff("text", "red", "a completely other title").kind, "plain");
});

test("a long text is cut to the surroundings of its first difference", () => {
  const base = "A felt hat with a 7 cm brim, blocked by hand in our own workshop at the foot of the hill.";
  const found = diff("text", base, base.replace("7 cm", "8 cm"));
  assert.match(marks(found.excerpt), /^… hat with a \[-7\] \[\+8\] cm brim,.* …$/);
  assert.equal(excerpt([{ text: "short", mark: null }]), null);
});

for (const [a, b, expected] of [["39.00", "42.00", "-3.00"], ["45.00", "42.00", "3.00"], [12, 14, "-2"], ["0.3", "0.1", "0.2"], [-1, 1, "-2"], ["10", "9.995", "0.005"],
  ["123456789012345678.01", "0.02", "123456789012345677.99"]]) {
  test(`${a} − ${b} = ${expected}, exactly`, () => assert.equal(subtract(a, b), expected));
}

test("a list of references shows names as a list of words does, and cannot be typed", () => {
  assert.deepEqual(diff("refs", ["Sale"], ["Sale", "Winter"]).tokens, diff("list", ["Sale"], ["Sale", "Winter"]).tokens);
  assert.equal(canType({ type: "refs" }), false);
  assert.equal(canType({ type: "list" }), true);
});

test("a list shows what stayed, came and went; its order never counts", () => {
  assert.deepEqual(diff("list", ["winter", "wool"], ["wool", "gift"]).tokens, [
    { text: "wool", mark: null }, { text: "gift", mark: "added" }, { text: "winter", mark: "removed" }]);
  assert.ok(same(["a", "b"], ["b", "a"]));
  assert.ok(!same(["a"], ["a", "a"]));
});

test("dates differ by days, times under two days by hours", () => {
  assert.deepEqual(diff("date", "2026-12-01", "2026-12-15"), { kind: "date", days: 14 });
  assert.deepEqual(diff("datetime", "2026-12-01T10:00:00Z", "2026-12-01T13:00:00Z"), { kind: "date", hours: 3 });
});

test("HTML that only differs in markup says so, and is read as text", () => {
  assert.equal(diff("html", "<p>Soft <b>wool</b></p>", "<p>Soft wool</p>").kind, "same_text");
  assert.equal(htmlText("<p>a &amp; b</p><p>c</p>"), "a & b c");
  assert.equal(htmlText("<script>x</script>"), "x");
});

test("what cannot be read, or has no base, carries no marks", () => {
  assert.equal(diff("money", { unread: true }, "39.00").kind, "plain");
  assert.equal(diff("text", "a b c d", "a b c e", false).kind, "plain");
  assert.equal(diff("money", null, "39.00").kind, "plain");
});

test("a time that moved by minutes shows no difference", () => {
  assert.deepEqual(diff("datetime", "2026-11-25T21:19:00Z", "2026-11-25T21:20:00Z"), { kind: "plain" });
});

for (const [base, value, expected] of [
  ["42.00", "45.00", "7"], [1000, 1250, "25"], ["200", "201", "0.5"], ["-10", "5", "150"], ["80.00", "40.00", "-50"],
  [0, 5, null], ["5", "5.0001", null], ["0.01", "900", null], [null, null, null],
]) {
  test(`per cent: ${base} → ${value}`, () => assert.equal(percent(base, value), expected));
}

test("differences are counted by place: what went and what came in its stead are one", () => {
  const base = "A felt hat with a 7 cm brim, blocked by hand in our own workshop at the foot of the hill.";
  const value = base.replace("7 cm", "8 cm").replace("by hand", "and steamed by hand").replace("own workshop", "shop");
  assert.equal(differences(diff("text", base, value).parts), 3);
  assert.equal(differences(diff("text", "Wool scarf, undyed", "Wool scarf, natural").parts), 1);
});
