// First run, step 5: what the first sync would do. Pairs, doubles (questions), what is left over; nothing is written
// until "Start first sync".

import { html, useEffect } from "../vendor/preact-htm.js";
import { draftKey, mappingsOf } from "../draft.js";
import { questionKey } from "../slices/mapping.js";
import { Segment } from "./form.js";
import { Questions } from "./pairs.js";
import { holdsPeople } from "./resources.js";
import { Banner, Button, Empty, Icon, Select } from "./parts.js";

const PARTS = ["pairs", "doubles", "only_grist", "only_shopify"];
const FIRST = ["doubles", "pairs", "only_shopify", "only_grist"]; // questions first

export function FirstPreview({ s, f, on }) {
  const { mapping: part } = s;
  const isRead = Boolean(part.resources && part.picked && part.tables);
  const key = isRead ? draftKey(part) : null;
  useEffect(() => { if (!isRead) on.readSetup(); }, []);
  useEffect(() => { if (isRead) on.workOut(); }, [key]);
  const report = part.effect?.report;
  const trouble = part.effect?.trouble;
  const back = html`<${Button} onPress=${() => on.lookAtStep("tables")}>${f.t("setup.back")}<//>`;
  if (trouble) return html`<${Banner} icon="triangle" yellow alert><b>${trouble.message}</b> ${trouble.cure}<//><div class="scroll" />
    <div class="footer"><span class="grow" /><span class="buttons"><${Button} look="filled" onPress=${on.workOut}>${f.t("setup.again")}<//>${back}</span></div>`;
  if (!report?.pairing) return html`<div class="scroll"><p class="intro" role="status">${f.t("setup.working_out")} <span class="quiet">${f.t("setup.nothing_written")}</span></p></div>
    <div class="footer"><span class="grow" /><span class="buttons">${back}</span></div>`;
  return html`<${Meeting} report=${report} stale=${part.effect.stale} back=${back} s=${s} f=${f} on=${on} />`;
}

function Meeting({ report, stale, back, s, f, on }) {
  const { mapping: part } = s;
  const entries = report.pairing;
  const one = entries.find((each) => each.resource === part.chosen) ?? entries[0];
  const paused = report.mappings.filter((each) => each.paused);
  if (!one) return html`<${Banner} icon="triangle" yellow alert><b>${f.t("setup.none_ready")}</b> ${paused.map((each) => each.paused).join(" ")}<//><div class="scroll" /><div class="footer"><span class="grow" /><span class="buttons">${back}</span></div>`;
  const things = f.t(`things.${one.resource}`, { n: one.things });
  const found = one.pairs.n + one.known;
  const table = mappingsOf(part).find((each) => each.resource === one.resource)?.table ?? one.table;
  const fact = !one.rows ? f.t("setup.empty_table", { table, n: one.things, things }) : f.t("setup.found", { n: found, total: one.things, things });
  const shown = part.part !== null && (one[part.part].n || part.part === "doubles") ? part.part : FIRST.find((name) => one[name].n) ?? "pairs";
  const questions = one.doubles.items.map((each) => ({ ...each, resource: one.resource, label: one.label, table: one.table }));
  const people = holdsPeople(part);
  const listed = one[shown];
  return html`<p class="intro fact"><b>${fact}</b> <span class="quiet">${f.t("setup.nothing_written")}</span></p>
    <div class="tools seg"><${Select} label=${f.t("mapping.table")} value=${one.resource} options=${entries.map((each) => [each.resource, each.label])} onChange=${on.mapTable} />
      <${Segment} id="part" label=${f.t("setup.parts")} value=${shown} onChange=${on.showPart} options=${PARTS.map((name) => [name, f.t(`setup.part_${name}`), f.number(one[name].n)])} /></div>
    <div class="scroll">${!listed.n ? html`<${Empty} words=${f.t(`setup.none_${shown}`, { things: f.t(`things.${one.resource}`, { n: 2 }) })} />`
      : shown === "doubles" ? html`<${Questions} questions=${questions} answers=${part.answers} may=${true} f=${f} on=${on} />`
        : shown === "pairs" ? html`<${Found} items=${listed.items} f=${f} />` : html`<${Left} items=${listed.items} side=${shown} f=${f} />`}
      ${listed.n > listed.items.length && html`<p class="foot">${f.t("setup.first", { n: listed.items.length, total: listed.n })}</p>`}
      <p class="sum"><${Sum} report=${report} stale=${stale} part=${part} f=${f} /></p>
      ${paused.map((each) => html`<p class="sum wrong"><${Icon} name="triangle" tone="bad" /><span>${f.t("setup.paused", { what: each.label, why: each.paused })}</span></p>`)}
      ${entries.some((each) => each.rows > 0) && html`<p class="sum">${s.places ? html`${f.t("setup.copy_first")} <${Away} address=${s.places.download} words=${f.t("setup.download")} /> ${f.t("setup.copy_or")}` : f.t("setup.copy")}</p>`}
      ${people.length > 0 && html`<p class="sum">${f.t("setup.people", { tables: f.names(people.map((each) => each.label)) })} ${s.places && html`<${Away} address=${s.places.rules} words=${f.t("setup.rules")} />`}</p>`}</div>
    <div class="footer"><span class="grow" /><span class="buttons"><${Button} look="filled" id="start" busy=${s.pressed.start} off=${stale ? f.t("setup.working_out") : null} onPress=${on.startFirst}>${f.t("setup.start")}<//>${back}</span></div>`;
}

