// Actions: what can be done to the order or draft that is chosen in Grist, each confirmed once; and what became of them.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { actableRow, notReady, wrongQuantity } from "../slices/deeds.js";
import { maySync } from "../state.js";
import { Box, Button, Empty, Icon, Rich, Select, whoCan } from "./parts.js";

const REASONS = ["CUSTOMER", "INVENTORY", "FRAUD", "DECLINED", "STAFF", "OTHER"];

export function Actions({ s, f, on }) {
  const row = actableRow(s);
  const { deeds } = s;
  const about = row && deeds.row && deeds.of.row === row.row && deeds.of.table === row.table ? deeds.row : null;
  return html`<div class="tools"><span class="grow" data-cut>${about ? html`<b>${about.title}</b> <span class="quiet">${f.t("place.row", { table: about.label, row: about.row })}</span>` : f.t("actions.list")}</span></div>
    <div class="scroll" id="deed-list" tabIndex="-1">
      ${!row && html`<${Empty} words=${f.t("actions.empty")} />`}
      ${row && !maySync(s) && html`<${Empty} words=${`${f.t("actions.viewer")} ${whoCan(s, f)}`} />`}
      ${row && maySync(s) && !about && !deeds.trouble && html`<${Empty} words=${f.t("actions.looking")} />`}
      ${deeds.trouble && row && html`<p class="empty trouble" role="alert"><${Icon} name="triangle" tone="bad" /> <b>${deeds.trouble.message}</b> ${deeds.trouble.cure}</p>`}
      ${about && html`<${Choices} about=${about} s=${s} f=${f} on=${on} />`}
      ${about && deeds.action && html`<${Form} about=${about} s=${s} f=${f} on=${on} />`}
      <${Done} s=${s} f=${f} on=${on} /></div>
    ${about && (deeds.asked ? html`<${Question} about=${about} s=${s} f=${f} on=${on} />` : html`<${Footer} s=${s} f=${f} on=${on} />`)}`;
}

/** What may be done, one of them chosen; what may not says why. */
function Choices({ about, s, f, on }) {
  return html`<table class="table deeds"><caption class="hidden">${f.t("actions.choose", { title: about.title })}</caption>
    <thead><tr><td class="boxes" /><th scope="col" class="what">${f.t("actions.action")}</th><th scope="col">${f.t("actions.about")}</th></tr></thead>
    <tbody>${about.may.map((one) => {
      const id = `deed-${one.action}`;
      return html`<tr key=${one.action} class=${s.deeds.action === one.action ? "chosen" : ""}><td class="boxes"><input type="radio" name="deed" id=${id} checked=${s.deeds.action === one.action} disabled=${!one.may}
          aria-describedby=${`${id}-why`} onChange=${() => on.chooseDeed(one.action)} /></td>
        <th scope="row"><label for=${id} class=${one.may ? "" : "quiet"}>${f.t(`actions.${one.action}`)}</label></th>
        <td id=${`${id}-why`} class=${one.may ? "" : "quiet"}>${one.may ? f.t(`actions.about_${one.action}`) : one.why}</td></tr>`;
    })}</tbody></table>`;
}

function Form({ about, s, f, on }) {
  const { action, options } = s.deeds;
  const flag = (name, words) => html`<div class="entry"><${Box} on=${Boolean(options[name])} label=${words} onToggle=${(to) => on.deedOption({ [name]: to })} /><span aria-hidden="true">${words}</span></div>`;
  const text = (id, words, value, put, more = {}) => html`<div class="entry"><label for=${id}>${words}</label><input id=${id} type="text" value=${value ?? ""} maxlength="255" placeholder=${more.placeholder} onInput=${(event) => put(event.currentTarget.value)} /></div>`;
  const tracking = (name) => (value) => on.deedOption({ tracking: { ...options.tracking, [name]: value } });
  if (action === "fulfil") return html`<${Lines} about=${about} s=${s} f=${f} on=${on} />
    <div class="deed-form">${text("deed-number", f.t("actions.number"), options.tracking?.number, tracking("number"))}
      ${text("deed-company", f.t("actions.company"), options.tracking?.company, tracking("company"))}
      ${text("deed-url", f.t("actions.url"), options.tracking?.url, tracking("url"), { placeholder: "https://" })}
      ${flag("notify", f.t("actions.notify"))}</div>`;
  if (action === "cancel") return html`<div class="deed-form"><div class="entry"><span class="label" aria-hidden="true">${f.t("actions.reason")}</span>
      <${Select} label=${f.t("actions.reason")} value=${options.reason ?? "OTHER"} options=${REASONS.map((one) => [one, f.t(`actions.reason_${one}`)])} onChange=${(reason) => on.deedOption({ reason })} /></div>
      ${flag("restock", f.t("actions.restock"))}${flag("refund", f.t("actions.refund"))}${flag("notify", f.t("actions.notify"))}
      ${text("deed-note", f.t("actions.staff_note"), options.staff_note, (value) => on.deedOption({ staff_note: value }))}</div>`;
  if (action === "send_invoice") return html`<div class="deed-form">${text("deed-subject", f.t("actions.subject"), options.subject, (value) => on.deedOption({ subject: value }))}
      ${text("deed-message", f.t("actions.message"), options.message, (value) => on.deedOption({ message: value }))}</div>`;
  return null;
}

