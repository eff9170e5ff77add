// Changes: every value a sync wrote, with what was there before. A preview is the same list of what would be written.

import { html } from "../vendor/preact-htm.js";
import { diff } from "../diff.js";
import { isCursor, visibleChanges } from "../state.js";
import { Chip } from "./conflicts.js";
import { Button, Direction, Empty, Icon, Link, Rich, Select } from "./parts.js";
import { Value, change, words } from "./value.js";

const FIRST_LINES = 5;

export function Changes({ s, f, on }) {
  if (s.preview) return html`<${Preview} s=${s} f=${f} on=${on} />`;
  const { items, next } = s.lists.changes;
  if (items === null) return html`<div class="scroll" />`;
  if (!items.length) return html`<div class="scroll"><${Empty} words=${f.t("changes.empty")} /></div>`;
  const visible = visibleChanges(s, (item) => [item.title, item.field_label, words(item.type, item.before, f, s.now), words(item.type, item.after, f, s.now)].join(" "));
  const runs = [];
  for (const item of visible) {
    if (runs[runs.length - 1]?.run !== item.run) runs.push({ run: item.run, items: [] });
    runs[runs.length - 1].items.push(item);
  }
  const filtered = visible.length < items.length;
  return html`<${Tools} s=${s} f=${f} on=${on} items=${items} />
    <div class="scroll">${visible.length === 0
      ? html`<${Empty} words=${f.t("changes.empty_filter")}><${Link} onPress=${() => on.look({ table: null, field: null, to: null, text: "", row: false })}>${f.t("changes.show_all")}<//><//>`
      : html`<table class="table changes"><caption class="hidden">${f.t("changes.list")}</caption><${Head} f=${f} />
        ${runs.map((group, at) => html`<${Run} key=${group.run} group=${group} cut=${filtered || (next !== null && at === runs.length - 1)} s=${s} f=${f} on=${on} />`)}</table>`}
      ${next !== null && html`<p class="foot"><${Link} onPress=${on.moreChanges}>${f.t("changes.earlier")}<//></p>`}</div>`;
}

function Tools({ s, f, on, items }) {
  const { look } = s;
  const tables = [...new Map(items.map((item) => [item.resource, item.label]))];
  const fields = [...new Set(items.filter((item) => item.field_label && (look.table === null || item.resource === look.table)).map((item) => item.field_label))].sort();
  if (look.field && !fields.includes(look.field)) fields.push(look.field);
  const chip = items.find((item) => isCursor(item, s.cursor));
  return html`<div class="tools">
    <${Select} label=${f.t("changes.all_tables")} value=${look.table} options=${[["", f.t("changes.all_tables")], ...tables]} onChange=${(value) => on.look({ table: value || null, field: null })} />
    <${Select} className="mid" label=${f.t("changes.all_fields")} value=${look.field} options=${[["", f.t("changes.all_fields")], ...fields.map((one) => [one, one])]} onChange=${(value) => on.look({ field: value || null })} />
    <${Select} className="mid" label=${f.t("changes.both")} value=${look.to} options=${[["", f.t("changes.both")], ["shopify", `→ ${f.t("side.shopify")}`], ["grist", `← ${f.t("side.grist")}`]]} onChange=${(value) => on.look({ to: value || null })} />
    ${chip && html`<${Chip} words=${chip.title} on=${look.row} f=${f} onToggle=${(row) => on.look({ row })} />`}
    <span class="grow" /><label class="search"><${Icon} name="search" /><input type="search" aria-label=${f.t("changes.search")} placeholder=${f.t("changes.search")} value=${look.text} onInput=${(event) => on.look({ text: event.currentTarget.value })} /></label></div>`;
}

function Head({ f }) {
  return html`<thead><tr><th scope="col">${f.t("changes.row")}</th><th scope="col" class="name">${f.t("changes.field")}</th><th scope="col" class="to">${f.t("changes.to")}</th>
    <th scope="col">${f.t("changes.before")}<span class="slim">, ${f.t("changes.after")}</span></th><th scope="col" class="after">${f.t("changes.after")}</th></tr></thead>`;
}

function Run({ group, cut, s, f, on }) {
  const [first] = group.items;
  const at = Date.parse(first.at);
  const open = s.opened[`run${group.run}`];
  const shown = open ? group.items : group.items.slice(0, FIRST_LINES);
  const rest = group.items.length - FIRST_LINES;
  const when = f.isToday(at, s.now) ? f.t("changes.today", { clock: f.clock(at) }) : f.moment(at, s.now);
  return html`<tbody><tr class="group"><th scope="rowgroup" colSpan="4"><b data-tip=${f.exact(at)}>${when}</b> <span class="quiet">${first.by} · ${f.t(cut ? "changes.count_listed" : "changes.count", { n: group.items.length })}</span></th><td class="after" /></tr>
    ${shown.map((item) => html`<${Line} key=${item.id} item=${item} s=${s} f=${f} />`)}
    ${rest > 0 && html`<tr class="more"><td colSpan="4"><${Link} onPress=${() => on.open(`run${group.run}`)}>${open ? f.t("changes.fewer_here") : f.t("changes.more_here", { n: rest })}<//></td><td class="after" /></tr>`}</tbody>`;
}

function Line({ item, s, f }) {
  const wholeRow = item.kind !== "update";
  const field = item.field_label ?? f.t(item.kind === "create" ? "changes.new_row" : "changes.deleted_row");
  const before = item.kind === "create" && !item.field_label ? html`<i class="quiet">${f.t("value.no_row")}</i>` : html`<${Value} type=${item.type} value=${item.before} f=${f} now=${s.now} struck />`;
  const after = wholeRow && !item.field_label && item.after === null ? html`<i class="quiet">${f.t(item.kind === "create" ? "changes.created" : "changes.deleted")}</i>` : html`<${After} item=${item} f=${f} now=${s.now} />`;
  return html`<tr data-tip=${item.why || undefined}><th scope="row" data-cut>${item.title}</th><td class="name" data-cut>${field}</td>
    <td class="to"><${Direction} to=${item.to} f=${f} /></td><td data-cut>${before} <span class="slim">${after}</span></td><td class="after" data-cut>${after}</td></tr>`;
}

/** The value after, with its difference: "12 −2", "bag + summer". */
function After({ item, f, now }) {
  const as = { type: item.type, base: item.before, after: item.after, base_known: true };
  const found = item.kind === "update" ? diff(item.type, item.before, item.after) : null;
  if (found?.kind === "list") return html`<span class="tokens">${found.tokens.filter(({ mark }) => mark !== "removed").map(({ text, mark }) => (mark ? html`<ins class="token">+ ${text}</ins>` : html`<span class="token">${text}</span>`))}</span>`;
  const difference = item.kind === "update" && item.type !== "money" && item.type !== "boolean" ? change(as, "after", f) : "";
  return html`<${Value} type=${item.type} value=${item.after} f=${f} now=${now} />${difference && html` <small>${difference}</small>`}`;
}

function Preview({ s, f, on }) {
  const { plan, plan_total: total } = s.preview;
  const close = html`<${Button} onPress=${on.closePreview}>${f.t("preview.close")}<//>`;
  if (!total) return html`<div class="banner"><div class="words"><${Rich} words=${f.t("preview.none")} /></div>${close}</div><div class="scroll" />`;
  const sides = ["grist", "shopify"].map((side) => [side, plan.filter((op) => op.side === side).length]).filter(([, n]) => n > 0).map(([side, n]) => f.t(`preview.in_${side}`, { n }));
  // Counts per side are only true where the whole plan is here.
  const all = plan.length === total;
  const both = all ? (sides.length > 1 ? f.t("preview.and", { a: sides[0], b: sides[1] }) : sides[0]) : f.t("preview.total", { n: total });
  return html`<div class="banner"><${Icon} name="eye" /><div class="words"><${Rich} words=${f.t("preview.would", { both })} />${!all && html` ${f.t("preview.first", { n: plan.length })}`}</div>${close}</div>
    <div class="scroll"><table class="table changes"><caption class="hidden">${f.t("preview.list")}</caption><${Head} f=${f} /><tbody>
      ${plan.map((op) => html`<${Line} item=${{ ...op, to: op.side }} s=${s} f=${f} />`)}</tbody></table></div>`;
}