/** A page of Grist's, in a tab of its own: the widget's frame cannot lead there. */
function Away({ address, words }) {
  return html`<a class="link lined" href=${address} target="_blank" rel="noopener noreferrer">${words}</a>`;
}

/** "**The first sync** creates 11 rows in Grist and 4 in Shopify, fills 57 empty cells and asks you about 26 fields." */
function Sum({ report, stale, part, f }) {
  if (stale) return html`<span class="quiet" role="status">${f.t("setup.working_out")}</span>`;
  const sum = (key) => report.pairing.reduce((total, one) => total + one[key], 0);
  const made = [sum("creates_grist") && f.t("setup.rows_grist", { n: sum("creates_grist") }), sum("creates_shopify") && f.t("setup.rows_shopify", { n: sum("creates_shopify") })].filter(Boolean);
  const parts = [made.length && f.t("setup.creates_rows", { what: f.names(made) }), sum("fills") && f.t("setup.fills", { n: sum("fills") }), sum("asks") && f.t("setup.asks", { n: sum("asks") })].filter(Boolean);
  const open = report.pairing.reduce((n, one) => n + one.doubles.items.filter((each) => !part.answers[questionKey({ ...each, resource: one.resource })]).length, 0);
  return html`<b>${f.t("setup.first_sync")}</b> ${parts.length ? f.names(parts) : f.t("setup.writes_nothing")}.${open > 0 && ` ${f.t("setup.left_out", { n: open })}`}`;
}

function Found({ items, f }) {
  return html`<table class="table pairs"><thead><tr><th scope="col">${f.t("pairs.row")}</th><th scope="col" class="by">${f.t("pairs.by")}</th><th scope="col">${f.t("pairs.thing")}</th><th scope="col" class="pick">${f.t("setup.differ")}</th></tr></thead>
    <tbody>${items.map((one) => html`<tr key=${one.row}><th scope="row" data-cut>${one.title || f.t("pairs.no_title")} <small>${f.t("pairs.row_n", { row: one.row })}</small></th>
      <td class="by" data-cut>${one.by === "id" ? f.t("setup.by_id") : one.by === "you" ? f.t("setup.by_you") : one.labels.join(" + ")}</td><td data-cut>${one.other || f.t("pairs.no_title")}</td><td class="pick">${one.differ ? f.t("setup.n_differ", { n: one.differ }) : ""}</td></tr>`)}</tbody></table>`;
}

function Left({ items, side, f }) {
  return html`<table class="table left"><thead><tr><th scope="col">${f.t(side === "only_grist" ? "pairs.row" : "pairs.thing")}</th><th scope="col">${f.t("setup.becomes")}</th></tr></thead>
    <tbody>${items.map((one) => html`<tr key=${one.row ?? one.thing}><th scope="row" data-cut>${one.title || f.t("pairs.no_title")}${one.row !== null && one.row !== undefined && html` <small>${f.t("pairs.row_n", { row: one.row })}</small>`}</th>
      <td>${f.t(one.created ? `setup.created_${side}` : "setup.stays")}</td></tr>`)}</tbody></table>`;
}
