// First run: the line of steps in the bar's place, and the screen of one step. How far the set-up is stands on the
// server, so it can be left and resumed; done steps can be pressed to look at them again.
//
// A step is a component of {s, f, on} that fills the rest: what scrolls, then a `.footer` with its buttons. It ends by
// `on.step(next)`; the last one by `on.step(null)`.

import { html } from "../vendor/preact-htm.js";
import { SHOWN, STEPS, reached, shownStep } from "../slices/first-run.js";
import { FirstPreview } from "./first-preview.js";
import { Banner, Button, Icon, Rich } from "./parts.js";
import { Resources, TablesStep } from "./resources.js";
import { StoreStep } from "./store.js";

const SCREENS = { access: Access, store: StoreStep, resources: Resources, tables: TablesStep, preview: FirstPreview };

export function FirstRun({ s, f, on }) {
  const step = shownStep(s);
  const Step = SCREENS[step];
  return html`<${StepLine} at=${step} s=${s} f=${f} on=${on} />
    ${s.problem && html`<${Banner} icon="triangle" yellow alert><b>${s.problem.message}</b>${s.problem.cure && ` ${s.problem.cure}`}<//>`}
    <section class="screen" aria-label=${f.t(`first_run.${step}`)}><${Step} s=${s} f=${f} on=${on} /></section>`;
}

/** ✓ Access › **2 Store** › 3 Resources … */
function StepLine({ at, s, f, on }) {
  const done = (step) => STEPS.indexOf(step) < STEPS.indexOf(reached(s));
  return html`<nav class="steps" aria-label=${f.t("first_run.label")}><ol>
    ${SHOWN.map((step, place) => html`<li key=${step} class=${step === at ? "at" : done(step) ? "done" : ""}>
      ${place > 0 && html`<${Icon} name="next" tone="small" />`}
      ${step === at ? html`<b aria-current="step"><span class="no">${place + 1} </span>${f.t(`first_run.${step}`)}</b>`
        : done(step) ? html`<button type="button" aria-label=${f.t("first_run.step_done", { step: f.t(`first_run.${step}`) })} onClick=${() => on.lookAtStep(step)}><${Icon} name="tick" tone="good" /><span class="wide-line">${f.t(`first_run.${step}`)}</span></button>`
        : html`<span class="quiet"><span class="no">${place + 1}</span><span class="wide-line"> ${f.t(`first_run.${step}`)}</span></span>`}</li>`)}</ol>
    <span class="quiet saved">${f.t("first_run.saved")}</span></nav>`;
}

function Access({ s, f, on }) {
  const allowed = s.phase !== "no_access";
  return html`<div class="scroll"><p class="intro">${f.t("first_run.what")} ${allowed ? f.t("first_run.access_given") : html`<${Rich} words=${f.t("state.no_access")} />`}</p></div>
    ${allowed && html`<div class="footer"><span class="grow" /><span class="buttons"><${Button} look="filled" onPress=${() => on.lookAtStep(null)}>${f.t("first_run.continue")}<//></span></div>`}`;
}
