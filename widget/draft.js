// What a mapping's screens ask of its part of the state (slices/mapping.js): what there is to map, how a field stands in
// its table, a draft with one thing changed, the lines of a question about pairs. Pure.

// ---- what there is ----

export function resourceOf(part, name) {
  return part.resources?.resources.find((one) => one.name === name) ?? null;
}

export function fieldOf(part, resource, name) {
  return resourceOf(part, resource)?.fields.find((one) => one.name === name) ?? null;
}

export function tableOf(part, name) {
  return part.tables?.tables.find((one) => one.name === name) ?? null;
}

/** The mappings as they stand on the screen. */
export function mappingsOf(part) {
  if (part.draft) return part.draft;
  return part.picked ? drafted(part) : part.saved?.mappings ?? [];
}

export function mappingOf(part, resource) {
  return mappingsOf(part).find((one) => one.resource === resource) ?? null;
}

/** The column that a field lives in now: a renamed one is still the same. */
export function columnOf(part, mapping, name) {
  const wanted = mapping.fields[name].column;
  const columns = tableOf(part, currentTable(part, mapping))?.columns;
  if (!columns) return null;
  const about = part.saved?.about[mapping.resource];
  const before = part.saved?.mappings.find((one) => one.resource === mapping.resource)?.fields[name];
  const bound = before?.column === wanted ? about?.columns[name] : undefined;
  const same = (one) => one.name.toLowerCase() === wanted.toLowerCase();
  return columns.find((one) => one.name === bound) ?? columns.find(same) ?? columns.find((one) => one.label === wanted) ?? null;
}

/** What a table is called in Grist now. */
export function currentTable(part, mapping) {
  const before = part.saved?.mappings.find((one) => one.resource === mapping.resource);
  return before?.table === mapping.table ? part.saved.about[mapping.resource].table : mapping.table;
}

/**
 * How a field stands in its table: "ok", "new" (its column is made by the next sync), "formula", or what is wrong:
 * "gone", "blank", "type".
 */
export function standing(part, mapping, name) {
  const field = fieldOf(part, mapping.resource, name);
  const column = columnOf(part, mapping, name);
  if (column === null) {
    const known = part.saved?.about[mapping.resource]?.columns[name];
    const same = part.saved?.mappings.find((one) => one.resource === mapping.resource)?.fields[name]?.column === mapping.fields[name].column;
    return known && same && tableOf(part, currentTable(part, mapping)) ? "gone" : "new";
  }
  if (column.blank) return "blank";
  if (!field) return "ok";
  if (!fits(part, field, column)) return "type";
  return column.formula ? "formula" : "ok";
}

const REFERENCES = ["ref", "refs"];

/** Whether a column can hold a field's values, or as a formula feed them. */
export function fits(part, field, column) {
  const types = part.tables?.fits[field.kind];
  const [pure, target] = column.type.split(":");
  if (!types || column.blank) return false;
  if (column.formula && !field.writable && !field.on_create) return false;
  if (!(column.formula ? types.formula : types.data).includes(pure)) return false;
  return !REFERENCES.includes(field.kind) || pure === "Any" || target === targetTable(part, field);
}

/** The type a column needs for a field, as Grist writes it. */
export function typeFor(part, field, timeZone) {
  const [first] = part.tables.fits[field.kind].data;
  if (REFERENCES.includes(field.kind)) return `${first}:${targetTable(part, field)}`;
  return field.kind === "datetime" ? `DateTime:${timeZone}` : first;
}

function targetTable(part, field) {
  const target = mappingOf(part, field.target);
  return target ? currentTable(part, target) : resourceOf(part, field.target)?.table;
}

/** The mappings with a column or table that cannot be used as it is. */
export function troubled(part) {
  return mappingsOf(part).filter((one) => Object.keys(one.fields).some((name) => ["gone", "blank", "type"].includes(standing(part, one, name))));
}

// ---- what is changed ----

/** How many things differ between the draft and what is saved. */
export function countChanges(part) {
  if (!part.draft || !part.saved) return 0;
  const before = new Map(part.saved.mappings.map((one) => [one.resource, one]));
  let n = 0;
  for (const one of part.draft) {
    const was = before.get(one.resource);
    before.delete(one.resource);
    if (!was) { n += 1; continue; }
    const names = new Set([...Object.keys(was.fields), ...Object.keys(one.fields)]);
    for (const name of names) if (isChangedField(was, one, name)) n += 1;
    for (const key of ["table", "filter", "only_where", "create", "delete"]) if (!sameJson(was[key], one[key])) n += 1;
  }
  return n + before.size;
}

