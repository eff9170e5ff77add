// Help: what stands where, in one sentence each; a press goes there.

import { html } from "../vendor/preact-htm.js";
import { maySync } from "../state.js";
import { Link } from "./parts.js";

const PLACES = ["overview", "conflicts", "deletions", "refused", "pairs", "changes", "actions", "mapping", "health"];
const ONLY_SOMETIMES = ["pairs", "actions"]; // told without a way there: the tab is there when there is something in it

export function Help({ s, f, on }) {
  const place = (name) => (ONLY_SOMETIMES.includes(name) ? f.t(`tab.${name}`) : html`<${Link} onPress=${() => on.go(name)}>${f.t(`tab.${name}`)}<//>`);
  return html`<div class="scroll help"><p>${f.t("help.what")}</p>
    <table class="table"><caption class="hidden">${f.t("help.places")}</caption>
      <thead><tr><th scope="col">${f.t("help.place")}</th><th scope="col">${f.t("help.for")}</th></tr></thead>
      <tbody>${PLACES.map((name) => html`<tr key=${name}><th scope="row">${place(name)}</th><td>${f.t(`help.${name}`)}</td></tr>`)}</tbody></table>
    <p>${f.t("help.safe")} ${maySync(s) && html`<${Link} onPress=${() => { on.go("conflicts"); on.keys(true); }}>${f.t("bar.keys")}<//>`}</p></div>`;
}
