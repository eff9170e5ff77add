// Every language says all there is to say, with the same facts in it.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../widget/i18n/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const read = (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
/** All parts of a language: what is said at first, in the lists, and the rest; a section may have something in each. */
const whole = (language) => {
  const said = read(`${language}.json`);
  for (const [name, part] of ["lists", "more"].flatMap((one) => Object.entries(read(`${language}.${one}.json`)))) {
    for (const key of Object.keys(part)) assert.ok(!(key in (said[name] ?? {})), `${name}.${key} is in both parts`);
    said[name] = { ...said[name], ...part };
  }
  return said;
};
const isPlural = (node) => typeof node === "object" && "other" in node && Object.values(node).every((one) => typeof one === "string") && Object.keys(node).every((key) => ["zero", "one", "two", "few", "many", "other"].includes(key));

/** {"bar.sync": ["Sync"], "bar.conflicts": ["{n} conflict", "{n} conflicts"]} */
function sentences(node, path = "", found = {}) {
  for (const [key, value] of Object.entries(node)) {
    const at = path ? `${path}.${key}` : key;
    if (typeof value === "string") found[at] = { other: value };
    else if (isPlural(value)) found[at] = value;
    else sentences(value, at, found);
  }
  return found;
}

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const marks = (text) => text.split("**").length;
const english = sentences(whole("en"));

test("there is more than one language", () => assert.deepEqual(files.sort(), ["de.json", "de.lists.json", "de.more.json", "de.said.json", "en.json", "en.lists.json", "en.more.json"]));

for (const language of ["en", "de"]) {
  const name = language;
  const here = sentences(whole(language));

  test(`${name} has the same sentences in its first part`, () => assert.deepEqual(
    Object.keys(sentences(read(`${language}.json`))).sort(), Object.keys(sentences(read("en.json"))).sort()));

  test(`${name} has every sentence and no other`, () => assert.deepEqual(Object.keys(here).sort(), Object.keys(english).sort()));

  test(`${name} has the same facts in each sentence`, () => {
    for (const [key, forms] of Object.entries(english)) {
      assert.deepEqual(holes(here[key].other), holes(forms.other), key);
      assert.equal(marks(here[key].other), marks(forms.other), key);
    }
  });

  test(`${name} has a whole sentence for each plural form of its language`, () => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, forms] of Object.entries(here)) {
      if (Object.keys(english[key]).length > 1) assert.deepEqual(Object.keys(forms).sort(), [...pluralCategories].sort(), key);
      for (const form of Object.values(forms)) assert.ok(form.trim().length > 0 && holes(form).every((one) => holes(forms.other).includes(one)), key);
    }
  });

  test(`${name} speaks quietly`, () => {
    for (const [key, forms] of Object.entries(here)) for (const form of Object.values(forms)) assert.doesNotMatch(form, /!|\(s\)|\b(please|oops|successfully|invalid|bitte|leider|erfolgreich|ungültig)\b/i, key);
  });
}
