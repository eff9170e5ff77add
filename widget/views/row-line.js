// The row chosen in Grist, in one line at the foot of Overview and Conflicts: how it stands, what was written to it last.

import { rowToSync } from "../state.js";
import { html } from "../vendor/preact-htm.js";
import { Icon, Link } from "./parts.js";

const ICONS = { refused: ["triangle", "bad"], agreed: ["tick", "good"], apart: ["cut", ""], waits: ["pause", ""], next: ["turning", ""] };

/** `listed`: the row's conflicts stand above, and need no word here. */
export function RowLine({ listed = false, s, f, on }) {
  const at = rowToSync(s);
  if (!at) return null;
  const { chosen } = s.beside;
  const told = chosen?.resource === at.resource && chosen.row === at.row ? chosen : null;
  const place = f.t("place.row", { table: at.label, row: at.row });
  return html`<div class="row-line" role="group" aria-label=${f.t("row.label")}>${told?.status ? html`<${Known} told=${told} place=${place} listed=${listed} s=${s} f=${f} on=${on} />`
    : html`<span class="grow"><b>${place}</b> <span class="quiet">${f.t(told ? "row.unknown" : "beside.reading")}</span></span>`}</div>`;
}

function Known({ told, place, listed, s, f, on }) {
  const { status } = told;
  const [icon, tone] = ICONS[status.state] ?? [null, ""];
  const { last } = status;
  return html`${icon && html`<${Icon} name=${icon} tone=${tone} />`}<span class="grow"><b>${told.title ?? place}</b>
    ${told.title && html` <span class="quiet">${[told.sku, place].filter(Boolean).join(" · ")}</span>`}${!(listed && status.state === "conflict") && html`<span class="sep" aria-hidden="true">·</span><${State} told=${told} f=${f} on=${on} />`}
    ${last && html` <span class="quiet">${lastWords(last, s, f)}</span> <${Link} onPress=${() => on.go("changes", { look: { row: true } })}>${f.t("row.history")}<//>`}</span>`;
}

function State({ told: { status }, f, on }) {
  const { state, conflicts, apart, why, creates } = status;
  const waiting = {
    conflict: () => html`${f.t("row.conflict", { n: conflicts })} <${Link} onPress=${() => on.go("conflicts", { filters: { table: null, field: null, row: true } })}>${f.t("row.choose")}<//>`,
    deletion: () => html`${f.t("row.deletion")} <${Link} onPress=${() => on.go("deletions")}>${f.t("row.answer")}<//>`,
    pair: () => html`${f.t("row.pair")} <${Link} onPress=${() => on.go("pairs")}>${f.t("row.answer")}<//>`,
    refused: () => html`${[why.message, why.cure].filter(Boolean).join(" ")} <${Link} onPress=${() => on.go("refused")}>${f.t("tab.refused")}<//>`,
    waits: () => [why.message, why.cure].filter(Boolean).join(" "),
    new: () => f.t(creates ? "row.new_created" : "row.new"),
  }[state];
  return html`${waiting ? waiting() : f.t(`row.${state}`)}${apart > 0 && html` ${f.t("row.cells_apart", { n: apart })}`}`;
}

/** "Last change: Price, to Shopify, at 14:02, by timer." */
function lastWords(last, s, f) {
  const field = last.field_label ?? f.t({ create: "row.created", delete: "row.deleted" }[last.kind] ?? "conflicts.whole_row");
  return f.t("row.last", { field, to: f.t(`side.to_${last.to}`), when: f.whenAt(Date.parse(last.at), s.now), by: last.by === "Timer" ? f.t("by.timer") : f.by(last.by.split(",")[0]).replace(/^An /, "an ") });
}
