// One mapping: a line a field (Grist column, arrow, Shopify field, what decides), what is wrong with a line below it,
// and the form of what becomes of rows. The Mapping tab and step 4 of the first run show the same.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { addable, columnId, columnOf, currentTable, fieldOf, filterText, fits, isUnsaved, parseFilter, resourceOf, standing, tableOf } from "../draft.js";
import { FormRow } from "./form.js";
import { Button, Icon, Link, Menu, Select } from "./parts.js";

const ARROWS = { both: "both", to_shopify: "right", to_grist: "left" };
const LISTED = 60;

export function MappingTable({ one, may, s, f, on }) {
  const names = Object.keys(one.fields);
  return html`<table class="table fields"><caption class="hidden">${f.t("mapping.fields")}</caption>
    <thead><tr><th scope="col"><span class="wide">${f.t("mapping.column")}</span><span class="narrow">${f.t("side.grist")}</span></th><th scope="col" class="way"><span class="hidden">${f.t("mapping.way")}</span></th>
      <th scope="col" class="field-of"><span class="wide">${f.t("mapping.field")}</span><span class="narrow">${f.t("side.shopify")}</span></th><th scope="col" class="rule">${f.t("mapping.rule")}</th></tr></thead>
    <tbody>${names.map((name) => html`<${Line} key=${name} name=${name} one=${one} may=${may} s=${s} f=${f} on=${on} />`)}</tbody></table>
    ${may && html`<${AddField} one=${one} s=${s} f=${f} on=${on} />`}`;
}

function Line({ name, one, may, s, f, on }) {
  const { mapping: part } = s;
  const field = fieldOf(part, one.resource, name);
  const rule = one.fields[name];
  const how = standing(part, one, name);
  const column = columnOf(part, one, name);
  const label = field?.label ?? name;
  const unsaved = (key) => (isUnsaved(part, one, name, key) ? "chosen" : "");
  const whole = isUnsaved(part, one, name) ? "chosen" : "";
  const writable = Boolean(field?.writable);
  const computed = column?.formula && how === "formula";
  const mine = part.problem?.details?.path?.includes(name) ? part.problem : null;
  const type = column ? typeWord(column, f) : how === "gone" ? null : f.t("mapping.new_column");
  const ruled = html`<${Rule} field=${field} rule=${rule} computed=${computed} may=${may} label=${label} f=${f} onChange=${(value) => on.mapField(one.resource, name, { on_conflict: value })} />`;
  return html`<tr id=${`line-${one.resource}-${name}`} class=${whole}>
      <th scope="row" class=${unsaved("column")}><${Column} name=${name} one=${one} field=${field} column=${column} computed=${computed} type=${type} may=${may} s=${s} f=${f} on=${on} /></th>
      <td class=${`way ${unsaved("direction")}`}><${Way} name=${name} one=${one} writable=${writable} computed=${computed} may=${may} s=${s} f=${f} on=${on} label=${label} /></td>
      <td class="field-of"><span data-cut>${field?.metafield ? f.t("mapping.metafield", { label }) : label}</span><div class=${`under-field ${unsaved("on_conflict")}`}>${ruled}</div></td>
      <td class=${`rule ${unsaved("on_conflict")}`}>${ruled}</td></tr>
    ${["type", "blank", "gone"].includes(how) && html`<tr class="below"><td colSpan="4"><${Wrong} how=${how} name=${name} one=${one} field=${field} column=${column} may=${may} s=${s} f=${f} on=${on} /></td></tr>`}
    ${mine && html`<tr class="below"><td colSpan="4"><div class="wrong" role="alert"><${Icon} name="triangle" tone="bad" /><span>${mine.message} ${mine.cure}</span></div></td></tr>`}`;
}

function typeWord(column, f) {
  const [pure] = column.type.split(":");
  return f.t(`mapping.type.${pure}`) ;
}

/** What a column that is still to be made is called: Grist shows the label, not the id made from it. */
function newName(field, column) {
  return field && columnId(field.label) === column ? field.label : column;
}