/** Whether a cell of the screen is not saved yet: `key` is column, direction, on_conflict, or "" for the whole line. */
export function isUnsaved(part, mapping, name, key = "") {
  const was = part.draft && part.saved?.mappings.find((one) => one.resource === mapping.resource);
  if (!was) return false;
  if (!was.fields[name]) return true;
  return key ? was.fields[name][key] !== mapping.fields[name][key] : false;
}

function isChangedField(was, now, name) {
  return !sameJson(was.fields[name], now.fields[name]);
}

function sameJson(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The draft with one mapping changed; null again where that is what is saved. */
export function changed(part, resource, change) {
  const draft = mappingsOf(part).map((one) => (one.resource === resource ? change(one) : one));
  return part.saved && !part.picked && sameJson(draft, part.saved.mappings) ? null : draft;
}

export function withField(mapping, name, values) {
  const fields = { ...mapping.fields, [name]: { ...mapping.fields[name], ...values } };
  return { ...mapping, fields };
}

/** Without a field, and without the witnesses that rows can then no longer be matched by. */
export function withoutField(mapping, name) {
  const { [name]: _, ...fields } = mapping.fields;
  return { ...mapping, fields, match: mapping.match.filter((one) => !one.split("+").includes(name)) };
}

/** A new line for a field: into the column that suits it, else a new one called after it. */
export function newField(part, mapping, name) {
  const field = fieldOf(part, mapping.resource, name);
  const table = currentTable(part, mapping);
  const suggested = part.tables?.suggestions[mapping.resource]?.find((one) => one.table === table)?.fields[name];
  const taken = new Set(Object.values(mapping.fields).map((one) => one.column));
  const column = suggested && !taken.has(suggested) ? suggested : columnId(field?.label ?? name);
  const direction = field?.writable ? "both" : "to_grist";
  return { ...mapping, fields: { ...mapping.fields, [name]: { column, direction, on_conflict: field?.rule ?? "ask" } } };
}

/** The id that Grist gives a column with this label. */
export function columnId(label) {
  return label.replace(/[^\p{L}\p{N}_]+/gu, "_").replace(/^_+|_+$/g, "");
}

/** Fields that are not mapped yet, those whose words hold `text`. */
export function addable(part, mapping, text) {
  const needle = text.trim().toLowerCase();
  const taken = new Set(Object.keys(mapping.fields));
  return (resourceOf(part, mapping.resource)?.fields ?? []).filter((one) => !taken.has(one.name)
    && (!one.target || mappingOf(part, one.target) !== null)
    && (!needle || one.label.toLowerCase().includes(needle) || one.name.toLowerCase().includes(needle)));
}

// ---- filters ----

/** A Shopify search as the selects show it: {key, not, value}, {other: text}, or null for all rows. */
export function parseFilter(text, filters) {
  if (!text) return null;
  const found = /^(-?)([a-z_]+):(?:"([^"]*)"|([^\s"()]+))$/.exec(text.trim());
  const known = found && filters.find((one) => one.key === found[2]);
  return known ? { key: known.key, not: found[1] === "-", value: found[3] ?? found[4] } : { other: text };
}

export function filterText({ key, not, value }) {
  const plain = /^[\w.@-]+$/.test(value);
  return value === "" ? "" : `${not ? "-" : ""}${key}:${plain ? value : `"${value.replaceAll('"', "")}"`}`;
}

// ---- what a draft would do ----

/** {grist, shopify, asks}: cells and rows that the next sync would write. */
export function effectCounts(report) {
  const sum = (key) => report.mappings.reduce((total, one) => total + one[key], 0);
  return { grist: sum("to_grist"), shopify: sum("to_shopify"), asks: sum("conflicts"), deletes: sum("deleted") };
}

/** What names a draft with its answers, so that an answer about another one is not taken for it. */
export function draftKey(part) {
  return JSON.stringify([mappingsOf(part), decidedOf(part)]);
}

// ---- first run ----

/** What is chosen at first: what most shops keep in a sheet. */
export const USUAL = ["products", "variants", "inventory"];

/** The resources that a choice needs besides: stock says nothing without its variants. */
export function required(part, name) {
  const one = resourceOf(part, name);
  if (!one || one.searchable) return [];
  const witnesses = one.match.flatMap((witness) => witness.split("+"));
  const refs = one.fields.filter((field) => field.target && (witnesses.includes(field.name) || !one.match.length));
  return refs.slice(0, one.match.length ? undefined : 1).map((field) => field.target).filter((target) => target !== "locations");
}

/** The choice with one resource more or less: with what it needs, without what needs it. */
export function withPicked(part, name, on) {
  const picked = { ...part.picked };
  if (on) {
    for (const one of [name, ...required(part, name)]) picked[one] ??= bestTable(part, one, picked);
  } else {
    delete picked[name];
    for (const one of Object.keys(picked)) if (required(part, one).includes(name)) delete picked[one];
  }
  return picked;
}

