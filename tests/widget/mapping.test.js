// The mapping's own logic: what fits, what is changed, what a choice in the first run means, how questions are answered.

import assert from "node:assert/strict";
import test from "node:test";
import { addable, choicesOf, columnId, countChanges, decidedOf, drafted, filterText, isUnsaved, newField, parseFilter, required, standing, typeFor, withField, withPicked, withoutField } from "../../widget/draft.js";
import { initial, isChosen, reduce } from "../../widget/slices/mapping.js";

const field = (name, kind, more = {}) => ({ name, label: name[0].toUpperCase() + name.slice(1), kind, writable: true, rules: ["ask"], rule: "ask", choices: [], target: null, ...more });
const resource = (name, fields, more = {}) => ({ name, label: name, table: name, match: ["sku"], creatable: true, searchable: true, filters: [], fields, ...more });
const FITS = { text: { data: ["Text"], formula: ["Any", "Text"] }, money: { data: ["Numeric"], formula: ["Any", "Numeric"] }, ref: { data: ["Ref"], formula: ["Any", "Ref"] }, datetime: { data: ["DateTime"], formula: ["Any"] } };
const column = (name, type, more = {}) => ({ name, label: name, type, formula: false, blank: false, ...more });
const rule = (name, more = {}) => ({ column: name, direction: "both", on_conflict: "ask", ...more });
const mapping = (more = {}) => ({ resource: "variants", table: "Variants", match: ["sku", "sku+title"], filter: "", only_where: "", create: {}, delete: {}, fields: { sku: rule("SKU"), cost: rule("Cost"), price: rule("Price"), title: rule("Title") }, ...more });

function part(more = {}) {
  return {
    ...initial,
    resources: { resources: [resource("variants", [field("sku", "text"), field("cost", "money"), field("price", "money"), field("title", "text", { writable: false }), field("made", "datetime")]),
      resource("inventory", [field("variant", "ref", { target: "variants", writable: false }), field("location", "ref", { target: "locations", writable: false })], { match: ["variant+location"], creatable: false, searchable: false })] },
    tables: { tables: [{ name: "Variants", columns: [column("SKU", "Text"), column("Cost", "Text"), column("Price", "Numeric", { formula: true }), column("Title", "Text"), column("New", "Any", { blank: true })] }], suggestions: {}, fits: FITS },
    saved: { mappings: [mapping()], version: "v1", about: { variants: { columns: {}, table: "Variants" } }, defaults: [] },
    ...more,
  };
}

test("a column stands as it fits", () => {
  const one = mapping({ fields: { ...mapping().fields, made: rule("New") } });
  assert.deepEqual(["sku", "cost", "price", "title", "made"].map((name) => standing(part(), one, name)), ["ok", "type", "formula", "ok", "blank"]);
});

test("a renamed column is still the same, a deleted one is gone, one that never was is new", () => {
  const saved = { ...part().saved, about: { variants: { columns: { sku: "Title", cost: "Gone" }, table: "Variants" } } };
  const one = mapping({ fields: { sku: rule("SKU"), cost: rule("Cost2"), title: rule("Nowhere") } });
  const now = part({ saved: { ...saved, mappings: [one] } });
  assert.equal(standing(now, one, "cost"), "gone");
  assert.equal(standing(now, one, "title"), "new");
});

test("a formula feeds nothing that Shopify does not take", () => {
  const tables = { ...part().tables, tables: [{ name: "Variants", columns: [column("Title", "Text", { formula: true })] }] };
  assert.equal(standing(part({ tables }), mapping(), "title"), "type");
});

test("the type that cures a column is the field's", () => {
  assert.equal(typeFor(part(), field("price", "money"), "UTC"), "Numeric");
  assert.equal(typeFor(part(), field("made", "datetime"), "Europe/Oslo"), "DateTime:Europe/Oslo");
  assert.equal(typeFor(part(), field("variant", "ref", { target: "variants" }), "UTC"), "Ref:Variants");
});

test("changes are counted, cell by cell, and are none again where they are taken back", () => {
  const draft = [withField(withoutField(mapping(), "title"), "cost", { on_conflict: "shopify" })];
  const now = part({ draft });
  assert.equal(countChanges(now), 2);
  assert.equal(isUnsaved(now, draft[0], "cost", "on_conflict"), true);
  assert.equal(isUnsaved(now, draft[0], "cost", "direction"), false);
  assert.equal(countChanges(part({ draft: [mapping({ filter: "tag:a" })] })), 1);
});

test("a field that goes takes along what rows were matched by", () => {
  assert.deepEqual(withoutField(mapping(), "title").match, ["sku"]);
});

test("a draft remembers the version it began from", () => {
  const first = reduce(part(), { type: "draft", draft: [mapping()] });
  const later = reduce({ ...first, saved: { ...first.saved, version: "v2" } }, { type: "draft", draft: [mapping()] });
  assert.equal(later.base, "v1");
  assert.equal(reduce(later, { type: "discard" }).base, null);
});

test("a new line goes into the column that suits it, else into a new one", () => {
  const tables = { ...part().tables, suggestions: { variants: [{ table: "Variants", fields: { made: "Made_on" } }] } };
  assert.equal(newField(part({ tables }), mapping(), "made").fields.made.column, "Made_on");
  assert.equal(newField(part(), mapping(), "made").fields.made.column, "Made");
  assert.deepEqual(newField(part(), mapping(), "shippingAddress.city").fields["shippingAddress.city"], { column: "shippingAddress_city", direction: "to_grist", on_conflict: "ask" });
  assert.equal(columnId("Compare at"), "Compare_at");
});

test("fields are found by their words", () => {
  assert.deepEqual(addable(part(), mapping(), "ma").map((one) => one.name), ["made"]);
  assert.deepEqual(addable(part(), mapping(), "sku"), []);
});

