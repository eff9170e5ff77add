// What stands behind a value in small type, and how the whole of a long one is shown.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { createFormat } from "../../widget/format.js";
import { changes, spoken, unfolding } from "../../widget/views/value.js";

const read = (part) => JSON.parse(readFileSync(new URL(`../../widget/i18n/en${part}.json`, import.meta.url), "utf8"));
const strings = read("");
for (const [name, part] of Object.entries(read(".lists"))) strings[name] = { ...strings[name], ...part };
const f = createFormat({ strings, culture: "en-GB", language: "en-US", timeZone: "Europe/Oslo", currency: "USD" });
const item = (type, base, grist, more = {}) => ({ type, base, grist, base_known: true, whole_row: false, field: "price", field_label: "Price", ...more });

for (const [what, one, expected] of [
  ["a price by money, then per cent", item("money", "42.00", "45.00"), ["+3.00", "+7 %"]],
  ["stock by pieces", item("integer", 14, 12, { merge: 10 }), ["−2", "−14 %"]],
  ["much stock by pieces, too", item("integer", 1400, 1200, { merge: 1000 }), ["−200", "−14 %"]],
  ["a long number by per cent", item("decimal", "1000", "1250", { field: "weight", field_label: "Weight" }), ["+25 %", "+250"]],
  ["a percentage by its points", item("decimal", "20", "25", { field: "tax_percent", field_label: "Tax" }), ["+5 %"]],
  ["from nothing there is no share", item("integer", 0, 5), ["+5"]],
  ["a day", item("date", "2026-12-01", "2026-12-15"), ["+14 d"]],
  ["words say it themselves", item("text", "red", "blue"), []],
]) {
  test(`a difference: ${what}`, () => assert.deepEqual(changes(one, "grist", f), expected));
}

test("a screen reader hears both", () => {
  assert.equal(spoken(item("money", "42.00", "39.00"), "grist", f, 0), "$39.00, −3.00, −7 % against last agreed");
});

const long = "A felt hat with a 7 cm brim, blocked by hand in our own workshop at the foot of the hill.";
const twice = long.replace("7 cm", "8 cm").replace("by hand", "and steamed by hand");

for (const [what, one, how, expected] of [
  ["two differences of a long text", item("text", long, twice), { whole: null, isCut: false }, { how: "all", words: "Show all 2 differences" }],
  ["one difference", item("text", long, long.replace("7 cm", "8 cm")), { whole: null, isCut: false }, { how: "all", words: "Show all" }],
  ["what fits", item("text", "red", "blue"), { whole: null, isCut: false }, null],
  ["what fits, in a field that is shown whole", item("text", "red", "blue"), { whole: "all", isCut: false }, null],
  ["what is cut off", item("text", "red", "blue"), { whole: null, isCut: true }, { how: "all", words: "Show all" }],
  ["shown whole", item("text", long, twice), { whole: "all", isCut: false }, { how: "all", words: "Show less" }],
  ["the same words in other markup", item("html", "<p>Hat</p>", "<b>Hat</b>"), { whole: null, isCut: false }, { how: "source", words: "Show source" }],
  ["as source", item("html", "<p>Hat</p>", "<b>Hat</b>"), { whole: "source", isCut: false }, { how: "source", words: "Show as text" }],
]) {
  test(`the link below a value: ${what}`, () => assert.deepEqual(unfolding(one, "grist", how, f), expected));
}
