// Deletions: what is gone on one side waits here for an answer. Nothing is deleted or made again with one press.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { maySync } from "../state.js";
import { MoreLine } from "./more-line.js";
import { Box, Button, Empty, Icon, Link, Rich, Select } from "./parts.js";

const NAMED = 3;
const WORDS = { go: "go", wait: "wait_along", lose: "lose" };

export function Deletions({ s, f, on }) {
  const { items, total } = s.lists.deletions;
  const list = useRef(null);
  const asked = useRef(false);
  // After the answer the focus goes to the list, not to nowhere.
  useLayoutEffect(() => {
    if (asked.current && !s.confirm) list.current?.focus();
    asked.current = s.confirm !== null;
  });
  if (items === null) return html`<div class="scroll" />`;
  if (!items.length) return html`<div class="scroll"><${Empty} words=${f.t("deletions.empty")} /></div>`;
  const may = maySync(s);
  const shown = items.filter((item) => s.beside.table === null || item.resource === s.beside.table);
  return html`<${Tools} items=${items} shown=${shown} total=${total} may=${may} s=${s} f=${f} on=${on} />
    <div class="scroll" ref=${list} tabIndex="-1">${!shown.length ? html`<${Empty} words=${f.t("deletions.empty_filter")}><${Link} onPress=${() => on.filterDeletions(null)}>${f.t("deletions.show_all", { n: total })}<//><//>`
      : html`<table class="table deletions"><caption class="hidden">${f.t("deletions.list")}</caption>
      <thead><tr><td class="boxes" /><th scope="col">${f.t("deletions.row")}</th><th scope="col" class="noticed">${f.t("deletions.noticed")}</th><th scope="col">${f.t("deletions.if")}</th></tr></thead>
      ${["grist", "shopify"].map((side) => html`<${Group} side=${side} items=${shown.filter((item) => item.in === side)} may=${may} s=${s} f=${f} on=${on} />`)}</table>`}
    <${MoreLine} name="deletions" total=${total} s=${s} f=${f} on=${on} /></div>
    ${may && (s.confirm ? html`<${Question} items=${items} s=${s} f=${f} on=${on} />` : html`<${Footer} items=${items} total=${total} s=${s} f=${f} on=${on} />`)}`;
}

function Tools({ items, shown, total, may, s, f, on }) {
  const tables = [...new Map(items.map((item) => [item.resource, item.label]))];
  const chosen = shown.filter((item) => s.chosenDeletions.includes(item.id)).length;
  const all = chosen === shown.length;
  return html`<div class="tools">${may && shown.length > 0 && html`<${Box} label=${f.t("deletions.select_all")} on=${all} some=${chosen > 0} onToggle=${() => on.chooseDeletions(all ? [] : shown.map((item) => item.id))} />`}
    <span class="grow" data-cut>${f.t("deletions.wait", { n: total })}</span>
    ${(tables.length > 1 || s.beside.table !== null) && html`<${Select} label=${f.t("conflicts.all_tables")} value=${s.beside.table} options=${[["", f.t("conflicts.all_tables")], ...tables]} onChange=${(value) => on.filterDeletions(value || null)} />`}</div>`;
}

function Group({ side, items, may, s, f, on }) {
  if (!items.length) return null;
  return html`<tbody><tr class="group"><th scope="rowgroup" colSpan="3"><${Icon} name=${side === "grist" ? "left" : "right"} /><b>${f.t(`deletions.${side}_group`)}</b></th><td class="noticed" /></tr>
    ${items.map((item) => {
      const chosen = s.chosenDeletions.includes(item.id);
      const toggle = () => on.chooseDeletions(chosen ? s.chosenDeletions.filter((id) => id !== item.id) : [...s.chosenDeletions, item.id]);
      const at = Date.parse(item.seen_at);
      const place = item.row === null ? f.t("place.table", { table: item.label }) : f.t("place.row", { table: item.label, row: item.row });
      return html`<tr key=${item.id} class="two"><td class="boxes">${may && html`<${Box} on=${chosen} label=${f.t("deletions.select", { title: f.called(item) })} onToggle=${toggle} />`}</td>
        <th scope="row"><span data-cut>${f.called(item)}</span><small>${[item.sku, item.title && place].filter(Boolean).join(" · ")}</small></th>
        <td class="noticed"><span data-tip=${f.exact(at)}>${f.isToday(at, s.now) ? f.t("changes.today", { clock: f.clock(at) }) : f.moment(at, s.now)}</span></td>
        <td>${consequences(item, s.beside.along[item.id], f)}</td></tr>`;
    })}</tbody>`;
}

/** What goes along, what loses its reference, and whether it can come back: true numbers, or none. */
function consequences(item, along, f) {
  const said = along ? [
    ...["go", "wait", "lose"].filter((what) => along[what].length).map((what) => f.t(`deletions.${WORDS[what]}`, { n: along[what].reduce((sum, one) => sum + one.n, 0), what: countedIn(along[what], f) })),
    ...(along.stock ? [f.t("deletions.stock", { n: along.stock.n, places: f.names(along.stock.places) })] : []),
  ] : [];
  if (along && !said.length) said.push(f.t("deletions.nothing_points"));
  return [...said, ...(item.in === "shopify" ? [f.t("deletions.anew")] : along ? [] : [f.t("deletions.leaves", { table: item.label })])].join(" ");
}

/** "2 variants and 5 order lines" */
function countedIn(counts, f) {
  return f.names(counts.map(({ resource, n }) => f.t(`counted.${resource}`, { n })));
}

/** Back to where it was deleted: only where all chosen ones can be made there again. */
const mayPutBack = (chosen) => chosen.length > 0 && chosen.every((item) => item.may_put_back);

function Footer({ items, total, s, f, on }) {
  const chosen = items.filter((item) => s.chosenDeletions.includes(item.id));
  const sides = new Set(chosen.map((item) => item.in));
  const n = chosen.length;
  const side = chosen[0]?.in;
  const none = n ? null : f.t("deletions.none_chosen");
  const one = none ?? (sides.size > 1 ? f.t("deletions.one_direction") : null);
  const ask = (kind) => on.confirm({ kind, side, ids: chosen.map((item) => item.id) });
  return html`<div class="footer many"><span class="grow">${f.t("deletions.chosen", { n, total })}</span><span class="buttons">
    <${Button} off=${one} onPress=${() => ask("approve")}>${!n ? f.t("deletions.delete_none") : sides.size > 1 ? f.t("deletions.one_direction") : f.t(`deletions.delete_${side}`, { n })}<//>
    ${mayPutBack(chosen) && html`<${Button} off=${one} onPress=${() => ask("put_back")}>${f.t(sides.size > 1 ? "deletions.put_back" : `deletions.put_back_${side}`)}<//>`}
    <${Button} off=${none} busy=${s.pressed.keep} onPress=${() => on.keepRows(chosen.map((item) => item.id))}>${f.t("deletions.keep")}<//></span></div>`;
}

