// Connecting a store: the form, its test, and what each missing permission blocks. Used in the first run, and later
// where Shopify no longer accepts the key or a copied document takes the sync over.

import { html } from "../vendor/preact-htm.js";
import { isUnreachable } from "../state.js";
import { completeDomain, missingInput, sortedPermissions, standingAnswer } from "../slices/store.js";
import { FormRow, Segment, TextInput } from "./form.js";
import { Button, Icon, Link, Rich } from "./parts.js";

const DASHBOARD = "https://dev.shopify.com/dashboard/";

/** Step 2 of the first run. */
export function StoreStep({ s, f, on }) {
  return html`<${StoreForm} s=${s} f=${f} on=${on} intro=${f.t(s.session?.before ? "store.intro_again" : "store.intro", { store: s.session?.before ?? "" })}
    onBack=${() => on.lookAtStep("access")} onDone=${on.connectStore} done=${f.t("store.continue")} />`;
}

/** The same form as a screen of its own: a new key for the store that is connected. */
export function StoreScreen({ s, f, on }) {
  const copy = s.session?.copy;
  return html`<${StoreForm} s=${s} f=${f} on=${on} fixed=${s.session?.link?.store ?? copy?.store ?? null}
    intro=${copy ? f.t("store.intro_move", { store: copy.store }) : f.t("store.intro_replace", { store: s.session?.link?.store ?? "" })}
    onBack=${() => on.closeStore()} onDone=${copy ? on.moveLink : on.replaceStore} done=${copy ? f.t("store.move") : f.t("store.save")} />`;
}

/** `fixed` is the store that cannot be another one; `onDone` is what a press does once the test was good. */
function StoreForm({ s, f, on, intro, fixed = null, onBack, onDone, done }) {
  const { typed, shown, refusal } = s.store;
  const answer = standingAnswer(s.store);
  const lost = isUnreachable(s) ? f.t("bar.why_off_unreachable") : null;
  const lacks = missingInput(fixed ? { ...typed, store: fixed } : typed);
  const why = lost ?? (lacks ? f.t("store.type_first", { what: f.t(`store.${lacks}`) }) : null);
  const missing = answer ? sortedPermissions(answer).missing.length : 0;
  const secret = (name) => html`<${FormRow} id=${name} label=${f.t(`store.${name}`)}>
    <${TextInput} id=${name} type=${shown ? "text" : "password"} value=${typed[name]} onInput=${(value) => on.typeStore({ [name]: value })}
      after=${typed[name] && html`<${Link} onPress=${() => on.showSecret(!shown)}>${f.t(shown ? "store.hide" : "store.show")}<//>`} /><//>`;
  // The next sensible step is filled: the test, then what follows a good one.
  const testing = html`<${Button} id="test" look=${answer && !missing ? "green" : "filled"} busy=${s.pressed.test} off=${why} onPress=${on.testStore}>${f.t(answer || refusal ? "store.test_again" : "store.test")}<//>`;
  return html`<div class="scroll"><form class="form" onSubmit=${(event) => { event.preventDefault(); if (!why) on.testStore(); }}><p class="intro">${intro}</p>
      <${FormRow} id="store" label=${f.t("store.store")}>${fixed ? html`<span id="store" class="fixed">${fixed}</span>`
        : html`<${TextInput} id="store" value=${typed.store} placeholder="my-shop.myshopify.com" inputMode="url" onInput=${(value) => on.typeStore({ store: value })}
          onDone=${() => typed.store && on.typeStore({ store: completeDomain(typed.store) })} />`}<//>
      <${FormRow} id="way" label=${f.t("store.way")} group><${Segment} id="way" label=${f.t("store.way")} value=${typed.way} onChange=${(way) => on.typeStore({ way })}
        options=${[["client", f.t("store.way_client")], ["token", f.t("store.way_token")]]} /><//>
      ${typed.way === "client" ? html`<${FormRow} id="client_id" label=${f.t("store.client_id")}>
        <${TextInput} id="client_id" value=${typed.client_id} onInput=${(value) => on.typeStore({ client_id: value })} /><//>${secret("client_secret")}` : secret("token")}
      <div class="row"><span class="label" /><div class="control test">${testing}<${Said} answer=${answer} refusal=${refusal} busy=${s.pressed.test} f=${f} /></div></div></form>
    ${answer && html`<${Permissions} answer=${answer} f=${f} />`}</div>
    <div class="footer store"><span class="grow">${answer && (missing ? html`${f.t("store.missing", { n: missing })} ${f.t("store.tick_them")} <a class="link" href=${DASHBOARD} target="_blank" rel="noreferrer">${f.t("store.dashboard")}</a>${f.t("store.then_again")}` : f.t("store.all_there"))}</span>
      <span class="buttons">${answer && html`<${Button} id="connect" look=${missing ? "green" : "filled"} busy=${s.pressed.connect} off=${lost} onPress=${onDone}>${missing ? f.t("store.without") : done}<//>`}
      <${Button} onPress=${onBack}>${f.t("store.back")}<//></span></div>`;
}

/** What the test said, beside its button; its place is kept so that nothing moves. */
function Said({ answer, refusal, busy, f }) {
  if (busy) return html`<span class="quiet" role="status">${f.t("store.testing")}</span>`;
  if (answer) return html`<span class="said" role="status"><${Icon} name="tick" tone="good" /><span>${f.t("store.connected", { name: answer.shop.name, currency: answer.shop.currency, place: place(answer.shop.timezone) })}</span></span>`;
  if (refusal) return html`<span class="said" role="alert"><${Icon} name="triangle" tone="bad" /><span>${refusal.message} ${refusal.cure}</span></span>`;
  return null;
}

/** "Europe/Oslo" → Oslo: how people name a time zone. */
function place(zone) {
  return zone.split("/").at(-1).replace(/_/g, " ");
}

function Permissions({ answer, f }) {
  const { missing, granted } = sortedPermissions(answer);
  const about = [...new Set(granted.map((one) => one.about))].join(", ");
  const bad = html`<${Icon} name="triangle" tone="bad" />`;
  return html`<table class="table permissions"><caption class="hidden">${f.t("store.permissions")}</caption>
    <thead><tr><td class="mark" /><th scope="col">${f.t("store.permission")}</th><th scope="col">${f.t("store.without_it")}</th></tr></thead>
    <tbody>${missing.map((one) => html`<tr key=${one.scope}><td class="mark">${bad}</td><th scope="row" class="scope">${one.scope}</th><td>${one.without}</td></tr>`)}
      ${answer.problems.map((one) => html`<tr key=${one.message}><td class="mark">${bad}</td><th scope="row">${f.t("store.customer_data")}</th><td>${one.message} ${one.cure}</td></tr>`)}
      ${granted.length > 0 && html`<tr><td class="mark"><${Icon} name="tick" tone="good" /></td><th scope="row">${missing.length ? f.t("store.others", { n: granted.length }) : f.t("store.all", { n: granted.length })}</th>
        <td class="quiet"><${Rich} words=${f.t("store.granted", { about })} /></td></tr>`}</tbody></table>`;
}