/** The Grist column; a press lists those that fit. */
function Column({ name, one, field, column, computed, type, may, s, f, on }) {
  const { mapping: part } = s;
  const words = html`${computed && html`<${Icon} name="fx" tone="fx" />`}<span class="column-name">${column?.label ?? newName(field, one.fields[name].column)}</span> ${type && html`<small>${type}</small>`}`;
  if (!may) return html`<span data-cut>${words}</span>`;
  const id = `column-${one.resource}-${name}`;
  const columns = tableOf(part, currentTable(part, one))?.columns ?? [];
  const taken = new Set(Object.entries(one.fields).filter(([other]) => other !== name).map(([, rule]) => rule.column));
  const fitting = columns.filter((each) => !taken.has(each.name) && (!field || fits(part, field, each)));
  const fresh = columnId(field?.label ?? name);
  const choose = (to) => on.mapField(one.resource, name, { column: to });
  const items = [
    ...fitting.map((each) => ({ words: `${each.label}${each === column ? " ✓" : ""}`, onPress: () => choose(each.name) })),
    ...(fitting.length ? [null] : []),
    ...(columns.some((each) => each.name.toLowerCase() === fresh.toLowerCase()) ? [] : [{ words: f.t("mapping.make_column", { name: field?.label ?? name }), onPress: () => choose(fresh) }]),
    { words: f.t("mapping.remove"), onPress: () => on.dropField(one.resource, name) },
  ];
  return html`<button type="button" id=${id} class="cell-button" data-cut aria-haspopup="menu" aria-expanded=${String(s.menu === id)} onClick=${() => on.menu(id)}>${words}</button>
    ${s.menu === id && html`<${Menu} items=${items} opener=${() => document.getElementById(id)} onClose=${() => on.menu(null)} />`}`;
}

/** The arrow: left is Grist, right is Shopify. */
function Way({ name, one, writable, computed, may, s, f, on, label }) {
  const direction = computed ? "to_shopify" : one.fields[name].direction;
  const word = f.t(`mapping.way_${direction}`);
  const icon = html`<${Icon} name=${ARROWS[direction]} />`;
  if (!may || !writable || computed) return html`<span class="arrow" title="">${icon}<span class="hidden">${word}</span></span>`;
  const id = `way-${one.resource}-${name}`;
  const items = [
    ...["both", "to_shopify", "to_grist"].map((to) => ({ words: f.t(`mapping.way_${to}`), onPress: () => on.mapField(one.resource, name, { direction: to }) })),
    null, { words: f.t("mapping.not_synced"), onPress: () => on.dropField(one.resource, name) },
  ];
  return html`<button type="button" id=${id} class="cell-button arrow" aria-label=${f.t("mapping.way_of", { field: label, way: word })} data-tip=${word} aria-haspopup="menu" aria-expanded=${String(s.menu === id)} onClick=${() => on.menu(id)}>${icon}<${Icon} name="chevron" tone="small" /></button>
    ${s.menu === id && html`<${Menu} items=${items} opener=${() => document.getElementById(id)} onClose=${() => on.menu(null)} />`}`;
}

/** What decides where both sides changed; where only one side is written, a sentence. */
function Rule({ field, rule, computed, may, label, f, onChange }) {
  if (computed) return html`<span class="quiet" data-cut>${f.t("mapping.only_sent")}</span>`;
  if (!field?.writable) return html`<span class="quiet" data-cut>${f.t(field?.on_create ? "mapping.on_create" : "mapping.only_read")}</span>`;
  if (rule.direction !== "both") return html`<span class="quiet" data-cut>${f.t(`mapping.decides_${rule.direction}`)}</span>`;
  if (!may) return html`<span data-cut>${f.t(`mapping.rule_${rule.on_conflict}`)}</span>`;
  return html`<span class="flat"><select aria-label=${f.t("mapping.rule_of", { field: label })} onChange=${(event) => onChange(event.target.value)}>
    ${field.rules.map((one) => html`<option value=${one} selected=${one === rule.on_conflict}>${f.t(`mapping.rule_${one}`)}</option>`)}</select><${Icon} name="chevron" tone="small" /></span>`;
}

/** "Column Cost holds text, but a Shopify cost is a number. **Change Cost to Numeric** or map another column." */
function Wrong({ how, name, one, field, column, may, s, f, on }) {
  const label = field?.label ?? name;
  const table = currentTable(s.mapping, one);
  if (how === "gone") return html`<div class="wrong"><${Icon} name="triangle" tone="bad" /><span>${f.t("mapping.gone", { column: one.fields[name].column })}${may && html` ${f.t("mapping.map_another")} <${Link} onPress=${() => on.dropField(one.resource, name)}>${f.t("mapping.remove_line")}<//>.`}</span></div>`;
  const holds = how === "blank" ? f.t("mapping.is_blank", { column: column.label }) : f.t("mapping.misfit", {
    column: column.label, holds: f.t(`mapping.holds.${column.type.split(":")[0]}`), field: label[1] && label[1] === label[1].toUpperCase() ? label : label.slice(0, 1).toLowerCase() + label.slice(1), is_a: f.t(`mapping.is_a.${field.kind}`) });
  const [wanted] = s.mapping.tables.fits[field.kind].data;
  return html`<div class="wrong"><${Icon} name="triangle" tone="bad" /><span>${holds} ${may && !column.formula
    ? html`<${Link} onPress=${() => on.cureColumn(table, column, field)}>${f.t("mapping.cure", { column: column.label, type: f.t(`mapping.type.${wanted}`) })}<//> ${f.t("mapping.or_another")}` : f.t("mapping.another")}</span></div>`;
}