test("a filter is read as the selects show it, and written back", () => {
  const filters = [{ key: "status", choices: ["ACTIVE"] }];
  assert.deepEqual(parseFilter("-status:archived", filters), { key: "status", not: true, value: "archived" });
  assert.deepEqual(parseFilter('status:"two words"', filters), { key: "status", not: false, value: "two words" });
  assert.deepEqual(parseFilter("status:active tag:x", filters), { other: "status:active tag:x" });
  assert.deepEqual(parseFilter("colour:red", filters), { other: "colour:red" });
  assert.equal(parseFilter("", filters), null);
  assert.equal(filterText({ key: "vendor", not: true, value: "Hat Works" }), '-vendor:"Hat Works"');
  assert.equal(filterText({ key: "vendor", not: false, value: "" }), "");
});

test("stock brings its variants along, and goes with them", () => {
  const now = part({ picked: {} });
  assert.deepEqual(required(now, "inventory"), ["variants"]);
  const picked = withPicked(now, "inventory", true);
  assert.deepEqual(Object.keys(picked).sort(), ["inventory", "variants"]);
  assert.deepEqual(withPicked({ ...now, picked }, "variants", false), {});
});

test("what is chosen becomes a mapping: columns that suit, new names elsewhere, no reference to what is not chosen", () => {
  const defaults = [mapping({ table: "Variants", fields: { sku: rule("SKU"), cost: rule("Cost") }, match: ["sku"] }),
    { ...mapping(), resource: "inventory", table: "Inventory", fields: { variant: rule("Variant"), location: rule("Location") }, match: ["variant+location"] }];
  const tables = { ...part().tables, suggestions: { variants: [{ table: "Stock", fields: { sku: "Article", price: "Cost" } }] } };
  const now = part({ saved: { ...part().saved, mappings: [], defaults }, tables, picked: { variants: "Stock" } });
  assert.deepEqual(drafted(now), [{ ...mapping(), table: "Stock", match: ["sku"], fields: { sku: rule("Article"), cost: rule("Cost_in_Shopify"), price: rule("Cost") } }]);
  const fresh = drafted({ ...now, picked: { variants: "" } })[0];
  assert.equal(fresh.table, "Shopify_Variants", "the name is taken by another table");
});

const scarf = { resource: "products", kind: "double", rows: [{ row: 3, title: "Scarf", looks: "l3" }], things: [{ thing: "a" }, { thing: "b" }], alike: [[["SKU"], []]] };

test("a double has a line for each candidate, and the last keeps apart", () => {
  assert.deepEqual(choicesOf(scarf).map((line) => [line.say, line.pairs]), [["this", { 3: "a" }], ["this", { 3: "b" }], ["apart", { 3: null }]]);
});

test("an answer is taken back by pressing it again, and is told with what the row looked like", () => {
  const [first, , apart] = choicesOf(scarf);
  const chosen = reduce(part(), { type: "answer", question: scarf, line: first });
  assert.deepEqual(decidedOf(chosen), [{ resource: "products", row: 3, thing: "a", looks: "l3" }]);
  assert.deepEqual(decidedOf(reduce(chosen, { type: "answer", question: scarf, line: apart })), [{ resource: "products", row: 3, thing: null, looks: "l3" }]);
  assert.deepEqual(reduce(chosen, { type: "answer", question: scarf, line: first }).answers, {});
});

test("of two rows one gets the thing and the other is kept apart", () => {
  const hats = { ...scarf, rows: [{ row: 5, looks: "l5" }, { row: 44, looks: "l44" }], things: [{ thing: "h" }], alike: [[[]], [[]]] };
  const chosen = reduce(part(), { type: "answer", question: hats, line: choicesOf(hats)[0] });
  assert.deepEqual(decidedOf(chosen).map((one) => [one.row, one.thing]), [[5, "h"], [44, null]]);
});

test("of several rows and things each row has an answer, and a thing goes to one row", () => {
  const many = { ...scarf, rows: [{ row: 1, looks: "" }, { row: 2, looks: "" }], alike: [[[], []], [[], []]] };
  const lines = choicesOf(many);
  let now = reduce(part(), { type: "answer", question: many, line: lines[0] });
  now = reduce(now, { type: "answer", question: many, line: lines[3] });
  const [answer] = Object.values(now.answers);
  assert.deepEqual(answer.rows, { 1: "a", 2: "b" });
  const moved = Object.values(reduce(now, { type: "answer", question: many, line: lines[2] }).answers)[0];
  assert.deepEqual(moved.rows, { 2: "a" });
  assert.equal(isChosen(moved, lines[4]), false);
});

test("a row that has lost its ID is what it was, a new one under the number of a deleted row, or kept apart", () => {
  const emptied = { ...scarf, kind: "emptied", things: [], of: { thing: "a", title: "Scarf" } };
  assert.deepEqual(choicesOf(emptied).map((line) => [line.say, line.pairs]), [["still", { 3: "a" }], ["new", { 3: "new" }], ["apart", { 3: null }]]);
  const chosen = reduce(part(), { type: "answer", question: emptied, line: choicesOf(emptied)[1] });
  assert.deepEqual(decidedOf(chosen), [{ resource: "products", row: 3, thing: "new", looks: "l3" }]);
});

test("a copy becomes a new row or is kept apart", () => {
  const copy = { ...scarf, kind: "copy", things: [], of: { thing: "a", title: "Scarf" }, holder: 1 };
  assert.deepEqual(choicesOf(copy).map((line) => line.say), ["new", "apart"]);
  const fresh = reduce(part(), { type: "answer", question: copy, line: choicesOf(copy)[0] });
  assert.deepEqual(decidedOf(fresh), [], "the cell is cleared in Grist instead");
});
