// Pairs: which row is which thing, where only a person can tell. A question is a group of lines with a radio each; the
// last line keeps apart. The first run's preview asks in the same lines.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { choicesOf } from "../draft.js";
import { isChosen, questionKey } from "../slices/mapping.js";
import { maySync } from "../state.js";
import { Button, Empty, Link } from "./parts.js";

export function Pairs({ s, f, on }) {
  const { pairs, answers } = s.mapping;
  if (pairs === null) return html`<div class="scroll" />`;
  const may = maySync(s);
  const open = new Set(pairs.questions.map(questionKey));
  const n = Object.keys(answers).filter((key) => open.has(key)).length;
  const nothing = !pairs.questions.length && !pairs.apart.length;
  return html`<div class="scroll">${nothing ? html`<${Empty} words=${f.t(pairs.hidden ? "pairs.hidden" : "pairs.empty")} />` : html`<${Questions} questions=${pairs.questions} answers=${answers} may=${may} f=${f} on=${on} />
      <${Apart} apart=${pairs.apart} may=${may} f=${f} on=${on} />`}</div>
    ${may && pairs.questions.length > 0 && html`<div class="footer"><span class="grow">${f.t("pairs.chosen", { n, total: pairs.questions.length })}</span><span class="buttons">
      <${Button} look=${n ? "filled" : "plain"} busy=${s.pressed.pairs} off=${n ? null : f.t("pairs.choose_first")} onPress=${on.applyPairs}>${n ? f.t("pairs.apply", { n }) : f.t("pairs.apply_none")}<//>
      <${Button} off=${n ? null : f.t("pairs.choose_first")} onPress=${on.clearPairs}>${f.t("pairs.clear")}<//></span></div>`}`;
}

/** The lines of questions, in a table of four columns. `what` names the things of one resource. */
export function Questions({ questions, answers, may, f, on }) {
  return html`<table class="table pairs"><caption class="hidden">${f.t("pairs.list")}</caption>
    <thead><tr><th scope="col">${f.t("pairs.row")}</th><th scope="col" class="by">${f.t("pairs.by")}</th><th scope="col">${f.t("pairs.thing")}</th><th scope="col" class="pick"><span class="hidden">${f.t("pairs.choice")}</span></th></tr></thead>
    ${questions.map((one) => html`<${Question} key=${questionKey(one)} one=${one} answer=${answers[questionKey(one)]} may=${may} f=${f} on=${on} />`)}</table>`;
}

function Question({ one, answer, may, f, on }) {
  const key = questionKey(one);
  const lines = choicesOf(one);
  return html`<tbody><tr class="group"><th scope="rowgroup" colSpan="4"><span class="asked-of"><b>${headOf(one, f)}</b> ${askOf(one, f)}</span></th></tr>
    ${lines.map((line, at) => {
      const chosen = isChosen(answer, line);
      const words = f.t(`pairs.say_${line.say}`);
      const about = [line.row ? f.t("pairs.row_of", { title: line.row.title, row: line.row.row }) : "", line.thing?.title ?? "", words].filter(Boolean).join(", ");
      const row = line.row ? html`${line.row.title || f.t("pairs.no_title")} <small>${f.t("pairs.row_n", { row: line.row.row })}</small>`
        : line.say === "apart" && one.things.length === 1 && one.rows.length > 1 ? html`<span class="quiet">${f.t("pairs.neither")}</span>` : null;
      return html`<tr key=${at} class=${chosen ? "chosen" : ""}>
        ${row ? html`<th scope="row" data-cut>${row}</th>` : html`<td />`}
        <td class="by" data-cut>${line.alike?.join(", ")}</td>
        <td data-cut>${line.gone ? html`<span class="quiet">${f.t("pairs.row_gone", { thing: one.of.title || f.t("pairs.no_title") })}</span>` : line.thing ? html`${line.thing.title || f.t("pairs.no_title")}${line.thing.note && html` <small>${line.thing.note}</small>`}` : line.say === "apart" && !(one.things.length === 1 && one.rows.length > 1) ? html`<span class="quiet">${f.t("pairs.neither")}</span>` : null}</td>
        <td class="pick">${may ? html`<${Radio} name=${`pair-${key}${line.among ?? ""}`} on=${chosen} label=${about} words=${words} onPress=${() => on.answerPair(one, line)} />` : words}</td></tr>`;
    })}</tbody>`;
}

/** A native radio; pressed again it is taken back. */
function Radio({ name, on: chosen, label, words, onPress }) {
  const input = useRef(null);
  useLayoutEffect(() => { input.current.checked = chosen; });
  return html`<label class="radio"><input ref=${input} type="radio" name=${name} aria-label=${label} onClick=${onPress} /><span aria-hidden="true">${words}</span></label>`;
}

function headOf(one, f) {
  if (one.kind === "double") return `${one.witness.join(" + ")} ${one.value}`;
  return one.rows.length === 1 ? f.t("pairs.row_of", { title: one.rows[0].title, row: one.rows[0].row }) : f.t("pairs.rows_of", { rows: f.names(one.rows.map((row) => String(row.row))) });
}

function askOf(one, f) {
  const thing = one.of?.title ?? "";
  if (one.kind !== "double") return f.t(`pairs.ask_${one.kind}`, { thing, holder: one.holder ?? "" });
  const both = f.t("pairs.is_on", { rows: f.t("pairs.n_rows", { n: one.rows.length }), things: f.t("pairs.n_of", { n: one.things.length, what: f.t(`things.${one.resource}`, { n: one.things.length }) }) });
  return `${both} ${f.t(one.rows.length === 1 ? "pairs.which_thing" : one.things.length === 1 ? "pairs.which_row" : "pairs.which_each", { thing: f.t(`things.${one.resource}`, { n: 1 }) })}`;
}

function Apart({ apart, may, f, on }) {
  if (!apart.length) return null;
  return html`<table class="table apart"><thead><tr><th scope="col">${f.t("pairs.apart")}</th><th scope="col" class="act"><span class="hidden">${f.t("pairs.choice")}</span></th></tr></thead>
    <tbody>${apart.map((one) => html`<tr key=${`${one.resource}${one.row}`}><th scope="row" data-cut>${one.title || f.t("pairs.no_title")} <small>${f.t("place.row", { table: one.table, row: one.row })} · ${one.by}</small></th>
      <td class="act">${may && html`<${Link} onPress=${() => on.askAgain(one)}>${f.t("pairs.ask_again")}<//>`}</td></tr>`)}</tbody></table>`;
}
