// Deletions: what is gone on one side waits here for a yes. Nothing is deleted with one press.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { maySync } from "../state.js";
import { Box, Button, Empty, Icon, Rich } from "./parts.js";

const NAMED = 3;

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
  return html`<div class="tools"><span class="grow" data-cut>${f.t("deletions.wait", { n: total })}</span></div>
    <div class="scroll" ref=${list} tabIndex="-1"><table class="table deletions"><caption class="hidden">${f.t("deletions.list")}</caption>
      <thead><tr><td class="boxes" /><th scope="col">${f.t("deletions.row")}</th><th scope="col" class="noticed">${f.t("deletions.noticed")}</th><th scope="col">${f.t("deletions.if")}</th></tr></thead>
      ${["grist", "shopify"].map((side) => html`<${Group} side=${side} items=${items.filter((item) => item.in === side)} may=${may} s=${s} f=${f} on=${on} />`)}</table>
      ${total > items.length && html`<p class="foot">${f.t("deletions.only_first", { n: items.length, total })}</p>`}</div>
    ${may && (s.confirm?.kind === "approve" ? html`<${Question} items=${items} s=${s} f=${f} on=${on} />` : html`<${Footer} items=${items} total=${total} s=${s} f=${f} on=${on} />`)}`;
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
        <th scope="row"><span data-cut>${f.called(item)}</span><small>${item.title ? place : ""}</small></th>
        <td class="noticed"><span data-tip=${f.exact(at)}>${f.isToday(at, s.now) ? f.t("changes.today", { clock: f.clock(at) }) : f.moment(at, s.now)}</span></td>
        <td>${f.t(`deletions.if_${side}`, { table: item.label })}</td></tr>`;
    })}</tbody>`;
}

function Footer({ items, total, s, f, on }) {
  const chosen = items.filter((item) => s.chosenDeletions.includes(item.id));
  const sides = new Set(chosen.map((item) => item.in));
  const n = chosen.length;
  const side = chosen[0]?.in;
  const none = n ? null : f.t("deletions.none_chosen");
  const ask = () => on.confirm({ kind: "approve", side, ids: chosen.map((item) => item.id) });
  return html`<div class="footer"><span class="grow">${f.t("deletions.chosen", { n, total })}</span><span class="buttons">
    <${Button} off=${none ?? (sides.size > 1 ? f.t("deletions.one_direction") : null)} onPress=${ask}>${!n ? f.t("deletions.delete_none") : sides.size > 1 ? f.t("deletions.one_direction") : f.t(`deletions.delete_${side}`, { n })}<//>
    <${Button} off=${none} busy=${s.pressed.keep} onPress=${() => on.keepRows(chosen.map((item) => item.id))}>${n ? f.t("deletions.keep", { n }) : f.t("deletions.keep_none")}<//></span></div>`;
}

function Question({ items, s, f, on }) {
  const box = useRef(null);
  useLayoutEffect(() => box.current.querySelector("#cancel-delete").focus(), []);
  const rows = items.filter((item) => s.confirm.ids.includes(item.id));
  const n = rows.length;
  const names = rows.slice(0, n > NAMED + 1 ? NAMED : n).map(f.called);
  if (names.length < n) names.push(f.t("deletions.and_more", { n: n - names.length }));
  const close = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.confirm(null);
  };
  return html`<div class="footer question yellow" role="group" aria-labelledby="delete-question" ref=${box} onKeyDown=${close}><${Icon} name="triangle" />
    <span class="grow" id="delete-question"><${Rich} words=${f.t(`deletions.ask_${s.confirm.side}`, { n, names: f.names(names) })} /></span>
    <span class="buttons"><${Button} look="red" busy=${s.pressed.approve} onPress=${() => on.approve(s.confirm.ids)}>${f.t("deletions.yes", { n })}<//>
    <${Button} id="cancel-delete" onPress=${() => on.confirm(null)}>${f.t("deletions.cancel")}<//></span></div>`;
}
