// Health: every part of the sync, what was found of it in numbers, and what to do. What needs somebody comes first.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { sortedParts } from "../slices/health.js";
import { Button, Icon, Link, Rich } from "./parts.js";
import { maySync } from "../state.js";

export function Health({ s, f, on }) {
  const { answer, copied } = s.health;
  const owner = s.session?.role === "owner" && !s.settings.readonly;
  if (answer === null) return html`<div class="scroll" />`;
  return html`<div class="tools verdict"><span class="grow">${verdict(answer, f)}${answer.checked_at && html` <span class="quiet checked">${f.t("health.checked", { clock: f.moment(Date.parse(answer.checked_at), s.now) })}</span>`}</span>
      ${maySync(s) && html`<${Button} id="check" look="green" busy=${s.pressed.check} onPress=${on.checkHealth}>${f.t("health.check")}<//>`}</div>
    <div class="scroll"><table class="table health"><caption class="hidden">${f.t("health.list")}</caption>
      <thead><tr><td class="mark" /><th scope="col">${f.t("health.part")}</th><th scope="col">${f.t("health.state")}</th></tr></thead>
      <tbody>${sortedParts(answer).map((one) => html`<${Part} key=${one.part} one=${one} owner=${owner} s=${s} f=${f} on=${on} />`)}</tbody></table></div>
    ${s.health.asked === "disconnect" ? html`<${Disconnect} store=${answer.store} s=${s} f=${f} on=${on} />`
      : html`<div class="footer health"><span class="grow quiet">${f.t("health.version", { version: answer.version })}</span><span class="buttons links">
        <${Link} onPress=${on.copyReport}>${f.t(copied ? "health.copied" : "health.copy")}<//>
        ${owner && html`<${Link} onPress=${() => on.askDisconnect(true)}>${f.t("health.disconnect")}<//>`}</span></div>`}`;
}

function verdict(answer, f) {
  if (!answer.works) return f.t("health.broken", { n: answer.needs_you });
  return answer.needs_you ? f.t("health.works", { n: answer.needs_you }) : f.t("health.well");
}

function Part({ one, owner, s, f, on }) {
  const cure = cureOf(one, owner, s, f, on);
  return html`<tr class=${one.needs_you ? "act" : ""}><td class="mark"><${Icon} name=${one.needs_you ? "triangle" : "tick"} tone=${one.needs_you ? "bad" : "good"} /></td>
    <th scope="row">${f.t(`health.part_${one.part}`)}</th>
    <td><div class="found"><span class="grow">${words(one, s, f)}${one.needs_you && one.cure && !cure ? ` ${one.cure}` : ""}</span>${cure && html`<${Link} onPress=${cure.go}>${cure.words}<//>`}</div></td></tr>`;
}

/** What was found, in words; a sentence of the service where something is wrong. */
export function words(one, s, f) {
  if (one.message) return one.message;
  const facts = one.facts;
  const at = (iso) => f.whenAt(Date.parse(iso), s.now);
  switch (one.part) {
    case "store": return facts.ms === null || facts.ms === undefined ? f.t("health.store_unasked", { domain: facts.domain }) : f.t("health.store_ok", { domain: facts.domain, ms: facts.ms });
    case "permissions": return f.t("health.permissions_ok", { n: facts.granted });
    case "document": return facts.key === "kept" ? f.t("health.document_kept", { by: f.by(facts.by.split(",")[0]), when: f.date(facts.at.slice(0, 10), s.now) }) : f.t("health.document_environment");
    case "shopify_webhooks": case "grist_webhooks": {
      const counted = f.t("health.webhooks", { n: facts.registered, wanted: facts.wanted });
      return facts.last_at ? f.t("health.webhooks_last", { counted, when: at(facts.last_at) }) : counted;
    }
    case "last_sync": return facts.at ? goodSync(Date.parse(facts.at), s, f) : f.t("health.never");
    case "timer": return timerWords(facts, at, f);
    case "queue": return f.t(facts.state ? `health.queue_${facts.state}` : "health.queue_idle");
    case "brakes": return f.t("health.brakes", { n: facts.deletions, percent: Math.round(facts.deletions_share * 100) });
    case "mapping": return f.t("health.mapping", { n: facts.tables, columns: facts.columns });
    case "quota": return facts.points === null || facts.points === undefined ? f.t("health.quota_none") : f.t("health.quota", { points: Math.round(facts.points), shopify: facts.shopify ?? 0, grist: facts.grist ?? 0 });
    case "refused": {
      if (!facts.count) return f.t("health.refused_none");
      const counted = f.t("health.refused", { n: facts.count });
      return facts.example ? f.t("health.refused_example", { counted, title: facts.example.title, message: facts.example.message }) : counted;
    }
    default: return "";
  }
}

/** "Today, 14:02", "22 Nov, 18:12" */
function goodSync(at, s, f) {
  return f.isToday(at, s.now) ? f.t("health.today", { clock: f.clock(at) }) : f.moment(at, s.now);
}

function timerWords(facts, at, f) {
  if (facts.paused) return f.t("health.timer_paused");
  if (facts.interval_seconds === null) return f.t("health.timer_off");
  const every = f.t("health.timer", { time: f.span(facts.interval_seconds) });
  return facts.next_at ? f.t("health.timer_next", { every, when: at(facts.next_at) }) : every;
}

/** Where a press on the line's link leads; null where nothing can be done here, or not by this person. */
function cureOf(one, owner, s, f, on) {
  const to = (key, go) => ({ words: f.t(`health.${key}`), go });
  if (one.part === "refused" && one.facts.count) return to("show", () => on.go("refused"));
  if (one.part === "last_sync" && one.needs_you) return to("show", () => on.go("overview"));
  if (!owner) return null;
  if (one.part === "store" && one.needs_you) return to("connect", () => on.go("store"));
  if (one.part === "permissions" && one.needs_you) return to("add", () => on.go("store"));
  if (["timer", "brakes", "document"].includes(one.part)) return to(one.part === "document" && one.needs_you ? "add_key" : "change", () => on.go("settings"));
  return null;
}

function Disconnect({ store, s, f, on }) {
  const box = useRef(null);
  useLayoutEffect(() => box.current.querySelector("#cancel-disconnect").focus(), []);
  const close = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.askDisconnect(false);
  };
  return html`<div class="footer question yellow" role="group" aria-labelledby="disconnect-question" ref=${box} onKeyDown=${close}><${Icon} name="triangle" />
    <span class="grow" id="disconnect-question"><${Rich} words=${f.t("health.ask_disconnect", { store })} /></span>
    <span class="buttons"><${Button} look="red" busy=${s.pressed.disconnect} onPress=${on.disconnect}>${f.t("health.disconnect_yes")}<//>
    <${Button} id="cancel-disconnect" onPress=${() => on.askDisconnect(false)}>${f.t("health.cancel")}<//></span></div>`;
}
