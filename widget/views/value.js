// A value as the person reads it, and its marks against the value that both sides last agreed on.

import { diff, differences, excerpt, htmlText, isSpecial, percent } from "../diff.js";
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

/**
 * The value of one side of a conflict with its marks. `whole`: "all" shows long texts in full, "source" an HTML text as it
 * is written. `clamp` is given the element that is cut after three lines.
 */
export function Marked({ item, side, f, now, whole, clamp }) {
  const value = item[side];
  const cut = (content) => html`<span class=${whole ? "" : "clamp"} ref=${whole ? undefined : clamp}>${content}</span>`;
  if (item.whole_row) return cut(html`<${WholeRow} item=${item} side=${side} f=${f} now=${now} />`);
  const found = marksOf(item, side, whole);
  switch (found.kind) {
    case "text": return cut(html`<${Parts} parts=${whole ? found.parts : (found.excerpt ?? found.parts)} f=${f} />`);
    case "list": return value === null ? html`<${Value} type=${item.type} value=${null} f=${f} now=${now} />` : html`<${Tokens} tokens=${found.tokens} f=${f} />`;
    case "same_text": return cut(html`${htmlText(value)} <small>${f.t("value.same_text")}</small>`);
    default: {
      const type = whole === "source" ? "text" : item.type;
      return cut(html`<${Value} type=${type} value=${value} f=${f} now=${now} /><${Change} item=${item} side=${side} f=${f} />`);
    }
  }
}

function marksOf(item, side, whole) {
  return diff(whole === "source" && item.type === "html" ? "text" : item.type, item.base, item[side], item.base_known);
}

const LONG = 60; // characters: about three lines of a narrow cell

/** How the whole of a value is shown and what the link to it says, `{how, words}`; null where nothing is cut. */
export function unfolding(item, side, { whole, isCut }, f) {
  const found = item.whole_row ? { kind: "plain" } : marksOf(item, side, null);
  if (found.kind === "same_text") return whole === "source" ? { how: "source", words: f.t("value.show_text") } : { how: "source", words: f.t("value.show_source") };
  const long = found.kind === "text" && found.excerpt !== null;
  if (whole) return long || isCut || whole === "source" || String(item[side]).length > LONG ? { how: whole, words: f.t(whole === "source" ? "value.show_text" : "value.show_less") } : null;
  const n = long ? differences(found.parts) : 0;
  if (n > 1) return { how: "all", words: f.t("value.show_differences", { n }) };
  return long || isCut ? { how: "all", words: f.t("value.show_all") } : null;
}

/** The value both sides last agreed on: unmarked, cut around the first difference where it is long. */
export function Base({ item, f, now, whole }) {
  if (item.whole_row) return f.t("value.in_both");
  if (!item.base_known) return html`<i>${f.t("value.not_known")}</i>`;
  if (item.base === null || isSpecial(item.base)) return html`<${Value} type=${item.type} value=${item.base} f=${f} now=${now} />`;
  if (item.type === "list" || item.type === "refs") return item.base.join(", ");
  if (item.type === "choice") return html`<span class="token">${item.base}</span>`;
  if (whole === "source") return item.base;
  const text = words(item.type, item.base, f, now);
  const long = item.type === "text" || item.type === "html";
  return html`<span class=${whole ? "" : "clamp"}>${long && !whole ? around(item, text) : text}</span>`;
}

/** The change in small type behind a value; where there is room, what it is in per cent (or in numbers), too. `quiet`: only there. */
export function Change({ item, side, f, quiet = false }) {
  const [first, second] = changes(item, side, f);
  return first ? html` <small class=${quiet ? "roomy" : ""}>${first}${second && html`<span class="roomy"> · ${second}</span>`}</small>` : null;
}

/**
 * The change against last agreed in a few characters, and said another way: ["+3.00", "+7 %"], ["+25 %", "+250"],
 * ["+14 d"], ["was No"]; [] where there is none to say.
 */
export function changes(item, side, f) {
  if (item.whole_row) return [];
  const found = diff(item.type, item.base, item[side], item.base_known);
  if (found.kind === "number") return numbers(item, side, found.difference, f);
  if (found.kind === "date") return [found.hours === undefined
    ? f.t("value.days", { d: f.signed(String(found.days)) }) : f.t("value.hours", { h: f.signed(String(found.hours)) })];
  if (found.kind === "boolean") return [f.t("value.was", { value: f.t(found.was ? "value.yes" : "value.no") })];
  return [];
}

const MANY = 1000;

/** Prices and stock by what came or went; a percentage, and a long number that is neither, by per cent. */
function numbers(item, side, difference, f) {
  const plain = f.signed(difference, item.type === "money");
  if (/percent|%/i.test(`${item.field} ${item.field_label}`)) return [f.t("value.percent", { p: plain })];
  const share = percent(item.base, item[side]);
  if (share === null) return [plain];
  const both = [plain, f.t("value.percent", { p: f.signed(share) })];
  return item.type !== "money" && item.merge === undefined && Math.abs(Number(item.base)) >= MANY ? both.reverse() : both;
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
  const value = item.whole_row ? sideWords(item, side, f, now) : words(item.type, item[side], f, now);
  const said = changes(item, side, f);
  return said.length ? `${value}, ${f.t("conflicts.change_label", { change: said.join(", ") })}` : value;
}

/** What would be written by a kept value or typed one: the content of the Keep column, and words for it. */
export function keepWords(item, choice, f, now) {
  if (choice.keep === "apart") return f.t("conflicts.apart");
  if (item.whole_row) return rowWords(item, choice.keep, f);
  return words(item.type, choice.keep === "value" ? choice.value : item[choice.keep], f, now);
}

function rowWords(item, keep, f) {
  const gone = item.deleted;
  if (keep !== gone) return f.t("conflicts.create_again", { side: f.t(`side.${gone}`) });
  return gone === "shopify" && item.row !== null ? f.t("conflicts.delete_row", { row: item.row })
    : f.t("conflicts.delete_in", { side: f.t(`side.${gone === "shopify" ? "grist" : "shopify"}`) });
}

/** "edited: Price ~~$16.00~~ $18.00" against "deleted, noticed at 13:40". */
function WholeRow({ item, side, f, now }) {
  if (item.deleted === side || !item.edits?.length) return sideWords(item, side, f, now);
  const [before, after] = f.t("value.edited_to", { value: "\u0000" }).split("\u0000");
  const edits = item.edits.map((edit, at) => html`${at > 0 && ", "}${edit.field_label} <del><span class="hidden">${f.t("value.removed")} </span>${words(edit.type, edit.before, f, now)}</del> <ins><span class="hidden">${f.t("value.added")} </span>${words(edit.type, edit.after, f, now)}</ins>`);
  return html`${before}${edits}${after}`;
}

function sideWords(item, side, f, now) {
  if (item.deleted === side) return f.t("value.deleted_noticed", { when: f.whenAt(Date.parse(item.seen_at), now) });
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