/** The lines that wait, each with the quantity to send: all of it, until somebody types less. */
function Lines({ about, s, f, on }) {
  return html`<table class="table lines"><caption class="hidden">${f.t("actions.lines")}</caption>
    <thead><tr><th scope="col">${f.t("actions.line")}</th><th scope="col" class="from">${f.t("actions.from")}</th><th scope="col" class="number left">${f.t("actions.left")}</th><th scope="col" class="number">${f.t("actions.send")}</th></tr></thead>
    <tbody>${about.lines.map((line) => {
      const typed = s.deeds.quantities[line.line];
      const wrong = wrongQuantity(line, typed) !== "";
      return html`<tr key=${line.line}><th scope="row" data-cut>${line.name}${line.sku && html` <small class="quiet">${line.sku}</small>`}</th><td class="from" data-cut>${line.place}</td><td class="number left">${f.number(line.remaining)}</td>
        <td class="number"><input type="text" inputmode="numeric" class=${wrong ? "wrong" : ""} aria-invalid=${wrong ? "true" : undefined} aria-label=${f.t("actions.send_of", { name: line.name, n: line.remaining })}
          value=${typed ?? String(line.remaining)} onInput=${(event) => on.deedQuantity(line.line, event.currentTarget.value)} /></td></tr>`;
    })}</tbody></table>`;
}

function Footer({ s, f, on }) {
  const why = notReady(s.deeds);
  const { action } = s.deeds;
  return html`<div class="footer"><span class="grow">${why ? f.t(`actions.${why}`) : f.t("actions.nothing_yet")}</span><span class="buttons">
    <${Button} id="ask-deed" look="filled" off=${why && f.t(`actions.${why}`)} busy=${s.pressed.look && s.deeds.looking} onPress=${on.askDeed}>${action ? f.t("actions.ask", { what: f.t(`actions.${action}`) }) : f.t("actions.ask_none")}<//></span></div>`;
}

/** The yes: what it does, whether it can be taken back. It is said once and goes to exactly what is shown. */
function Question({ about, s, f, on }) {
  const box = useRef(null);
  useLayoutEffect(() => box.current.querySelector("#cancel-deed").focus(), []);
  const { action, asked } = s.deeds;
  const what = f.t(`actions.${action}`);
  const close = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.unaskDeed();
  };
  return html`<div class="footer question yellow" role="group" aria-labelledby="deed-question" ref=${box} onKeyDown=${close}><${Icon} name="triangle" />
    <span class="grow" id="deed-question"><${Rich} words=${f.t("actions.question", { what, title: about.title })} /> ${asked.effect.join(" ")}${asked.final && html` <b>${asked.final}</b>`}</span>
    <span class="buttons"><${Button} id="do-deed" look=${action === "cancel" ? "red" : "filled"} busy=${s.pressed.deed} onPress=${on.doDeed}>${f.t("actions.yes", { what, title: about.title })}<//>
    <${Button} id="cancel-deed" onPress=${on.unaskDeed}>${f.t("actions.back")}<//></span></div>`;
}

/** What became of earlier ones; what nobody is sure of comes first and asks. */
function Done({ s, f, on }) {
  const { items } = s.deeds.list;
  if (!items?.length) return null;
  return html`<table class="table done"><thead><tr><th scope="col">${f.t("actions.recent")}</th><th scope="col" class="became">${f.t("actions.became")}</th></tr></thead>
    <tbody>${items.map((item) => {
      const at = Date.parse(item.ended_at ?? item.asked_at);
      return html`<tr key=${item.id} class="two"><th scope="row"><span data-cut>${item.label} ${item.title}</span><small class="quiet" data-tip=${f.exact(at)}>${f.moment(at, s.now)} · ${f.by(item.by)}</small></th>
        <td class="became">${item.state === "maybe" && html`<${Icon} name="triangle" tone="bad" /> `}<b>${f.t(`actions.state_${item.state}`)}</b>${(item.message || item.effect.length > 0) && html`<small class="words">${item.message ? `${item.message} ${item.cure}` : item.effect.join(" ")}</small>`}
        ${item.state === "maybe" && maySync(s) && html`<span class="buttons"><${Button} busy=${s.pressed.settle} onPress=${() => on.settleDeed(item.id, true)}>${f.t("actions.it_did")}<//>
          <${Button} busy=${s.pressed.settle} onPress=${() => on.settleDeed(item.id, false)}>${f.t("actions.it_did_not")}<//></span>`}</td></tr>`;
    })}</tbody></table>`;
}
