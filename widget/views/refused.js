// Refused: rows that Shopify or Grist did not take, each with its cause and its cure.

import { html } from "../vendor/preact-htm.js";
import { maySync } from "../state.js";
import { RowButton } from "./conflicts.js";
import { MoreLine } from "./more-line.js";
import { Empty, Link } from "./parts.js";

export function Refused({ s, f, on }) {
  const { items, total } = s.lists.refused;
  if (items === null) return html`<div class="scroll" />`;
  if (!items.length) return html`<div class="scroll"><${Empty} words=${f.t("refused.empty")} /></div>`;
  return html`<div class="scroll"><table class="table refused"><caption class="hidden">${f.t("refused.list")}</caption>
    <thead><tr><th scope="col">${f.t("refused.row")}</th><th scope="col">${f.t("refused.happened")}</th><th scope="col">${f.t("refused.todo")}</th><td class="act" /></tr></thead>
    <tbody>${items.map((item) => html`<tr key=${item.id} class="two">
      <th scope="row"><span data-cut>${item.title}</span><small>${item.row === null ? f.t("place.table", { table: item.label }) : f.t("place.row", { table: item.label, row: item.row })}</small>
        <span class="narrow"><${Acts} item=${item} s=${s} f=${f} on=${on} /></span></th>
      <td>${item.field_label && !item.message.includes(item.field_label) ? f.t("refused.field", { field: item.field_label, message: item.message }) : item.message}${" "}
        ${f.t("refused.tried", { n: item.tries, when: f.whenAt(Date.parse(item.at), s.now) })}${item.waits && html` ${f.t("refused.waits")}`}</td>
      <td>${item.cure}</td><td class="act"><${Acts} item=${item} s=${s} f=${f} on=${on} /></td></tr>`)}</tbody></table>
    <${MoreLine} name="refused" total=${total} s=${s} f=${f} on=${on} /></div>`;
}

/** Once the cause is away it is tried again at once, and not only when the row changes. */
function Acts({ item, s, f, on }) {
  const again = maySync(s) && !s.server?.run;
  return html`${again && html`<${Link} label=${f.t("refused.again_of", { title: item.title })} onPress=${() => on.syncRow(item)}>${f.t("refused.again")}<//>`}
    ${item.row !== null && html`<${RowButton} item=${item} s=${s} f=${f} on=${on} words=${f.t("refused.show_row")} />`}`;
}