function Question({ items, s, f, on }) {
  const box = useRef(null);
  useLayoutEffect(() => box.current.querySelector("#cancel-delete").focus(), []);
  const { kind, side, ids } = s.confirm;
  const rows = items.filter((item) => ids.includes(item.id));
  const n = rows.length;
  const names = rows.slice(0, n > NAMED + 1 ? NAMED : n).map((item) => {
    const { go = [], back = [] } = s.beside.along[item.id] ?? {};
    const what = kind === "approve" ? go : back;
    return what.length ? f.t("deletions.with", { title: f.called(item), what: countedIn(what, f) }) : f.called(item);
  });
  if (names.length < n) names.push(f.t("deletions.and_more", { n: n - names.length }));
  const close = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.confirm(null);
  };
  const back = kind === "put_back";
  const yes = back ? html`<${Button} look="filled" id="yes-put-back" busy=${s.pressed.put_back} onPress=${() => on.putBack(ids)}>${f.t("deletions.yes_back", { n })}<//>`
    : html`<${Button} look="red" busy=${s.pressed.approve} onPress=${() => on.approve(ids)}>${f.t("deletions.yes", { n })}<//>`;
  return html`<div class="footer question yellow" role="group" aria-labelledby="delete-question" ref=${box} onKeyDown=${close}><${Icon} name=${back ? "undo" : "triangle"} />
    <span class="grow" id="delete-question"><${Rich} words=${f.t(`deletions.${back ? "ask_back" : "ask"}_${side}`, { n, names: f.names(names) })} /></span>
    <span class="buttons">${yes}<${Button} id="cancel-delete" onPress=${() => on.confirm(null)}>${f.t("deletions.cancel")}<//></span></div>`;
}
