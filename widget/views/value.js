// A value as the person reads it, and its marks against the value that both sides last agreed on.

import { diff, excerpt, htmlText, isSpecial } from "../diff.js";
import { same } from "../same.js";
import { html } from "../vendor/preact-htm.js";

/** A value of `type` without marks. */
export function Value({ type, value, f, now, struck = false }) {
  if (value === null || value === undefined) return html`<i class="quiet">${f.t("value.empty")}</i>`;
  if (isSpecial(value)) return "unread" in value ? html`<i class="quiet">${f.t("value.not_readable")}</i>` : String(value.unfit);
  if (type === "list" || type === "refs") return html`<${Tokens} tokens=${value.map((text) => ({ text, mark: struck ? "removed" : null }))} f=${f} />`;
  if (type === "choice") return html`<span class=${`token ${struck ? "removed" : ""}`}>${value}</span>`;
  return struck ? html`<del>${words(type, value, f, now)}</del>` : words(type, value, f, now);
}

/** The value of one side of a conflict with its marks; `whole` shows long texts in full. */
export function Marked({ item, side, f, now, whole }) {
  const value = item[side];
  if (item.whole_row) return wholeRow(item, side, f);
  const found = diff(item.type, item.base, value, item.base_known);
  switch (found.kind) {
    case "text": return html`<span class=${whole ? "" : "clamp"}><${Parts} parts=${whole ? found.parts : (found.excerpt ?? found.parts)} f=${f} /></span>`;
    case "list": return value === null ? html`<${Value} type=${item.type} value=${null} f=${f} now=${now} />` : html`<${Tokens} tokens=${found.tokens} f=${f} />`;
    case "same_text": return whole ? value : html`<span>${htmlText(value)} <small>${f.t("value.same_text")}</small></span>`;
    default: return html`<span class=${whole ? "" : "clamp"}><${Value} type=${item.type} value=${value} f=${f} now=${now} />
      ${change(item, side, f) && html`${" "}<small>${change(item, side, f)}</small>`}</span>`;
  }
}

/** The value both sides last agreed on: unmarked, cut around the first difference where it is long. */
export function Base({ item, f, now, whole }) {
  if (item.whole_row) return f.t("value.in_both");
  if (!item.base_known) return html`<i>${f.t("value.not_known")}</i>`;
  if (item.base === null || isSpecial(item.base)) return html`<${Value} type=${item.type} value=${item.base} f=${f} now=${now} />`;
  if (item.type === "list" || item.type === "refs") return item.base.join(", ");
  if (item.type === "choice") return html`<span class="token">${item.base}</span>`;
  const text = words(item.type, item.base, f, now);
  const long = item.type === "text" || item.type === "html";
  return html`<span class=${whole ? "" : "clamp"}>${long && !whole ? around(item, text) : text}</span>`;
}

/** The change against last agreed in a few characters: "+3.00", "+14 d", "was No"; "" where there is none to say. */
export function change(item, side, f) {
  if (item.whole_row) return "";
  const found = diff(item.type, item.base, item[side], item.base_known);
  if (found.kind === "number") return f.signed(found.difference, item.type === "money");
  if (found.kind === "date") return found.hours === undefined
    ? f.t("value.days", { d: f.signed(String(found.days)) }) : f.t("value.hours", { h: f.signed(String(found.hours)) });
  if (found.kind === "boolean") return f.t("value.was", { value: f.t(found.was ? "value.yes" : "value.no") });
  return "";
}

/** A value as plain words: for labels, sentences, menus. */
export function words(type, value, f, now) {
  if (value === null || value === undefined) return f.t("value.empty");
  if (isSpecial(value)) return "unread" in value ? f.t("value.not_readable") : String(value.unfit);
  switch (type) {
    case "money": return f.money(value);
    case "integer": return f.number(value);
    case "decimal": return f.decimal(value);
    case "boolean": return f.t(value ? "value.yes" : "value.no");
    case "date": return f.date(value, now);
    case "datetime": return f.datetime(value, now);
    case "list": case "refs": return value.join(", ");
    case "ref": return value.title;
    case "html": return htmlText(value);
    default: return typeof value === "string" ? visible(value) : JSON.stringify(value);
  }
}

/** What one side of a conflict says, with its change, as a screen reader hears it. */
export function spoken(item, side, f, now) {
  const value = item.whole_row ? sideWords(item, side, f) : words(item.type, item[side], f, now);
  const difference = change(item, side, f);
  return difference ? `${value}, ${f.t("conflicts.change_label", { change: difference })}` : value;
}

/** What would be written by a kept value or typed one: the content of the Keep column, and words for it. */
export function keepWords(item, choice, f, now) {
  if (item.whole_row) return rowWords(item, choice.keep, f);
  return words(item.type, choice.keep === "value" ? choice.value : item[choice.keep], f, now);
}

function rowWords(item, keep, f) {
  const gone = item.deleted;
  if (keep !== gone) return f.t("conflicts.create_again", { side: f.t(`side.${gone}`) });
  return gone === "shopify" && item.row !== null ? f.t("conflicts.delete_row", { row: item.row })
    : f.t("conflicts.delete_in", { side: f.t(`side.${gone === "shopify" ? "grist" : "shopify"}`) });
}

function wholeRow(item, side, f) {
  return sideWords(item, side, f);
}

function sideWords(item, side, f) {
  if (item.deleted === side) return f.t("value.deleted");
  const value = item[side];
  return typeof value === "string" && value ? f.t("value.edited_to", { value }) : f.t("value.edited");
}

function Parts({ parts, f }) {
  return parts.map(({ text, mark }) => {
    if (mark === "added") return html`<ins><span class="hidden">${f.t("value.added")} </span>${drawn(text)}</ins>`;
    if (mark === "removed") return html`<del><span class="hidden">${f.t("value.removed")} </span>${drawn(text)}</del>`;
    return text;
  });
}

function Tokens({ tokens, f }) {
  if (!tokens.length) return html`<i class="quiet">${f.t("value.empty")}</i>`;
  return html`<span class="tokens">${tokens.map(({ text, mark }) => {
    if (mark === "added") return html`<ins class="token"><span class="hidden">${f.t("value.added")} </span>+ ${text}</ins>`;
    if (mark === "removed") return html`<del class="token"><span class="hidden">${f.t("value.removed")} </span>${text}</del>`;
    return html`<span class="token">${text}</span>`;
  })}</span>`;
}

/** A text of spaces alone is drawn: "·" a space, "↵" a line end. Others keep theirs. */
function visible(text) {
  return text.trim() === "" && text !== "" ? drawn(text) : text;
}

function drawn(text) {
  return text.trim() === "" ? text.replace(/ /g, "·").replace(/\r?\n/g, "↵").replace(/\t/g, "→") : text;
}

function around(item, text) {
  const side = same(item.grist, item.base) ? "shopify" : "grist";
  const found = diff(item.type, item.base, item[side]);
  if (found.kind !== "text") return text;
  const parts = found.parts.filter((part) => part.mark !== "added").map((part) => ({ ...part }));
  return (excerpt(parts) ?? [{ text }]).map((part) => part.text).join("");
}
