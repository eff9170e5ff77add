// First run, steps 3 and 4: what to keep in agreement, into which tables; then each table's columns.

import { html, useEffect } from "../vendor/preact-htm.js";
import { mappingOf, mappingsOf, newTables, resourceOf, troubled } from "../draft.js";
import { Head } from "./mapping.js";
import { MappingTable, RowRules } from "./mapping-table.js";
import { Box, Button, Icon, Link, Select } from "./parts.js";

const NAMED = 3;
/** As people think of a shop; locations come by themselves with what stands there. */
const ORDER = ["products", "variants", "inventory", "collections", "orders", "order_lines", "draft_orders", "draft_order_lines", "customers"];

export function Resources({ s, f, on }) {
  const { mapping: part } = s;
  useEffect(() => { on.readSetup(); }, []);
  if (!part.resources || !part.picked || !part.tables) return html`<div class="scroll"><p class="intro quiet" role="status">${f.t("setup.reading")}</p></div>`;
  const place = (one) => (ORDER.indexOf(one.name) + 1) || ORDER.length + 1;
  const list = part.resources.resources.filter((one) => one.name !== "locations").sort((a, b) => place(a) - place(b));
  const metafields = list.reduce((n, one) => n + one.fields.filter((field) => field.metafield).length, 0);
  const picked = Object.keys(part.picked).length;
  const made = picked ? newTables(part) : 0;
  return html`<div class="scroll"><p class="intro">${f.t("setup.choose")}</p>
      <table class="table resources"><caption class="hidden">${f.t("first_run.resources")}</caption>
        <thead><tr><td class="boxes" /><th scope="col">${f.t("setup.resource")}</th><th scope="col" class="number">${f.t("setup.in_shopify")}</th><th scope="col" class="ways">${f.t("setup.both_ways")}</th><th scope="col" class="into">${f.t("setup.table")}</th></tr></thead>
        <tbody>${list.map((one) => html`<${Resource} key=${one.name} one=${one} s=${s} f=${f} on=${on} />`)}
          ${metafields > 0 && html`<tr><td class="boxes" /><th scope="row">${f.t("setup.metafields")}</th><td class="number">${f.number(metafields)}</td><td class="ways" data-cut>${f.t("setup.metafields_where")}</td><td class="into" /></tr>`}</tbody></table></div>
    <div class="footer"><span class="grow">${picked ? f.t("setup.creates", { n: made }) : f.t("setup.choose_one")}</span><span class="buttons">
      <${Button} look="filled" id="continue" busy=${s.pressed.step} off=${picked ? null : f.t("setup.choose_one")} onPress=${() => on.setupStep("tables")}>${f.t("first_run.continue")}<//>
      <${Button} onPress=${() => on.lookAtStep("store")}>${f.t("setup.back")}<//></span></div>`;
}

function Resource({ one, s, f, on }) {
  const { mapping: part } = s;
  const lacking = one.missing.filter((each) => each.blocks === "read").map((each) => each.scope);
  const isOn = one.name in part.picked;
  const words = one.both_ways.map((label) => (label[1] === label[1]?.toUpperCase() ? label : label.toLowerCase()));
  const more = words.length - NAMED;
  const ways = !words.length ? f.t("setup.only_read") : more > 1 ? f.t("setup.and_more", { names: words.slice(0, NAMED).join(", "), n: more }) : f.names(words);
  const suggestions = part.tables.suggestions[one.name] ?? [];
  const taken = new Set(Object.entries(part.picked).filter(([name]) => name !== one.name).map(([, table]) => table));
  const create = part.saved.defaults.find((each) => each.resource === one.name)?.table ?? one.table;
  const options = [["", f.t("setup.create", { table: one.label })], ...suggestions.filter((each) => !taken.has(each.table)).map((each) => [each.table, f.t("setup.fit", { table: each.table, n: each.n })])];
  const others = part.tables.tables.filter((each) => !suggestions.some((suggested) => suggested.table === each.name) && !taken.has(each.name)).map((each) => [each.name, each.name]);
  if (lacking.length) return html`<tr class="off"><td class="boxes"><${Icon} name="lock" /></td><th scope="row" class="quiet">${one.label}</th><td class="number" />
    <td class="ways" data-cut><${Icon} name="triangle" tone="bad" /> ${f.t("setup.needs", { scope: f.names(lacking) })}</td><td class="into"><${Link} onPress=${() => on.lookAtStep("store")}>${f.t("setup.how")}<//></td></tr>`;
  const written = one.missing.length > 0;
  return html`<tr><td class="boxes"><${Box} on=${isOn} label=${one.label} onToggle=${(to) => on.pick(one.name, to)} /></td>
    <th scope="row" data-cut>${one.label}</th><td class="number">${one.count ? f.number(one.count.n) : part.resources.looking || !part.resources.looked_at ? html`<span class="quiet">…</span>` : ""}</td>
    <td class="ways" data-cut>${written ? html`<${Icon} name="triangle" tone="bad" /> ${f.t("setup.needs_to_write", { scope: f.names(one.missing.map((each) => each.scope)) })}` : ways}</td>
    <td class="into">${isOn && html`<span class="flat"><select aria-label=${f.t("setup.table_of", { what: one.label })} data-table=${create} onChange=${(event) => on.pickTable(one.name, event.target.value)}>
      ${[...options, ...others].map(([value, label]) => html`<option value=${value} selected=${value === part.picked[one.name]}>${label}</option>`)}</select><${Icon} name="chevron" tone="small" /></span>`}</td></tr>`;
}

export function TablesStep({ s, f, on }) {
  const { mapping: part } = s;
  useEffect(() => { if (!part.picked) on.readSetup(); }, []);
  if (!part.resources || !part.picked || !part.tables) return html`<div class="scroll"><p class="intro quiet" role="status">${f.t("setup.reading")}</p></div>`;
  const list = mappingsOf(part);
  const one = mappingOf(part, part.chosen) ?? list[0];
  if (!one) return html`<div class="scroll"><p class="intro">${f.t("setup.choose_one")}</p></div>`;
  const wrong = troubled(part).length;
  return html`<${Head} one=${one} list=${list} s=${s} f=${f} on=${on} />
    <div class="scroll mapping"><${MappingTable} one=${one} may=${true} s=${s} f=${f} on=${on} /><${RowRules} one=${one} may=${true} s=${s} f=${f} on=${on} /></div>
    <div class="footer"><span class="grow">${f.t("setup.looks_right", { n: list.length - wrong, total: list.length })}</span><span class="buttons">
      <${Button} look="filled" id="continue" busy=${s.pressed.step} onPress=${() => on.setupStep("preview")}>${f.t("first_run.continue")}<//>
      <${Button} onPress=${() => on.lookAtStep("resources")}>${f.t("setup.back")}<//></span></div>`;
}

/** Whether a table that is chosen holds people's data. */
export function holdsPeople(part) {
  return mappingsOf(part).map((one) => resourceOf(part, one.resource)).filter((one) => ["customers", "orders", "draft_orders"].includes(one?.name));
}