/** A line that opens a searchable list of what is not mapped yet. */
function AddField({ one, s, f, on }) {
  const { mapping: part } = s;
  const box = useRef(null);
  const isOpen = part.adding !== null;
  useEffect(() => { if (isOpen) box.current?.querySelector("input").focus(); }, [isOpen]);
  if (!isOpen) return html`<div class="add"><button type="button" id="add-field" class="link" onClick=${() => on.adding("")}><${Icon} name="plus" />${f.t("mapping.add")}</button></div>`;
  const found = addable(part, one, part.adding);
  const text = part.adding.trim();
  const isPath = /^[a-zA-Z][\w.[\]]*$/.test(text) && !found.some((each) => each.name === text) && !(text in one.fields);
  const close = () => { on.adding(null); setTimeout(() => document.getElementById("add-field")?.focus()); };
  const keys = (event) => {
    const buttons = [...box.current.querySelectorAll("[role=option]")];
    const at = buttons.indexOf(document.activeElement);
    if (event.key === "Escape") { event.stopPropagation(); close(); return; }
    const to = { ArrowDown: Math.min(at + 1, buttons.length - 1), ArrowUp: at - 1 }[event.key];
    if (to === undefined) {
      if (event.key === "Enter" && at < 0) { event.preventDefault(); buttons[0]?.click(); }
      return;
    }
    event.preventDefault();
    if (to < 0) box.current.querySelector("input").focus();
    else buttons[to]?.focus();
  };
  const option = (name, words, small) => html`<button type="button" role="option" aria-selected="false" key=${name} tabIndex="-1" onClick=${() => on.addField(one.resource, name)}><span data-cut>${words}</span><small>${small}</small></button>`;
  return html`<div class="adder" ref=${box} onKeyDown=${keys}><span class="search"><${Icon} name="search" /><input type="text" role="combobox" aria-expanded="true" aria-controls="addable" aria-label=${f.t("mapping.find")} placeholder=${f.t("mapping.find")} value=${part.adding}
      onInput=${(event) => on.adding(event.target.value)} /></span><${Button} look="icon" label=${f.t("mapping.close")} onPress=${close}><${Icon} name="cross" /><//>
    <div id="addable" class="options" role="listbox" aria-label=${f.t("mapping.addable")}>
      ${found.slice(0, LISTED).map((each) => option(each.name, each.metafield ? f.t("mapping.metafield", { label: each.label }) : each.label, f.t(each.writable ? "mapping.both_ways" : "mapping.only_read")))}
      ${isPath && option(text, f.t("mapping.other_path_of", { path: text }), f.t("mapping.checked"))}
      ${!found.length && !isPath && html`<p class="quiet">${f.t("mapping.nothing_found")}</p>`}</div>
    <p class="hint quiet">${f.t("mapping.other_path")}</p></div>`;
}

// ---- rows ----

const DELETES = {
  ask: { in_grist: "propose", in_shopify: "propose" }, both: { in_grist: "apply", in_shopify: "apply" }, grist: { in_grist: "apply", in_shopify: "propose" },
  shopify: { in_grist: "propose", in_shopify: "apply" }, keep: { in_grist: "ignore", in_shopify: "ignore" },
  archive: { in_grist: "propose", in_shopify: "archive" },
};

