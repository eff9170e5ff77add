// Changes: every value a sync wrote, with what was there before. A preview is the same list of what would be written.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { diff } from "../diff.js";
import { canUndo, visibleChanges } from "../lists.js";
import { LIMIT_STEP, historyOf, isCursor, maySync, rowToSync, undoCounts } from "../state.js";
import { Chip } from "./conflicts.js";
import { Button, Direction, Empty, Facts, Icon, Link, Rich, Select } from "./parts.js";
import { Change, Value, words } from "./value.js";

const FIRST_LINES = 5;

export function Changes({ s, f, on }) {
  if (s.preview) return html`<${Preview} s=${s} f=${f} on=${on} />`;
  const { items, next, of } = s.lists.changes;
  if (items === null) return html`<div class="scroll" />`;
  if (!items.length && !historyOf(s)) return html`<div class="scroll"><${Empty} words=${f.t("changes.empty")} /></div>`;
  const visible = visibleChanges(s, (item) => [item.title, item.field_label, words(item.type, item.before, f, s.now), words(item.type, item.after, f, s.now)].join(" "));
  const runs = [];
  for (const item of visible) {
    if (runs[runs.length - 1]?.run !== item.run) runs.push({ run: item.run, items: [] });
    runs[runs.length - 1].items.push(item);
  }
  const filtered = visible.length < items.length || Boolean(of);
  const may = maySync(s);
  const lines = runs.flatMap((group) => linesShown(group, s));
  const keys = (event) => {
    if (pressKey(event, lines, may, s, on)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return html`<${Tools} s=${s} f=${f} on=${on} items=${items} />
    <div class="scroll" id="change-list" tabIndex="-1" onKeyDown=${keys}>${runs.some((group) => group.run === s.look.run) && html`<${AtRun} run=${s.look.run} on=${on} />`}${visible.length === 0
      ? html`<${Empty} words=${f.t("changes.empty_filter")}><${Link} onPress=${() => on.look({ table: null, field: null, to: null, text: "", row: false, of: null })}>${f.t("changes.show_all")}<//><//>`
      : html`<table class="table changes"><caption class="hidden">${f.t("changes.list")}</caption><${Head} f=${f} undo />
        ${runs.map((group, at) => html`<${Run} key=${group.run} group=${group} cut=${filtered || (next !== null && at === runs.length - 1)} may=${may} s=${s} f=${f} on=${on} />`)}</table>`}
      <p class="foot">${next !== null && html`<${Link} onPress=${on.moreChanges}>${f.t("changes.earlier")}<//> `}${s.server?.history_days > 0 && f.t("changes.kept", { n: s.server.history_days })}</p></div>`;
}

/** From Overview to one sync: its line has the focus, once it is there. */
function AtRun({ run, on }) {
  useLayoutEffect(() => {
    const fold = document.getElementById(`fold${run}`);
    fold?.scrollIntoView({ block: "center" });
    fold?.focus();
    on.look({ run: null });
  }, [run]);
  return null;
}

function Tools({ s, f, on, items }) {
  const { look } = s;
  const tables = [...new Map(items.map((item) => [item.resource, item.label]))];
  const fields = [...new Set(items.filter((item) => item.field_label && (look.table === null || item.resource === look.table)).map((item) => item.field_label))].sort();
  if (look.field && !fields.includes(look.field)) fields.push(look.field);
  const at = rowToSync(s);
  const { chosen } = s.beside;
  const title = look.of?.title ?? (at && (items.find((item) => isCursor(item, s.cursor))?.title || (chosen?.resource === at.resource && chosen.row === at.row && chosen.title) || f.t("place.row", { table: at.label, row: at.row })));
  return html`<div class="tools">
    <${Select} label=${f.t("changes.all_tables")} value=${look.table} options=${[["", f.t("changes.all_tables")], ...tables]} onChange=${(value) => on.look({ table: value || null, field: null })} />
    <${Select} className="mid" label=${f.t("changes.all_fields")} value=${look.field} options=${[["", f.t("changes.all_fields")], ...fields.map((one) => [one, one])]} onChange=${(value) => on.look({ field: value || null })} />
    <${Select} className="mid" label=${f.t("changes.both")} value=${look.to} options=${[["", f.t("changes.both")], ["shopify", `→ ${f.t("side.shopify")}`], ["grist", `← ${f.t("side.grist")}`]]} onChange=${(value) => on.look({ to: value || null })} />
    ${title && html`<${Chip} words=${title} on=${Boolean(historyOf(s))} f=${f} onToggle=${(row) => on.look({ row, of: null })} />`}
    <span class="grow" /><label class="search"><${Icon} name="search" /><input type="search" aria-label=${f.t("changes.search")} placeholder=${f.t("changes.search")} value=${look.text} onInput=${(event) => on.look({ text: event.currentTarget.value })} /></label></div>`;
}

function Head({ f, undo = false }) {
  return html`<thead><tr><th scope="col">${f.t("changes.row")}</th><th scope="col" class="name">${f.t("changes.field")}</th><th scope="col" class="to">${f.t("changes.to")}</th>
    <th scope="col">${f.t("changes.before")}<span class="slim">, ${f.t("changes.after")}</span></th><th scope="col" class="after">${f.t("changes.after")}</th>${undo && html`<td class="undo"><span class="hidden">${f.t("undo.column")}</span></td>`}</tr></thead>`;
}

function Run({ group, cut, may, s, f, on }) {
  const [first] = group.items;
  const key = `run${group.run}`;
  const at = Date.parse(first.at);
  const open = s.opened[key];
  const closed = Boolean(s.opened[`closed${group.run}`]);
  const shown = closed ? [] : linesShown(group, s);
  const rest = group.items.length - shown.length;
  const when = f.isToday(at, s.now) ? f.t("changes.today", { clock: f.clock(at) }) : f.moment(at, s.now);
  const wanted = may && (cut || group.items.some(canUndo));
  return html`<tbody><tr class="group"><th scope="rowgroup" colSpan="4"><button type="button" id=${`fold${group.run}`} class="fold" aria-expanded=${String(!closed)} aria-label=${f.t(closed ? "undo.show" : "undo.hide")}
      onClick=${() => on.open(`closed${group.run}`)}><${Icon} name="chevron" tone=${closed ? "small closed" : "small"} /></button>
      <b data-tip=${f.exact(at)}>${when}</b> <span class="quiet">${f.by(first.by)} · ${f.t(cut ? "changes.count_listed" : "changes.count", { n: group.items.length })}</span></th><td class="after" />
      <td class="undo">${wanted && html`<button type="button" class="link all" aria-label=${f.t("undo.sync")} aria-busy=${s.pressed.undo ? "true" : undefined} onClick=${() => on.undo(key, { runs: [group.run] })}><${Icon} name="undo" /><span class="wide">${f.t("undo.sync")}</span></button>`}</td></tr>
    ${s.undo?.key === key && html`<${Asked} s=${s} f=${f} on=${on} />`}
    ${shown.map((item) => html`<${Line} key=${item.id} item=${item} may=${may} undo s=${s} f=${f} on=${on} />${s.undo?.key === `change${item.id}` && html`<${Asked} key=${`asked${item.id}`} s=${s} f=${f} on=${on} />`}`)}
    ${!closed && group.items.length > FIRST_LINES && html`<tr class="more"><td colSpan="4"><${MoreHere} open=${open} rest=${rest} name=${key} drawn=${shown.length} f=${f} on=${on} /></td><td class="after" /><td class="undo" /></tr>`}</tbody>`;
}

/** The lines of a sync that stand on the screen: five, until somebody wants all; and of very many a part at a time. */
function linesShown(group, s) {
  if (s.opened[`closed${group.run}`]) return [];
  return group.items.slice(0, s.opened[`run${group.run}`] ? s.lines[`run${group.run}`] ?? LIMIT_STEP : FIRST_LINES);
}

/** "Show 7 more", "Show 200 more of 4,800", "Show fewer". */
function MoreHere({ open, rest, name, drawn, f, on }) {
  const fewer = html`<${Link} onPress=${() => on.open(name)}>${f.t("changes.fewer_here")}<//>`;
  if (!open) return html`<${Link} onPress=${() => on.open(name)}>${rest > LIMIT_STEP ? f.t("changes.more_of", { n: LIMIT_STEP, rest }) : f.t("changes.more_here", { n: rest })}<//>`;
  if (rest <= 0) return fewer;
  return html`<${Link} onPress=${() => on.lines(name, drawn + LIMIT_STEP)}>${rest > LIMIT_STEP ? f.t("changes.more_of", { n: LIMIT_STEP, rest }) : f.t("changes.more_here", { n: rest })}<//> ${fewer}`;
}

/** The question of an undo, in place: what goes back, what stays and why. Nothing is written before the answer. */
function Asked({ s, f, on }) {
  const { result, key, wanted } = s.undo;
  const box = useRef(null);
  useLayoutEffect(() => {
    // The focus follows only where it still is in the list: whoever went on working is not called back.
    const list = document.getElementById("change-list");
    if (result && (document.activeElement === document.body || list?.contains(document.activeElement))) box.current.querySelector("[id=cancel-undo]").focus();
  }, [result]);
  const esc = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.closeUndo();
  };
  const close = (words) => html`<${Button} id="cancel-undo" onPress=${on.closeUndo}>${words}<//>`;
  const row = (words, buttons) => html`<tr class="asked"><td colSpan=${isSlim() ? 5 : 6}><div class="yellow" role="group" aria-label=${f.t("undo.column")} ref=${box} onKeyDown=${esc}><${Icon} name="undo" />
    <span class="grow" role="status">${words}</span><span class="buttons">${buttons}</span></div></td></tr>`;
  if (!result) return row(f.t("undo.looking"), close(f.t("undo.cancel")));
  if (result.trouble) return row(result.trouble, html`<${Button} look="green" busy=${s.pressed.undo} onPress=${() => on.undo(key, wanted)}>${f.t("undo.look_again")}<//>${close(f.t("undo.close"))}`);
  const { n, total } = undoCounts(result);
  const stays = staysWords(s, f);
  if (!n) return row(html`<${Rich} words=${f.t("undo.none")} /> ${stays}`, close(f.t("undo.close")));
  const [op] = result.plan;
  const cell = n !== 1 || result.plan.length !== 1 ? "" : op.kind !== "update" ? ` ${f.t(op.kind === "create" ? "undo.one_back" : "undo.one_gone", { title: op.title })}` : ` ${f.t("undo.one_cell", { field: op.field_label, title: op.title, side: f.t(`side.${op.side}`),
    before: words(op.type, op.before, f, s.now), after: words(op.type, op.after, f, s.now) })}`;
  return row(html`<${Rich} words=${total > n ? f.t("undo.ask_of", { n, total }) : f.t("undo.ask", { n })} />${cell} ${stays}`,
    html`<${Button} look="filled" id="undo-yes" busy=${s.pressed.undoYes} onPress=${on.undoYes}>${f.t("undo.yes", { n })}<//>${close(f.t("undo.cancel"))}`);
}

