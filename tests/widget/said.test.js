// The service's own sentences in the language of the person.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { inLanguage, translator } from "../../widget/said.js";

const list = JSON.parse(readFileSync(new URL("../../widget/i18n/de.said.json", import.meta.url), "utf8"));
const german = translator(list);

for (const [said, wanted] of [
  ["It was edited since.", "Es wurde seither bearbeitet."],
  ["48 of 212 products are gone from Shopify. That is more than the 20 you allow. Nothing was written.", "48 von 212 fehlen in Shopify (products). Das sind mehr als die 20, die Sie erlauben. Nichts wurde geschrieben."],
  ["Products is empty in Grist, and 9 rows were there at the last sync. 3 of 4 orders changed in Grist since the last sync. Nothing was written.",
    "Products ist leer in Grist; beim letzten Sync waren dort 9 Zeilen. 3 von 4 haben sich in Grist seit dem letzten Sync geändert (orders). Nichts wurde geschrieben."],
  ["Column 'Cost' in table 'My.Table' is a formula, and Price is worked out by Shopify: neither can be written.", "Spalte 'Cost' in Tabelle 'My.Table' ist eine Formel, und Price berechnet Shopify: keines kann geschrieben werden."],
  ["Merging both changes gives -1, and stock cannot go below zero. Count the shelf and type the number.", "Beide Änderungen zusammen ergeben -1, und Bestand kann nicht unter null gehen. Zählen Sie nach, und geben Sie die Zahl ein."],
  ["Shopify refused Price: must be a number.", "Shopify wies Price ab: must be a number."],
  ["Something else. Nothing was done.", "Something else. Nichts wurde getan."],
  ["Shopify says something that nobody knows.", "Shopify says something that nobody knows."],
  ["", ""],
]) test(`in German: ${said.slice(0, 60)}`, () => assert.equal(german(said), wanted));

test("what is told is put into the language, what people wrote is left alone", async () => {
  const body = { status: "stopped", message: { message: "It was edited since.", cure: "", code: "brake" }, items: [{ title: "Look again.", reason: "It is there again.", effect: ["Look again."] }] };
  const told = await inLanguage(body, "de", async () => list);
  assert.deepEqual(told, { status: "stopped", message: { message: "Es wurde seither bearbeitet.", cure: "", code: "brake" }, items: [{ title: "Look again.", reason: "Es ist wieder da.", effect: ["Sehen Sie noch einmal nach."] }] });
});

test("nothing is fetched for an answer that says nothing, and a list that does not come is asked for again", async () => {
  const asked = [];
  const load = async (language) => { asked.push(language); if (asked.length === 1) throw new Error("lost"); return null; };
  assert.deepEqual(await inLanguage({ counts: { conflicts: 1 }, message: null, cure: "" }, "fr", load), { counts: { conflicts: 1 }, message: null, cure: "" });
  assert.deepEqual(asked, []);
  const body = { reason: "It is there again." };
  for (let time = 0; time < 3; time += 1) assert.equal(await inLanguage(body, "fr", load), body);
  assert.deepEqual(asked, ["fr", "fr"]); // a language without a list is asked for once
});

test("no sentence puts something where nothing stood", () => {
  for (const [english, own] of Object.entries(list)) {
    const holes = english.split("…").length - 1;
    for (const [, number] of own.matchAll(/\{(\w+)\}/g)) assert.ok(Number(number) >= 1 && Number(number) <= holes, english);
    assert.doesNotMatch(own, /!|\b(bitte|leider|erfolgreich|ungültig|du|dein\w*)\b/i, english);
    assert.ok(own.trim().length > 0, english);
  }
});
