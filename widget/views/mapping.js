// The Mapping tab: one table at a time, its fields, its rows; what a change would do stands below before it is saved.

import { html } from "../vendor/preact-htm.js";
import { countChanges, effectCounts, mappingOf, mappingsOf } from "../draft.js";
import { isUnreachable } from "../state.js";
import { MappingTable, RowRules } from "./mapping-table.js";
import { Button, Empty, Icon, Select } from "./parts.js";

export function Mapping({ s, f, on }) {
  const { mapping: part } = s;
  if (!part.saved || !part.resources) return html`<div class="scroll" />`;
  const list = mappingsOf(part);
  const one = mappingOf(part, part.chosen) ?? list[0];
  if (!one) return html`<div class="scroll"><${Empty} words=${f.t("mapping.empty")} /></div>`;
  const may = s.session.role === "owner" && !s.settings.readonly && !part.saved.fixed;
  return html`<${Head} one=${one} list=${list} s=${s} f=${f} on=${on} />
    <div class="scroll mapping">${!may && html`<p class="note"><span>${f.t(part.saved.fixed ? "mapping.fixed" : "mapping.owners")}</span></p>`}
      <${MappingTable} one=${one} may=${may} s=${s} f=${f} on=${on} />
      <${RowRules} one=${one} may=${may} s=${s} f=${f} on=${on} /></div>
    ${may && (part.draft || part.problem) && html`<${Footer} s=${s} f=${f} on=${on} />`}`;
}

/** Which table is shown, and with what it is joined. */
export function Head({ one, list, s, f, on }) {
  const { mapping: part } = s;
  const pairs = part.saved?.about[one.resource]?.pairs;
  return html`<div class="tools"><${Select} label=${f.t("mapping.table")} value=${one.resource} onChange=${on.mapTable}
      options=${list.map((each) => [each.resource, part.saved?.about[each.resource]?.table ?? each.table])} />
    <span class="quiet with">${f.t("mapping.with")}</span><${Select} label=${f.t("mapping.resource")} value=${one.resource} onChange=${on.mapTable}
      options=${list.map((each) => [each.resource, f.t("mapping.shopify", { what: f.t(`things.${each.resource}`, { n: 2 }) })])} />
    <span class="grow" />${pairs > 0 && html`<span class="quiet mid">${f.t("mapping.paired", { n: pairs })}</span>`}</div>`;
}

function Footer({ s, f, on }) {
  const { mapping: part } = s;
  const n = countChanges(part);
  const lost = isUnreachable(s) ? f.t("bar.why_off_unreachable") : null;
  const general = part.problem && !part.problem.details?.path?.includes("fields") ? part.problem : null;
  return html`<div class="footer"><span class="grow" role="status">${general
      ? html`<${Icon} name="triangle" tone="bad" /> ${general.message} ${general.cure}`
      : html`${f.t("mapping.unsaved", { n })} <${Effect} effect=${part.effect} f=${f} />`}</span>
    <span class="buttons"><${Button} id="save" look="filled" busy=${s.pressed.save} off=${lost} onPress=${on.saveMapping}>${f.t("mapping.save")}<//>
    <${Button} onPress=${on.discardMapping}>${f.t("mapping.discard")}<//></span></div>`;
}

/** "The next sync would write 38 cells in Grist, none in Shopify." */
export function Effect({ effect, f }) {
  if (effect?.trouble) return `${effect.trouble.message} ${effect.trouble.cure}`;
  if (!effect?.report || effect.stale) return html`<span class="quiet">${f.t("mapping.working_out")}</span>`;
  const { grist, shopify, asks } = effectCounts(effect.report);
  const side = (name, n) => (n ? f.t(`mapping.cells_${name}`, { n }) : null);
  const parts = [side("grist", grist), side("shopify", shopify)];
  const words = !grist && !shopify ? f.t("mapping.would_nothing")
    : f.t("mapping.would", { grist: parts[0] ?? f.t("mapping.none_grist"), shopify: parts[1] ?? f.t("mapping.none_shopify") });
  const paused = effect.report.mappings.filter((one) => one.paused);
  return html`${words}${asks > 0 && ` ${f.t("mapping.would_ask", { n: asks })}`}${paused.map((one) => html` <span class="paused-of"><${Icon} name="triangle" tone="bad" /> ${one.label}: ${one.paused}</span>`)}`;
}
