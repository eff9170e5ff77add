// Words, numbers and times as the person reads them; typed values as the API takes them.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { createFormat, pill, roughSeconds } from "../../widget/format.js";
import { readTyped } from "../../widget/typed.js";

const widget = new URL("../../widget/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`i18n/${name}.json`, widget)));
const first = read("en");
const together = (...parts) => parts.reduce((all, part) => Object.entries(part).reduce((sum, [name, said]) => ({ ...sum, [name]: { ...sum[name], ...said } }), all), {});
const lists = together(first, read("en.lists"));
const strings = together(lists, read("en.more"));
const british = createFormat({ strings, culture: "en-GB", timeZone: "Europe/Oslo", currency: "USD", shopCurrency: "USD" });
const german = createFormat({ strings, culture: "de-DE", timeZone: "Europe/Berlin", currency: "EUR", shopCurrency: "EUR" });
const NOW = Date.parse("2026-11-23T13:05:30Z");

test("a row without a title is called by its place", () => {
  assert.equal(british.called({ title: "Felt hat", label: "Products", row: 4 }), "Felt hat");
  assert.equal(british.called({ title: "", label: "Inventory", row: 11 }), "Inventory, row 11");
  assert.equal(british.called({ title: "", label: "Inventory", row: null }), "Inventory");
});

test("money is the store's, with its minus and its digits", () => {
  assert.equal(british.money("39.00"), "$39.00");
  assert.equal(british.money("-39.5"), "−$39.50");
  assert.equal(createFormat({ strings, culture: "en-US", currency: "USD", shopCurrency: "CAD" }).money("39"), "CA$39.00");
  assert.equal(german.money("1234.5"), "1.234,50\u00a0€");
});

test("differences carry a sign, money the currency's digits", () => {
  assert.equal(british.signed("-3.00", true), "−3.00");
  assert.equal(british.signed("3", true), "+3.00");
  assert.equal(british.signed("-2"), "−2");
});

for (const [at, expected] of [["2026-11-23T13:05:00Z", "just now"], ["2026-11-23T13:02:00Z", "3 min ago"], ["2026-11-23T09:00:00Z", "at 10:00"],
  ["2026-11-22T17:12:00Z", "22 Nov, 18:12"], ["2025-11-22T17:12:00Z", "22 Nov 2025, 18:12"]]) {
  test(`a sync at ${at} was ${expected}`, () => assert.equal(british.when(Date.parse(at), NOW), expected));
}

test("a date without a time is the same day in every zone", () => {
  for (const timeZone of ["Pacific/Auckland", "Pacific/Honolulu"]) {
    assert.equal(createFormat({ strings, culture: "en-GB", timeZone }).date("2026-12-01", NOW), "1 Dec");
  }
  assert.equal(british.date("2027-01-02", NOW), "2 Jan 2027");
});

test("plurals are whole sentences; a text that is missing is a developer's mistake", () => {
  assert.equal(british.t("conflicts.apply", { n: 1 }), "Apply 1 choice");
  assert.equal(british.t("conflicts.apply", { n: 1200 }), "Apply 1,200 choices");
  assert.throws(() => british.t("no.such"), /No text for no\.such/);
  assert.throws(() => british.t("conflicts.chosen", { n: 1 }), /\{total\}/);
});

for (const [type, typed, value] of [
  ["money", "40.00", "40.00"], ["money", " 1,250.5 ", "1250.5"], ["integer", "−3", -3], ["decimal", "0.25", "0.25"], ["money", "", null], ["text", "", null], ["text", " x ", " x "],
  ["list", "wool, gift ,wool", ["wool", "gift"]], ["boolean", "Yes", true], ["boolean", "no", false], ["date", "2026-12-01", "2026-12-01"],
  ["datetime", "2026-12-01 14:00", "2026-12-01T13:00:00Z"], ["datetime", "2026-07-01 14:00", "2026-07-01T12:00:00Z"], ["choice", "ACTIVE", "ACTIVE"],
]) {
  test(`typed ${type} “${typed}” is read`, () => assert.deepEqual(readTyped({ type, choices: ["ACTIVE", "DRAFT"] }, typed, british), { value }));
}

for (const [type, typed, message] of [
  ["money", "fourty", "“fourty” is not a number."], ["money", "40,00", "“40,00” is not a number."], ["integer", "1.5", "“1.5” is not a whole number."],
  ["date", "2026-02-30", "“2026-02-30” is not a date."], ["choice", "Actve", "“Actve” is not one of ACTIVE, DRAFT."], ["boolean", "perhaps", "“perhaps” is neither yes nor no."],
]) {
  test(`typed ${type} “${typed}” says what is wrong and what to type`, () => {
    const result = readTyped({ type, choices: ["ACTIVE", "DRAFT"] }, typed, british);
    assert.equal(result.message, message);
    assert.ok(result.cure.endsWith("."));
  });
}

test("a comma is the decimal sign where the culture writes it so", () => {
  assert.deepEqual(readTyped({ type: "money" }, "1.250,50", german), { value: "1250.50" });
});

test("time left is rounded to 1, 5 and 10 seconds", () => {
  assert.deepEqual([11.4, 33, 84].map(roughSeconds), [11, 35, 80]);
  assert.equal(pill(10000, british), "9,999+");
});

// What is there before the further words of a screen have come; and what only the lists say.
const AT_FIRST = ["format.js", ...["app", "parts", "overview"].map((name) => `views/${name}.js`)];
const IN_LISTS = ["main.js", "typed.js", ...["value", "conflicts", "deletions", "refused", "changes"].map((name) => `views/${name}.js`)];

test("every text that the code asks for is in the language file, at first in its first part", () => {
  const files = ["main.js", "format.js", "typed.js", ...["views/", "actions/"].flatMap((folder) => readdirSync(new URL(folder, widget)).map((name) => folder + name))];
  const missing = [];
  for (const file of files) {
    const there = AT_FIRST.includes(file) ? first : IN_LISTS.includes(file) ? lists : strings;
    const code = readFileSync(new URL(file, widget), "utf8");
    for (const [, key] of code.matchAll(/\bt\("([\w.]+)"/g)) {
      if (key.split(".").reduce((node, name) => node?.[name], there) === undefined) missing.push(`${file}: ${key}`);
    }
    for (const [, start] of code.matchAll(/\bt\(`([\w.]+?)\$\{/g)) {
      const [screen, prefix = ""] = start.split(".");
      if (!Object.keys(there[screen] ?? {}).some((name) => name.startsWith(prefix))) missing.push(`${file}: ${start}…`);
    }
  }
  assert.deepEqual(missing, []);
});

test("colours are written only once, as fallbacks on the root", () => {
  const sheet = readFileSync(new URL("style.css", widget), "utf8");
  const [root, ...rest] = sheet.split(/\n}\n/);
  assert.match(root, /:root \{/);
  const more = readFileSync(new URL("screens.css", widget), "utf8");
  assert.deepEqual([...rest, more].join("\n").match(/#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(/gi)?.filter((one) => !/^#(root|app)/.test(one)) ?? [], []);
  for (const line of root.split("\n").filter((one) => one.includes("#") || one.includes("rgba("))) assert.match(line, /var\(--grist-theme-[\w-]+, /);
});

test("values are never read as HTML, and only their own files fetch or touch Grist", () => {
  const views = readdirSync(new URL("views/", widget)).map((name) => `views/${name}`);
  for (const file of ["main.js", "grist.js", "api.js", "state.js", "diff.js", "format.js", ...views]) {
    const code = readFileSync(new URL(file, widget), "utf8");
    assert.doesNotMatch(code, /\.innerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|\beval\(/, file);
    if (file !== "api.js") assert.doesNotMatch(code, /\bfetch\(|XMLHttpRequest/, file);
    if (file !== "grist.js") assert.doesNotMatch(code, /window\.grist|docApi|getAccessToken/, file);
  }
});


test("the clock is the culture's", () => {
  const at = Date.parse("2026-11-23T13:05:00Z");
  assert.equal(british.clock(at), "14:05");
  assert.match(createFormat({ strings, culture: "en-US", timeZone: "Europe/Oslo" }).clock(at), /^2:05\sPM$/);
});