export function RowRules({ one, may, s, f, on }) {
  const { mapping: part } = s;
  const resource = resourceOf(part, one.resource);
  if (!resource) return null;
  const set = (values) => on.mapSettings(one.resource, values);
  const deletes = Object.entries(DELETES).find(([, policy]) => policy.in_grist === one.delete.in_grist && policy.in_shopify === one.delete.in_shopify)?.[0] ?? "other";
  const select = (id, label, value, options, onChange) => (may ? html`<${Select} label=${label} value=${value} options=${options} onChange=${onChange} />` : html`<span class="fixed">${options.find(([each]) => each === value)?.[1]}</span>`);
  const toggles = (tableOf(part, currentTable(part, one))?.columns ?? []).filter((each) => each.type === "Bool").map((each) => [each.name, f.t("mapping.where", { column: each.label })]);
  const isNamed = one.only_where && !toggles.some(([name]) => name === one.only_where);
  const product = one.resource === "products";
  return html`<div class="form rows">
    <${FormRow} id="rows" label=${f.t("mapping.rows")} group><${Filter} one=${one} resource=${resource} may=${may} s=${s} f=${f} set=${set} /><//>
    ${(toggles.length > 0 || one.only_where) && html`<${FormRow} id="toggle" label=${f.t("mapping.in_grist")} group>${select("toggle", f.t("mapping.in_grist"), one.only_where, [["", f.t("mapping.all_rows")], ...toggles, ...(isNamed ? [[one.only_where, f.t("mapping.where", { column: one.only_where })]] : [])], (only_where) => set({ only_where }))}<//>`}
    <${FormRow} id="new-row" label=${f.t("mapping.new_row")} group>${resource.creatable
      ? select("new-row", f.t("mapping.new_row"), String(one.create.in_shopify), [["false", f.t("mapping.not_created")], ["true", f.t(product ? "mapping.create_draft" : "mapping.create")]], (value) => set({ create: { ...one.create, in_shopify: value === "true" } }))
      : html`<span class="fixed quiet">${f.t("mapping.never_created")}</span>`}<//>
    <${FormRow} id="new-thing" label=${f.t("mapping.new_thing")} group>${select("new-thing", f.t("mapping.new_thing"), String(one.create.in_grist), [["true", f.t("mapping.create_row")], ["false", f.t("mapping.leave")]], (value) => set({ create: { ...one.create, in_grist: value === "true" } }))}<//>
    <${FormRow} id="deleted" label=${f.t("mapping.deleted")} group>${select("deleted", f.t("mapping.deleted"), deletes, [...Object.keys(DELETES).filter((key) => (key === "archive" ? resource.archivable || deletes === key : resource.deletable || !["both", "shopify"].includes(key))), ...(deletes === "other" || (!resource.deletable && ["both", "shopify"].includes(deletes)) ? [deletes] : [])].map((key) => [key, f.t(`mapping.deletes_${key}`)]), (key) => DELETES[key] && set({ delete: DELETES[key] }))}<//></div>`;
}

/** Which things take part: all, those of a status, or whatever Shopify's search finds; with how many that are. */
function Filter({ one, resource, may, s, f, set }) {
  const [kind, setKind] = useState(null);
  useEffect(() => setKind(null), [one.resource]);
  const { mapping: part } = s;
  const parsed = parseFilter(one.filter, resource.filters);
  const known = parsed?.key ? resource.filters.find((each) => each.key === parsed.key) : null;
  const entry = part.effect?.report?.pairing?.find((each) => each.resource === one.resource);
  const all = resource.count;
  const counted = one.filter ? (part.effect?.stale ? null : entry?.things) : all?.n;
  const words = counted !== undefined && counted !== null ? (one.filter && all ? f.t("mapping.rows_of", { n: counted, total: all.n }) : f.t("mapping.rows_n", { n: counted })) : one.filter && part.effect?.stale ? f.t("mapping.counting") : "";
  if (!may) return html`<span class="fixed">${one.filter || f.t("mapping.all_rows")}</span> <span class="fixed">${words}</span>`;
  if (!resource.searchable) return html`<span class="fixed quiet">${f.t("mapping.all_rows")}</span> <span class="fixed">${words}</span>`;
  const shown = kind ?? known?.key ?? (parsed ? "other" : "");
  const each = resource.filters.find((other) => other.key === shown) ?? null;
  const first = (key) => {
    setKind(key);
    const now = resource.filters.find((other) => other.key === key);
    if (now?.choices.length) set({ filter: filterText({ key, not: true, value: now.choices[now.choices.length - 1].toLowerCase() }) });
    else if (key === "") set({ filter: "" });
  };
  const held = known && each && known.key === each.key ? parsed : { key: shown, not: false, value: "" };
  const choice = each?.choices.find((other) => other.toLowerCase() === held.value.toLowerCase());
  return html`<div class="filter"><${Select} label=${f.t("mapping.rows")} value=${shown} onChange=${first}
      options=${[["", f.t("mapping.all_rows")], ...resource.filters.map((other) => [other.key, other.label]), ["other", f.t("mapping.search")]]} />
    ${each && html`<${Select} label=${f.t("mapping.is_or_not")} value=${held.not ? "not" : "is"} options=${[["is", f.t("mapping.is")], ["not", f.t("mapping.is_not")]]} onChange=${(to) => set({ filter: filterText({ ...held, not: to === "not" }) })} />
      ${each.choices.length ? html`<${Select} label=${each.label} value=${choice ?? ""} options=${each.choices.map((other) => [other, other])} onChange=${(value) => set({ filter: filterText({ ...held, value: value.toLowerCase() }) })} />`
        : html`<span class="typed"><input aria-label=${each.label} value=${held.value} onChange=${(event) => set({ filter: filterText({ ...held, value: event.target.value.trim() }) })} /></span>`}`}
    ${shown === "other" && html`<span class="typed long"><input aria-label=${f.t("mapping.search")} placeholder="tag:sale" value=${parsed?.other ?? one.filter} onChange=${(event) => set({ filter: event.target.value.trim() })} /></span>`}
    <span class="fixed">${words}</span></div>`;
}