/** "1 stays: Vendor of Felt hat. It was edited since."; of many, what they have in common. */
function staysWords(s, f) {
  const { reasons } = undoCounts(s.undo.result);
  const n = reasons.size;
  if (!n) return "";
  const [[id, reason]] = reasons;
  const item = s.lists.changes.items.find((one) => one.id === id);
  if (n === 1 && item) return f.t("undo.stays_one", { what: item.field_label ? f.t("undo.what", { field: item.field_label, title: item.title }) : item.title, reason });
  return new Set(reasons.values()).size === 1 ? f.t("undo.stays_same", { n, reason }) : f.t("undo.stays_each", { n });
}

/** True where Before and After share a cell: the sheet hides the column of After from 480 px down. */
function isSlim() {
  return (document.getElementById("app")?.clientWidth ?? 1000) < 480;
}

function Line({ item, may = false, undo = false, s, f, on }) {
  const wholeRow = item.kind !== "update";
  const field = item.field_label ?? f.t(item.kind === "create" ? "changes.new_row" : "changes.deleted_row");
  const before = item.kind === "create" && !item.field_label ? html`<i class="quiet">${f.t("value.no_row")}</i>` : html`<${Value} type=${item.type} value=${item.before} f=${f} now=${s.now} struck />`;
  const value = wholeRow && !item.field_label && item.after === null ? html`<i class="quiet">${f.t(item.kind === "create" ? "changes.created" : "changes.deleted")}</i>` : html`<${After} item=${item} f=${f} now=${s.now} />`;
  const stays = undo && s.undo?.result?.stays ? undoCounts(s.undo.result).reasons.get(item.id) : undefined;
  const note = item.undone ? undoneWords(item.undone, s, f) : stays;
  const after = html`${value}${note && html` <small class="said">${note}</small>`}`;
  const current = s.line === item.id;
  const mark = stays ? html`<span class="mark" data-tip=${stays}><${Icon} name="lock" /></span>`
    : !may || item.undone ? null
      : canUndo(item) ? html`<button type="button" class="link mark" tabIndex=${current ? 0 : -1} aria-label=${f.t("undo.line", { field, title: f.called(item) })} onClick=${() => on.undo(`change${item.id}`, { changes: [item.id] })}><${Icon} name="undo" /></button>`
        : html`<span class="mark quiet" data-tip=${f.t("undo.row_stays")}><${Icon} name="lock" /><span class="hidden">${f.t("undo.row_stays")}</span></span>`;
  return html`<tr class=${current ? "current" : ""} data-change=${undo ? item.id : undefined} data-tip=${item.why || undefined} tabIndex=${undo ? (current ? 0 : -1) : undefined} onFocus=${undo ? () => { if (!current) on.line(item.id); } : undefined}>
    <th scope="row" data-cut>${f.called(item)}</th><td class="name" data-cut>${field}</td>
    <td class="to"><${Direction} to=${item.to} f=${f} /></td><td data-cut>${before} <span class="slim">${after}</span></td><td class=${`after ${note ? "noted" : ""}`} data-cut>${after}</td>${undo && html`<td class="undo">${mark}</td>`}</tr>`;
}

