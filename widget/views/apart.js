// What is kept apart: cells, and rows whose other half is gone, that take no part in the sync until somebody asks again.

import { html } from "../vendor/preact-htm.js";
import { maySync } from "../state.js";
import { RowButton } from "./conflicts.js";
import { MoreLine } from "./more-line.js";
import { Button, Empty, Link } from "./parts.js";
import { Value } from "./value.js";

export function Apart({ s, f, on }) {
  const { items, total } = s.beside.apart;
  const may = maySync(s);
  const back = html`<${Button} id="apart-back" onPress=${() => on.showApart(false)}>${f.t("apart.back")}<//>`;
  const ids = items.map((item) => item.id);
  return html`<div class="tools"><span class="grow" data-cut>${total > 0 && f.t("apart.kept", { n: total })}</span></div>
    <div class="scroll" id="apart-list" tabIndex="-1">${!items.length ? html`<${Empty} words=${f.t("apart.none")} />`
      : html`<table class="table apart"><caption class="hidden">${f.t("apart.list")}</caption>
        <thead><tr><th scope="col">${f.t("changes.row")}</th><th scope="col" class="name">${f.t("changes.field")}</th><th scope="col" class="then">${f.t("apart.grist")}</th>
          <th scope="col" class="then">${f.t("apart.shopify")}</th><th scope="col" class="since">${f.t("apart.since")}</th>${may && html`<td class="act" />`}</tr></thead>
        <tbody>${items.map((item) => html`<${Line} key=${item.id} item=${item} may=${may} s=${s} f=${f} on=${on} />`)}</tbody></table>`}
    <${MoreLine} name="apart" total=${total} s=${s} f=${f} on=${on} /></div>
    <div class="footer"><span class="grow" /><span class="buttons">${may && items.length > 1 && html`<${Button} id="ask-all" busy=${s.pressed.ask_again} onPress=${() => on.askAgain(ids)}>${f.t("apart.ask_all", { n: ids.length })}<//>`}${back}</span></div>`;
}

function Line({ item, may, s, f, on }) {
  const at = Date.parse(item.at);
  const field = item.whole_row ? f.t("conflicts.whole_row") : item.field_label;
  const place = f.t(item.row === null ? "place.table" : "place.row", { table: item.label, row: item.row });
  const side = (name) => html`<td class="then"><span class="clamp">${!item.whole_row ? html`<${Value} type=${item.type} value=${item[name]} f=${f} now=${s.now} />`
    : html`<i class="quiet">${f.t(item.deleted === name ? "value.deleted" : "value.edited")}</i>`}</span></td>`;
  return html`<tr class="two"><th scope="row"><span data-cut>${item.row === null ? f.called(item) : html`<${RowButton} item=${item} words=${f.called(item)} s=${s} f=${f} on=${on} />`}</span><small>${[item.sku, place].filter(Boolean).join(" · ")}</small></th>
    <td class="name" data-cut>${field}</td>${side("grist")}${side("shopify")}
    <td class="since"><span data-tip=${f.exact(at)}>${f.moment(at, s.now)}</span><small data-cut>${f.by(item.by.split(",")[0])}</small></td>
    ${may && html`<td class="act"><${Link} label=${f.t("apart.ask_of", { field, title: item.title })} onPress=${() => on.askAgain([item.id])}>${f.t("apart.ask")}<//></td>`}</tr>`;
}
