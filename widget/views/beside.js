// Beside Conflicts, from 900 px on: the other fields of the row, so that somebody who decides knows what it is.

import { html, useLayoutEffect } from "../vendor/preact-htm.js";
import { groupKey } from "../state.js";
import { Value } from "./value.js";

const WIDE_PX = 900;

/** `item`: the conflict that is looked at, or null. Nothing is read where there is no room for it. */
export function Beside({ item, s, f, on }) {
  const { row } = s.beside;
  const isWide = (document.getElementById("app")?.clientWidth ?? 0) >= WIDE_PX;
  const wanted = isWide && item !== null && item.row !== null ? groupKey(item) : null;
  const lastRun = s.server?.last_run?.id; // after a sync the row may hold something else
  useLayoutEffect(() => {
    if (wanted !== null) on.lookBeside(item);
  }, [wanted, lastRun]);
  if (item === null) return null;
  const known = row?.fields && row.resource === item.resource && row.row === item.row ? row.fields : null;
  const asked = new Set(s.lists.conflicts.items.filter((one) => groupKey(one) === groupKey(item)).map((one) => one.field));
  const fields = known?.filter((one) => !asked.has(one.field));
  return html`<aside class="beside" tabIndex="0" aria-label=${f.t("beside.title", { title: item.title })}>
    <p class="head"><span data-cut><b>${item.title}</b> <span class="quiet">${f.t("beside.agreed")}</span></span></p>
    ${!fields ? html`<p class="empty quiet">${f.t("beside.reading")}</p>` : !fields.length ? html`<p class="empty quiet">${f.t("beside.none")}</p>`
      : html`<dl>${fields.map((one) => html`<div key=${one.field}><dt data-cut>${one.field_label}</dt><dd><span class="clamp"><${Value} type=${one.type} value=${one.value} f=${f} now=${s.now} /></span></dd></div>`)}</dl>`}</aside>`;
}