/** The value after, with its difference: "12 −2", "bag + summer". */
function After({ item, f, now }) {
  const as = { ...item, base: item.before, base_known: true };
  const found = item.kind === "update" ? diff(item.type, item.before, item.after) : null;
  if (found?.kind === "list") return html`<span class="tokens">${found.tokens.filter(({ mark }) => mark !== "removed").map(({ text, mark }) => (mark ? html`<ins class="token">+ ${text}</ins>` : html`<span class="token">${text}</span>`))}</span>`;
  const shown = item.kind === "update" && item.type !== "boolean";
  return html`<${Value} type=${item.type} value=${item.after} f=${f} now=${now} />${shown && html`<${Change} item=${as} side="after" quiet=${item.type === "money"} f=${f} />`}`;
}

/** "undone 14:20 by an owner": who pressed, without the button's name. */
function undoneWords({ at, by }, s, f) {
  const who = f.by(by.split(",")[0]).replace(/^An /, "an ");
  return at === null ? f.t("undo.undoing", { by: who }) : f.t("undo.undone", { clock: f.moment(Date.parse(at), s.now), by: who });
}

/** What a key does in the list: `J` `K` move, `U` asks for the undo of the line, `G` shows its row. True where it was ours. */
function pressKey(event, lines, may, s, on) {
  if (event.altKey || event.metaKey || event.ctrlKey || event.target.matches("input, select")) return false;
  const at = lines.findIndex((item) => item.id === s.line);
  const move = (to) => {
    const item = lines[Math.min(Math.max(to, 0), lines.length - 1)];
    on.line(item.id);
    const row = document.querySelector(`[data-change="${item.id}"]`);
    row?.focus();
    row?.scrollIntoView({ block: "nearest" });
  };
  const item = lines[at];
  const letters = {
    j: () => move(at + 1), k: () => move(at - 1),
    u: () => { if (item && may && canUndo(item)) on.undo(`change${item.id}`, { changes: [item.id] }); },
    g: () => { if (item) on.showRow(item); },
  };
  const press = { ArrowDown: letters.j, ArrowUp: letters.k }[event.key] ?? (s.letters ? letters[event.key.toLowerCase()] : undefined);
  if (!press || !lines.length) return false;
  press();
  return true;
}