/** The table that suits a resource best and is not taken; "" for a new one. */
export function bestTable(part, name, picked = {}) {
  const taken = new Set(Object.values(picked));
  return part.tables?.suggestions[name]?.find((one) => !taken.has(one.table))?.table ?? "";
}

/** The mappings that a choice means: the usual fields, in the columns that suit them. */
export function drafted(part) {
  const { defaults } = part.saved;
  const names = Object.keys(part.picked);
  return defaults.filter((one) => names.includes(one.resource)).map((one) => {
    const table = part.picked[one.resource] || freeName(part, one.table);
    const fitting = part.tables.suggestions[one.resource]?.find((each) => each.table === table)?.fields ?? {};
    const fields = {};
    const taken = new Set(Object.values(fitting));
    for (const [name, rule] of Object.entries({ ...one.fields, ...Object.fromEntries(Object.keys(fitting).filter((name) => !one.fields[name]).map((name) => [name, ruleFor(part, one.resource, name)])) })) {
      const field = fieldOf(part, one.resource, name);
      if (field?.target && field.target !== "locations" && !names.includes(field.target)) continue;
      const column = fitting[name] ?? (taken.has(rule.column) ? `${rule.column}_in_Shopify` : rule.column);
      fields[name] = { ...rule, column };
    }
    return { ...one, table, fields, match: one.match.filter((witness) => witness.split("+").every((name) => name in fields)) };
  });
}

function ruleFor(part, resource, name) {
  const field = fieldOf(part, resource, name);
  return { column: "", direction: field.writable ? "both" : "to_grist", on_conflict: field.rule };
}

/** A name for a new table that no table has yet. */
function freeName(part, name) {
  const taken = new Set((part.tables?.tables ?? []).map((one) => one.name.toLowerCase()));
  return taken.has(name.toLowerCase()) ? `Shopify_${name}` : name;
}

/** How many tables the first sync would make. */
export function newTables(part) {
  const there = new Set((part.tables?.tables ?? []).map((one) => one.name.toLowerCase()));
  return mappingsOf(part).filter((one) => !there.has(one.table.toLowerCase())).length;
}

// ---- pairs ----

/**
 * The lines of a question: each a row, a thing and what a press answers, `pairs` by row: {row, thing, alike, pairs}.
 * The last one keeps apart. Several rows and several things make a block for each row.
 */
export function choicesOf(one) {
  const [first] = one.rows;
  const apart = (rows) => Object.fromEntries(rows.map((row) => [row.row, null]));
  if (["emptied", "changed"].includes(one.kind)) {
    const now = one.things.map((thing) => ({ say: "now", row: null, thing, alike: [], pairs: { [first.row]: thing.thing } }));
    // Grist gives the number of a deleted row away again: what lost no ID may be new.
    const fresh = one.kind === "emptied" ? [{ say: "new", row: null, thing: null, alike: [], gone: true, pairs: { [first.row]: "new" } }] : [];
    return [{ say: "still", row: first, thing: one.of, alike: [], pairs: { [first.row]: one.of.thing } }, ...now, ...fresh, { say: "apart", pairs: apart([first]) }];
  }
  if (["copy", "stranger"].includes(one.kind)) {
    return [{ say: "new", row: first, thing: null, alike: [], fresh: true }, { say: "apart", pairs: apart([first]) }];
  }
  if (one.things.length === 0) return [...one.rows.map((row) => ({ say: "new", row, thing: null, alike: [], fresh: true, only: row.row })), { say: "apart", pairs: apart(one.rows) }];
  if (one.rows.length === 1) {
    const lines = one.things.map((thing, at) => ({ say: "this", row: at ? null : first, thing, alike: one.alike[0]?.[at] ?? [], pairs: { [first.row]: thing.thing } }));
    return [...lines, { say: "apart", pairs: apart(one.rows) }];
  }
  if (one.things.length === 1) {
    const [thing] = one.things;
    const lines = one.rows.map((row, at) => ({ say: "this", row, thing: at ? null : thing, alike: one.alike[at]?.[0] ?? [], pairs: { [row.row]: thing.thing } }));
    return [...lines, { say: "apart", pairs: apart(one.rows) }];
  }
  return [...one.rows.flatMap((row, at) => one.things.map((thing, other) => ({ say: "this", row: other ? null : row, thing, alike: one.alike[at]?.[other] ?? [], pairs: { [row.row]: thing.thing }, among: row.row }))),
    { say: "apart", pairs: apart(one.rows) }];
}

/** The answers to a preview's questions as the API takes them, with what each row looked like. */
export function decidedOf(part) {
  return Object.values(part.answers).filter((answer) => answer.question && !answer.fresh).flatMap(({ question, rows }) => question.rows.map(
    (row) => ({ resource: question.resource, row: row.row, thing: rows[row.row] ?? null, looks: row.looks })));
}
