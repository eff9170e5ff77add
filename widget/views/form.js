// Forms: one row a thing, its label left (above it where the widget is narrow), the control right, what is wrong below.

import { html } from "../vendor/preact-htm.js";
import { Icon } from "./parts.js";

/** A row of a form. `problem` stands below the control, tied to it: give the control `describedBy(id)`. */
export function FormRow({ id, label, problem, note, children, group = false }) {
  const name = html`${group ? html`<span class="label" id=${`${id}-label`}>${label}</span>` : html`<label class="label" for=${id}>${label}</label>`}`;
  return html`<div class="row" role=${group ? "group" : undefined} aria-labelledby=${group ? `${id}-label` : undefined}>${name}<div class="control">${children}
    ${note && html`<small class="under" id=${`${id}-note`}>${note}</small>`}
    ${problem && html`<div class="under wrong" role="alert" id=${`${id}-problem`}><${Icon} name="triangle" tone="bad" /><span>${problem}</span></div>`}</div></div>`;
}

/** A line of text. `look` adds classes; `after` stands inside, at the right. */
export function TextInput({ id, value, onInput, onDone, type = "text", placeholder, problem, note, after, look = "", label, inputMode, autocomplete = "off" }) {
  const described = [problem && `${id}-problem`, note && `${id}-note`].filter(Boolean).join(" ") || undefined;
  return html`<span class=${`typed-line ${look}`}><input id=${id} aria-label=${label} type=${type} value=${value} placeholder=${placeholder} inputmode=${inputMode} autocomplete=${autocomplete}
    autocapitalize="off" spellcheck=${false} aria-invalid=${problem ? "true" : undefined} aria-describedby=${described}
    onInput=${(event) => onInput(event.target.value)} onBlur=${onDone} />${after}</span>`;
}

/** A few choices side by side, of which one is chosen: `options` as [value, words] or [value, words, count]. */
export function Segment({ id, label, value, options, onChange }) {
  const keys = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex(([one]) => one === value);
    const to = options[(at + step + options.length) % options.length][0];
    onChange(to);
    document.getElementById(`${id}-${to}`)?.focus();
  };
  return html`<div class="segment" role="radiogroup" aria-label=${label} id=${id} onKeyDown=${keys}>
    ${options.map(([one, words, count]) => html`<button type="button" role="radio" id=${`${id}-${one}`} key=${one} aria-checked=${String(one === value)}
      tabIndex=${one === value ? 0 : -1} onClick=${() => onChange(one)}>${words}${count !== undefined && html` <span class="quiet">${count}</span>`}</button>`)}</div>`;
}