/** What a sync would make, as "3 changes in Grist and 1 change in Shopify"; "" where it would write nothing. */
function wouldMake({ plan, plan_total: total }, f) {
  const sides = ["grist", "shopify"].map((side) => [side, plan.filter((op) => op.side === side).length]).filter(([, n]) => n > 0).map(([side, n]) => f.t(`preview.in_${side}`, { n }));
  // Counts per side are only true where the whole plan is here.
  if (plan.length !== total) return f.t("preview.total", { n: total });
  return sides.length > 1 ? f.t("preview.and", { a: sides[0], b: sides[1] }) : (sides[0] ?? "");
}

/** "48 deletions and 2 conflicts would wait for you.", or "". */
function wouldWait({ totals }, f) {
  const parts = [["deletions", totals.proposed_deletions], ["conflicts", totals.conflicts]].filter(([, n]) => n > 0).map(([name, n]) => f.t(`overview.${name}`, { n }));
  return parts.length ? f.t("preview.wait", { what: f.names(parts) }) : "";
}

function Preview({ s, f, on }) {
  const { plan, plan_total: total, brake } = s.preview;
  const close = html`<${Button} id="close-preview" onPress=${on.closePreview}>${f.t("preview.close")}<//>`;
  const waits = wouldWait(s.preview, f);
  const would = total ? f.t("preview.would", { both: wouldMake(s.preview, f) }) : f.t(waits || brake ? "preview.nothing" : "preview.none");
  const more = plan.length < total ? f.t("more.only_first", { n: plan.length, total }) : "";
  return html`<div class=${`banner ${brake ? "yellow" : ""}`}><${Icon} name=${brake ? "triangle" : "eye"} /><div class="words">${brake && html`<${Facts} words=${brake.facts} /> `}<${Rich} words=${brake ? would.replaceAll("**", "") : would} /> ${waits} ${more}</div>${!brake && html`${total > 0 && maySync(s) && html`<${Button} id="sync-exactly" look="filled" busy=${s.pressed.syncExactly} onPress=${on.syncExactly}>${f.t("preview.exactly")}<//>`}${close}`}</div>
    <div class="scroll">${total > 0 && html`<table class="table changes"><caption class="hidden">${f.t("preview.list")}</caption><${Head} f=${f} /><tbody>
      ${plan.map((op) => html`<${Line} item=${{ ...op, to: op.side }} s=${s} f=${f} />`)}</tbody></table>`}</div>
    ${brake && (s.confirm?.kind === "go_on" ? html`<${GoOn} s=${s} f=${f} on=${on} />` : html`<div class="footer"><span class="grow">${maySync(s) && f.t("preview.go_on_hint")}</span><span class="buttons">
      ${maySync(s) && html`<${Button} id="go-on" onPress=${() => on.confirm({ kind: "go_on" })}>${f.t("preview.go_on")}<//>`}${close}</span></div>`)}`;
}

/** Past a brake only with the figures before one's eyes. */
function GoOn({ s, f, on }) {
  const box = useRef(null);
  useLayoutEffect(() => box.current.querySelector("[id=cancel-go-on]").focus(), []);
  const esc = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.confirm(null);
  };
  const make = s.preview.plan_total ? f.t("preview.would_make", { both: wouldMake(s.preview, f) }) : f.t("preview.would_nothing");
  return html`<div class="footer question yellow" role="group" aria-labelledby="go-on-question" ref=${box} onKeyDown=${esc}><${Icon} name="triangle" />
    <span class="grow" id="go-on-question"><${Rich} words=${f.t("preview.ask_go_on", { facts: s.preview.brake.facts })} /> ${make} ${wouldWait(s.preview, f)}</span>
    <span class="buttons"><${Button} look="filled" busy=${s.pressed.goOn} onPress=${on.goOn}>${f.t("preview.go_on")}<//>
    <${Button} id="cancel-go-on" onPress=${() => on.confirm(null)}>${f.t("preview.cancel")}<//></span></div>`;
}
