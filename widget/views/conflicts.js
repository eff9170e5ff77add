// Conflicts: three values a field, the person keeps one by pressing it. Choose first, apply once.
//
//   [ ] | Field | Last agreed | (o) Grist now | ( ) Shopify now | Keep: what will be written

import { html, useCallback, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { movedSides, neighbour, offsetsOf, windowOf } from "../lists.js";
import {
  canKeepBase, canMerge, canType, conflictLines, groupKey, isCursor, maySync, openConflicts, readyChoices, visibleConflicts, waitingChoices, wrongTyping,
} from "../state.js";
import { remembering } from "../same.js";
import { readTyped } from "../typed.js";
import { Apart } from "./apart.js";
import { Beside } from "./beside.js";
import { Box, Button, Empty, Icon, Link, Menu, Select } from "./parts.js";
import { RowLine } from "./row-line.js";
import { Base, Marked, Value, keepWords, spoken, unfolding, words } from "./value.js";

const WINDOWED_FROM = 150;
const SPARE_PX = 300;
const CHUNK = 12;
const STEP_PX = 100;
const [GROUP_PX, FIELD_PX] = [28, 25];
const MINUTE_MS = 60_000;

let lastHeight = 700; // of the list, as it was seen last

export function Conflicts({ s, f, on }) {
  const { items, apart } = s.lists.conflicts;
  if (s.beside.apart) return html`<${Apart} s=${s} f=${f} on=${on} />`;
  if (items === null) return html`<div class="tools"><span class="quiet">${f.t("conflicts.loading")}</span></div><div class="scroll"><${Head} f=${f} /></div>`;
  const lines = conflictLines(s);
  const open = openConflicts(s);
  const may = maySync(s);
  return html`<${Tools} s=${s} f=${f} on=${on} lines=${lines} may=${may} />
    ${lines.length === 0 && open === 0 ? html`<div class="scroll"><${Empty} words=${f.t("conflicts.empty")} /></div>`
      : lines.length === 0 ? html`<div class="scroll"><${Empty} words=${f.t("conflicts.empty_filter")}><${Link} onPress=${() => on.filter({ table: null, field: null, row: false })}>${f.t("conflicts.show_all", { n: open })}<//><//></div>`
        : html`<div class="sides"><${Grid} s=${s} f=${f} on=${on} lines=${lines} may=${may} /><${Beside} item=${lookedAt(lines, s)} s=${s} f=${f} on=${on} /></div>`}
    <${RowLine} listed=${visibleConflicts(s).some((item) => isCursor(item, s.cursor))} s=${s} f=${f} on=${on} />
    ${apart > 0 && html`<p class="foot apart-line"><${Link} onPress=${() => on.showApart(true)}>${f.t("apart.kept", { n: apart })}<//></p>`}
    ${may && (lines.length > 0 || open > 0) && html`<${Hints} f=${f} /><${Footer} s=${s} f=${f} on=${on} open=${open} />`}
    ${s.keys && html`<${Keys} f=${f} on=${on} />`}`;
}

/** The conflict whose row stands beside the list: the current one, else the first. */
function lookedAt(lines, s) {
  return (lines.find((line) => line.kind === "field" && line.item.id === s.current?.id) ?? lines[0]).item;
}

/** What a key does in the list: the only place that knows. True where the key was ours. */
export function pressKey(event, s, f, on) {
  if (event.altKey || event.metaKey) return false;
  const typing = event.target.matches?.("input[type=text]");
  if (typing) return false;
  const lines = conflictLines(s);
  const current = lines.find((line) => line.kind === "field" && line.item.id === s.current?.id)?.item ?? null;
  const column = s.current?.column ?? "grist";
  const move = (steps, byGroup) => {
    const id = neighbour(lines, s.current, steps, byGroup);
    if (id !== null) on.current(id, column, true);
  };
  if (event.ctrlKey) {
    if (event.key === "Enter") on.apply();
    else if (event.key === "z") on.takeBack();
    else return false;
    return true;
  }
  const aside = (step) => {
    const columns = ["grist", "shopify", "keep"];
    if (current) on.current(current.id, columns[Math.min(Math.max(columns.indexOf(column) + step, 0), 2)], true);
  };
  const always = {
    ArrowDown: () => move(1), ArrowUp: () => move(-1), ArrowRight: () => aside(1), ArrowLeft: () => aside(-1),
    Enter: event.target.closest?.("button") ? null : () => on.apply(),
  }[event.key];
  if (always) {
    always();
    return true;
  }
  if (!s.letters) return false;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const keep = (side) => () => current && on.choose(current.id, side);
  const action = {
    j: () => move(1, event.shiftKey), k: () => move(-1, event.shiftKey), u: () => on.takeBack(), "?": () => on.keys(true),
    1: keep("grist"), 2: keep("shopify"), 3: keep("merge"), 0: keep("base"),
    t: () => current && on.startTyping(current.id, typedText(s, current.id, f)), x: () => current && on.select([current.id], !s.selected.includes(current.id), false),
    g: () => current && on.showRow(current), ".": () => current && on.menu(`field${current.id}`),
  }[key];
  if (!action) return false;
  action();
  return true;
}

function Tools({ s, f, on, lines, may }) {
  const visible = visibleConflicts(s);
  if (s.selected.length > 0 && may) return html`<${Selection} s=${s} f=${f} on=${on} />`;
  const all = s.lists.conflicts.items;
  const { tables, fields } = filtersOf(all, s.filters.table);
  const rows = rowCount(visible);
  const { waiting } = s.lists.conflicts;
  const chip = s.cursor === null ? undefined : all.find((item) => isCursor(item, s.cursor));
  const later = waitingChoices(s);
  // Before everything is loaded only the server's own count is true.
  const complete = s.lists.conflicts.complete;
  const counted = complete ? f.t("conflicts.in_rows", { n: rows, conflicts: f.t("conflicts.counted", { n: visible.length }) }) : f.t("conflicts.counted", { n: openConflicts(s) });
  return html`<div class="tools">
    ${may && visible.length > 0 && html`<${Box} label=${f.t("conflicts.select_all")} on=${false} onToggle=${() => on.select(visible.map((item) => item.id), true, false)} />`}
    <span class="grow" data-cut>${waiting.length > 0
      ? html`${f.t("conflicts.new", { n: waiting.length })} <${Link} onPress=${on.showNew}>${f.t("conflicts.show")}<//>`
      : lines.length === 0 ? later > 0 && f.t("conflicts.waits", { n: later })
        : html`<span class="wide">${counted}</span><span class="narrow">${complete ? f.t("conflicts.in_rows_short", { n: rows, c: visible.length }) : counted}</span>`}</span>
    ${chip && html`<${Chip} words=${chip.title} on=${s.filters.row} f=${f} onToggle=${(row) => on.filter({ row })} />`}
    ${all.length > 0 && html`<${Select} label=${f.t("conflicts.all_tables")} value=${s.filters.table} options=${[["", f.t("conflicts.all_tables")], ...tables]}
      onChange=${(value) => on.filter({ table: value || null, field: null })} />
    <${Select} className="wide" label=${f.t("conflicts.all_columns")} value=${s.filters.field} options=${[["", f.t("conflicts.all_columns")], ...fields.map((one) => [one, one])]}
      onChange=${(value) => on.filter({ field: value || null })} />`}<${ListMenu} items=${listItems(visible, may, s, f, on)} s=${s} f=${f} on=${on} /></div>`;
}

/** The ⋯ at the end of the line above the list. */
function ListMenu({ items, s, f, on }) {
  if (!items.length) return null;
  return html`<${Button} id="list-more" look="icon" label=${f.t("conflicts.list_menu")} popup="menu" expanded=${s.menu === "list"} onPress=${() => on.menu("list")}><${Icon} name="dots" /><//>
    ${s.menu === "list" && html`<${Menu} items=${items} opener=${() => document.getElementById("list-more")} onClose=${() => on.menu(null)} />`}`;
}

/** What can be done to all that is shown: choices, as everywhere, that "Apply" applies. */
function listItems(visible, may, s, f, on) {
  const ids = visible.map((item) => item.id);
  const mergeable = visible.filter(canMerge).map((item) => item.id);
  const all = !may || !ids.length ? [] : [
    ...["grist", "shopify"].map((side) => ({ words: f.t(`conflicts.all_${side}`, { n: ids.length }), onPress: () => on.chooseMany(ids, side) })),
    ...(mergeable.length ? [{ words: f.t("conflicts.all_merge", { n: mergeable.length }), onPress: () => on.chooseMany(mergeable, "merge") }] : []),
  ];
  const { apart } = s.lists.conflicts;
  const kept = apart > 0 ? [{ words: f.t("apart.show", { n: apart }), onPress: () => on.showApart(true) }] : [];
  return [...all, ...(all.length && kept.length ? [null] : []), ...kept];
}

/** The row chosen in Grist: pressed, it filters the list to that row; × shows all again. */
export function Chip({ words: title, on, f, onToggle }) {
  return html`<span class=${`chip ${on ? "on" : ""}`}><button type="button" aria-pressed=${String(on)} data-tip=${f.t("conflicts.only_row", { title })} onClick=${() => onToggle(!on)}><span data-cut>${title}</span></button>
    ${on && html`<button type="button" aria-label=${f.t("conflicts.all_rows")} data-tip=${f.t("conflicts.all_rows")} onClick=${() => onToggle(false)}><${Icon} name="cross" /></button>`}</span>`;
}

function Selection({ s, f, on }) {
  const items = visibleConflicts(s).filter((item) => s.selected.includes(item.id));
  const mergeable = items.filter(canMerge);
  const ids = s.selected;
  return html`<div class="tools selection"><${Box} label=${f.t("conflicts.unselect")} on=${false} some onToggle=${() => on.selectNone()} />
    <span class="grow"><span class="wide">${f.t("conflicts.selected", { n: ids.length })}</span><span class="narrow" aria-hidden="true">${f.number(ids.length)}</span></span>
    <${Button} onPress=${() => on.chooseMany(ids, "grist")}>${f.t("conflicts.keep_grist")}<//><${Button} onPress=${() => on.chooseMany(ids, "shopify")}>${f.t("conflicts.keep_shopify")}<//>
    ${mergeable.length > 0 && html`<${Button} onPress=${() => on.chooseMany(mergeable.map((item) => item.id), "merge")}>${f.t("conflicts.merge_n", { n: mergeable.length })}<//>`}
    <${ListMenu} items=${[{ words: f.t("conflicts.menu_apart_n", { n: items.length }), onPress: () => on.chooseMany(ids, "apart") }]} s=${s} f=${f} on=${on} />
    <${Button} look="icon" label=${f.t("conflicts.unselect")} onPress=${on.selectNone}><${Icon} name="cross" /><//></div>`;
}

function Head({ f }) {
  return html`<div class="line head" role="row" aria-rowindex="1"><span role="columnheader" class="cell"><span class="hidden">${f.t("conflicts.select_all")}</span></span>
    ${["field", "base", "grist", "shopify", "between", "keep"].map((name) => html`<span role="columnheader" class=${`cell ${name === "between" ? name : ""}`}>${f.t(`conflicts.${name}`)}</span>`)}</div>`;
}

/**
 * The list, windowed when long: heights as the browser tells them, estimates for what was never mounted, the focused
 * row always there. Lines come and go by chunks, for Preact takes one element out at the front without moving those
 * behind it, but not several. Nothing here asks the page how it lies while it scrolls, and a line is drawn anew only
 * when something in it is another.
 */
function Grid({ s, f, on, lines, may }) {
  const box = useRef(null);
  const own = useRef({ heights: new Map(), watched: new WeakSet(), drawn: new Map() }).current;
  const [view, setView] = useState({ top: 0, height: lastHeight, measured: 0 });
  const windowed = lines.length > WINDOWED_FROM;
  const at = useMemo(() => lines.findIndex((line) => line.kind === "field" && line.item.id === s.current?.id), [lines, s.current?.id]);
  const offsets = useMemo(() => offsetsOf(windowed ? chunkHeights(lines, own.heights) : []), [lines, view.measured]);
  const chunks = windowed ? windowOf(offsets, view.top - SPARE_PX, view.top + view.height + SPARE_PX, at < 0 ? -1 : Math.floor(at / CHUNK)) : null;

  // The browser takes the focus from a row that is moved among its new neighbours: it is given back.
  const held = box.current?.contains(document.activeElement) ? document.activeElement : null;
  useLayoutEffect(() => {
    if (!held || document.activeElement !== document.body) return;
    // A line that came into another chunk is another element.
    const again = held.isConnected ? held : box.current.querySelector(`[data-key="f${s.current?.id}"] [data-column="${s.current?.column}"]`);
    again?.focus({ preventScroll: true });
  });
  useLayoutEffect(() => {
    own.watch = new ResizeObserver((entries) => {
      let changed = false;
      for (const { target, borderBoxSize } of entries) {
        const { key } = target.dataset;
        const height = Math.round(borderBoxSize[0].blockSize);
        if (!key) {
          changed ||= height !== lastHeight;
          lastHeight = height;
        } else if (target.isConnected && own.heights.get(key) !== height) {
          // As estimated: known from now on, and nothing moves.
          changed ||= height !== (key[0] === "g" ? GROUP_PX : FIELD_PX) || own.heights.has(key);
          own.heights.set(key, height);
        }
      }
      if (changed) setView((old) => ({ ...old, height: lastHeight, measured: old.measured + 1 }));
    });
    own.watch.observe(box.current);
    return () => own.watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (!windowed) return;
    for (const row of box.current.querySelectorAll("[data-key]")) {
      if (own.watched.has(row)) continue;
      own.watched.add(row);
      own.watch.observe(row);
    }
  });
  useLayoutEffect(() => {
    if (!s.focus || !s.current) return;
    const row = box.current.querySelector(`[data-key="f${s.current.id}"]`);
    if (!row) return;
    const target = row.querySelector("input[type=text]") ?? row.querySelector(`[data-column="${s.current.column}"]`) ?? row.querySelector("[data-column]");
    target?.focus({ preventScroll: true });
    const head = box.current.querySelector(".head").offsetHeight;
    if (row.offsetTop - head < box.current.scrollTop) box.current.scrollTop = row.offsetTop - head;
    else if (row.offsetTop + row.offsetHeight > box.current.scrollTop + box.current.clientHeight) box.current.scrollTop = row.offsetTop + row.offsetHeight - box.current.clientHeight;
  }, [s.focus]);

  const selected = useMemo(() => new Set(s.selected), [s.selected]);
  const drawn = new Map();
  const draw = (index) => {
    const line = lines[index];
    const first = at < 0 && index === 1;
    const of = [line, index, first, may, f, ...(line.kind === "group" ? groupDepends(line, s, selected) : fieldDepends(line, s, selected))];
    const before = own.drawn.get(line.key);
    const kept = before && before.of.length === of.length && of.every((one, place) => one === before.of[place]) ? before
      : { of, row: html`<${line.kind === "group" ? Group : Field} key=${line.key} line=${line} index=${index + 2} first=${first} selected=${selected} s=${s} f=${f} on=${on} may=${may} />` };
    drawn.set(line.key, kept);
    return kept.row;
  };
  const rows = [];
  if (!windowed) rows.push(...lines.map((_, index) => draw(index)));
  else {
    // Every gap has its own name and stays there at no height, so that nothing has to move because a gap came or went.
    const gap = (name, from, to) => rows.push(html`<${Space} key=${name} height=${offsets[to] - offsets[from]} />`);
    let [next, gaps] = [0, 0];
    for (const chunk of chunks) {
      if (chunk > next || gaps === 0) gap(`gap${gaps++}`, next, chunk);
      const of = [];
      for (let index = chunk * CHUNK; index < Math.min((chunk + 1) * CHUNK, lines.length); index += 1) of.push(draw(index));
      rows.push(html`<div role="presentation" key=${chunk}>${of}</div>`);
      next = chunk + 1;
    }
    gap("end", next, offsets.length - 1);
  }
  own.drawn = drawn;
  // Within the spare lines nothing has to come or go.
  const scrolled = (event) => {
    const top = Math.floor(event.currentTarget.scrollTop / STEP_PX) * STEP_PX;
    if (windowed) setView((old) => (old.top === top ? old : { ...old, top }));
  };
  const keys = (event) => {
    if (may && pressKey(event, s, f, on)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return html`<div class="scroll grid" id="conflict-list" role="grid" aria-label=${f.t("conflicts.list")} aria-rowcount=${lines.length + 1} ref=${box} onScroll=${scrolled} onKeyDown=${keys}>
    <${Head} f=${f} />${rows}</div>`;
}

/** How high the chunks of lines are, by what is known or estimated of their lines. */
function chunkHeights(lines, known) {
  const heights = [];
  lines.forEach((line, index) => {
    if (index % CHUNK === 0) heights.push(0);
    heights[heights.length - 1] += known.get(line.key) ?? (line.kind === "group" ? GROUP_PX : FIELD_PX);
  });
  return heights;
}

/** All that a group's line shows, besides the line itself. */
function groupDepends({ ids }, s, selected) {
  return [chosenOf(ids, selected), s.gristTable];
}

/** All of the state that a field's line shows or hands on. An open menu looks at everything. */
function fieldDepends({ item: { id } }, s, selected) {
  const open = s.menu === `field${id}`;
  return [
    s.choices[id], s.leaving[id], s.whole[id], s.typing[id], s.invalid[id], s.moved[id], selected.has(id),
    s.current?.id === id ? s.current.column : null, open && s, Math.floor(s.now / MINUTE_MS),
  ];
}

function chosenOf(ids, selected) {
  return selected.size ? ids.filter((id) => selected.has(id)).length : 0;
}

function Space({ height }) {
  return html`<div role="presentation" style=${{ height: `${height}px` }} />`;
}

function Group({ line, index, selected, s, f, on, may }) {
  const { item, ids } = line;
  const chosen = chosenOf(ids, selected);
  const place = item.row === null ? f.t("place.table", { table: item.label }) : f.t("place.row", { table: item.label, row: item.row });
  return html`<div class="group" role="row" aria-rowindex=${index} data-key=${line.key}>
    <span role="gridcell">${may && html`<${Box} label=${f.t("conflicts.select_row", { title: item.title })} on=${chosen === ids.length} some=${chosen > 0} onToggle=${(to) => on.select(ids, to, false)} />`}</span>
    <span role="rowheader" class="grow" data-cut><b>${item.title}</b> <span class="quiet">${[item.sku, place].filter(Boolean).join(" · ")}</span></span>
    <span role="gridcell">${item.row !== null && html`<${RowButton} item=${item} s=${s} f=${f} on=${on} />`}</span></div>`;
}

/** Moves Grist's cursor; off where the widget looks at another table, for Grist would go to a wrong row there. */
export function RowButton({ item, s, f, on, words: text }) {
  const other = s.gristTable !== null && s.gristTable !== item.table;
  const label = f.t("conflicts.show_row", { row: item.row });
  const off = other ? f.t("conflicts.show_row_other", { row: item.row, table: item.table }) : null;
  if (text) return other ? html`<span class="quiet" data-tip=${off}>${text}</span>` : html`<${Link} label=${`${text}: ${label}`} onPress=${() => on.showRow(item)}>${text}<//>`;
  return html`<${Button} look="icon" label=${label} off=${off} onPress=${() => on.showRow(item)}><${Icon} name="row" /><//>`;
}

function Field({ line, index, first, selected, s, f, on, may }) {
  const { item } = line;
  const leaving = s.leaving[item.id];
  const choice = s.choices[item.id] ?? (leaving && leaving !== true ? leaving : null);
  const isCurrent = s.current?.id === item.id;
  const whole = s.whole[item.id] ?? null;
  const column = isCurrent ? s.current.column : "grist";
  const note = noteOf(item, s, f);
  const tab = (name) => ((isCurrent ? column === name : first && name === "grist") ? 0 : -1);
  const label = item.whole_row ? f.t("conflicts.whole_row") : item.field_label;
  const side = (name) => html`<${SideCell} item=${item} name=${name} choice=${choice} may=${may && !leaving} tab=${tab(name)} whole=${whole} label=${label} s=${s} f=${f} on=${on} />`;
  return html`<div class=${`field ${isCurrent ? "current" : ""} ${leaving ? "leaving" : ""}`} data-key=${line.key} data-conflict=${item.id} role="rowgroup"
      onfocusin=${(event) => {
        const name = event.target.closest("[data-column]")?.dataset.column ?? column;
        if (!isCurrent || name !== column) on.current(item.id, name, false);
      }}>
    <div class="line" role="row" aria-rowindex=${index}>
      <span class="cell boxes" role="gridcell">${may && html`<${Box} label=${f.t("conflicts.select_field", { field: label, title: item.title })} on=${selected.has(item.id)} tabIndex=${isCurrent || first ? 0 : -1}
        onToggle=${(to, event) => on.select([item.id], to, event.shiftKey)} />`}</span>
      <span class="cell name" role="gridcell" data-cut>${label}</span>
      <span class="cell base" role="gridcell"><span class="tag">${f.t("conflicts.base")}</span><span class="of"><${Base} item=${item} f=${f} now=${s.now} whole=${whole} /></span></span>
      ${side("grist")}${side("shopify")}
      <span class="cell between" role="gridcell">${betweenWords(item, s, f)}</span>
      <${KeepCell} item=${item} choice=${choice} may=${may && !leaving} tab=${tab("keep")} note=${note} label=${label} s=${s} f=${f} on=${on} /></div>
    ${note && html`<div class=${`note ${note.yellow ? "yellow" : ""}`} role="row">${note.icon && html`<${Icon} name="triangle" tone=${note.tone} />`}
      <span role="gridcell" aria-colspan="6" id=${`note${item.id}`}><span role=${note.alert ? "alert" : undefined}>${note.words}</span></span></div>`}</div>`;
}

/** "13:46 – 14:01": the two changed after the sync before began, and no later than they were noticed. */
function betweenWords(item, s, f) {
  if (!item.base_known || !item.seen_at) return "";
  const to = Date.parse(item.seen_at);
  if (!item.after) return f.t("conflicts.before", { when: f.moment(to, s.now) });
  const from = Date.parse(item.after);
  return f.t("conflicts.from_to", { from: f.moment(from, s.now), to: f.isToday(from, to) ? f.clock(to) : f.moment(to, s.now) });
}

function SideCell({ item, name, choice, may, tab, whole, label, s, f, on }) {
  const on_ = choice?.keep === name;
  const [isCut, clamp] = useCut();
  const unfold = unfolding(item, name, { whole, isCut }, f);
  const link = unfold && html`<button type="button" class="link unfold" tabIndex=${may ? tab : 0} aria-expanded=${String(whole === unfold.how)} aria-label=${f.t("conflicts.unfold", { words: unfold.words, side: f.t(`side.${name}`), field: label, title: item.title })}
    onClick=${() => on.whole(item.id, unfold.how)}>${unfold.words}</button>`;
  const text = html`<span class="tag" aria-hidden="true">${f.t(`side.${name}`)}</span><span class="of"><${Marked} item=${item} side=${name} f=${f} now=${s.now} whole=${whole} clamp=${clamp} /></span>`;
  if (!may) return html`<span class=${`cell value shut ${on_ ? "chosen" : ""}`} role="gridcell"><span class="shown">${text}</span>${link}</span>`;
  const said = f.t("conflicts.value_label", { side: f.t(`side.${name}`), field: label, title: item.title, value: spoken(item, name, f, s.now) });
  return html`<span role="gridcell" class=${`cell value ${on_ ? "chosen" : ""}`}><label>
    <input type="radio" name=${`conflict${item.id}`} checked=${on_} aria-label=${said} data-column=${name} tabIndex=${tab}
      onClick=${() => on.choose(item.id, name)} />${text}</label>${link}</span>`;
}

/** Whether a text is cut off after its three lines: [isCut, what its element is given to]. Asked when the browser has laid it out. */
function useCut() {
  const [isCut, setCut] = useState(false);
  const watch = useRef(null);
  const clamp = useCallback((element) => {
    watch.current?.disconnect();
    watch.current = null;
    if (!element) return;
    watch.current = new ResizeObserver(() => setCut(element.scrollHeight > element.clientHeight + 1));
    watch.current.observe(element);
  }, []);
  return [isCut, clamp];
}

function KeepCell({ item, choice, may, tab, note, label, s, f, on }) {
  const typing = s.typing[item.id];
  if (typing && may) return html`<span role="gridcell" class="cell keep typing"><input type="text" data-column="keep" value=${typing.text}
    aria-label=${f.t("conflicts.type_label", { field: label, title: item.title })} aria-invalid=${typing.problem ? "true" : undefined} aria-describedby=${note ? `note${item.id}` : undefined}
    onInput=${(event) => on.type(item.id, event.currentTarget.value, readTyped(item, event.currentTarget.value, f))} onBlur=${() => { if (!typing.problem) on.endTyping(item.id, false); }}
    onKeyDown=${(event) => typingKey(event, item, typing, on)} /></span>`;
  const shown = choice ? html`<${Kept} item=${item} choice=${choice} f=${f} now=${s.now} />`
    : canMerge(item) && may ? html`<span class="offer"><${Icon} name="merge" />${f.t("conflicts.merge")}</span>` : may ? html`<span class="quiet">${f.t("conflicts.choose")}</span>` : "";
  if (!may) return html`<span role="gridcell" class="cell keep shut">${shown}</span>`;
  const words_ = choice ? keepWords(item, choice, f, s.now) : f.t(canMerge(item) ? "conflicts.merge" : "conflicts.choose");
  const press = () => {
    if (!choice && canMerge(item)) on.choose(item.id, "merge");
    else if (canType(item)) on.startTyping(item.id, typedText(s, item.id, f));
    else if (choice) on.choose(item.id, choice.keep);
  };
  return html`<span role="gridcell" class="cell keep"><button type="button" class="kept" data-column="keep" tabIndex=${tab}
      aria-label=${f.t("conflicts.keep_label", { field: label, title: item.title, value: words_ })} onClick=${press}>${shown}</button>
    <${FieldMenu} item=${item} label=${label} tab=${tab} s=${s} f=${f} on=${on} /></span>`;
}

function Kept({ item, choice, f, now }) {
  if (item.whole_row || choice.keep === "apart") return keepWords(item, choice, f, now);
  const value = choice.keep === "value" ? choice.value : item[choice.keep];
  const merged = choice.keep === "merge";
  return html`<span class="clamp"><${Value} type=${item.type} value=${value} f=${f} now=${now} />${merged && html` <small>${f.t("value.merged")}</small>`}</span>`;
}

/** Inside an input only Enter, Tab and Esc are ours. */
function typingKey(event, item, typing, on) {
  if (event.key === "Enter") {
    if (event.ctrlKey) on.apply();
    else if (!typing.problem) on.endTyping(item.id, true);
  } else if (event.key === "Escape") on.cancelTyping(item.id);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function FieldMenu({ item, label, tab, s, f, on }) {
  const id = `field${item.id}`;
  const opener = () => document.getElementById(id);
  return html`<span class=${`more ${s.menu === id ? "open" : ""}`}><button type="button" id=${id} class="button icon" tabIndex=${tab} aria-haspopup="menu" aria-expanded=${String(s.menu === id)}
      aria-label=${f.t("conflicts.menu", { field: label, title: item.title })} onClick=${() => on.menu(id)}><${Icon} name="dots" /></button>
    ${s.menu === id && html`<${Menu} items=${menuItems(item, label, s, f, on)} opener=${opener} onClose=${() => on.menu(null)} />`}</span>`;
}

function menuItems(item, label, s, f, on) {
  const same = visibleConflicts(s).filter((one) => one.resource === item.resource && one.field === item.field && one.whole_row === item.whole_row).map((one) => one.id);
  const items = [
    canKeepBase(item) && { words: f.t("conflicts.menu_base", { value: shorten(words(item.type, item.base, f, s.now)) }), onPress: () => on.choose(item.id, "base") },
    canMerge(item) && { words: f.t("conflicts.menu_merge"), onPress: () => on.choose(item.id, "merge") },
    canType(item) && { words: f.t("conflicts.menu_type"), onPress: () => on.startTyping(item.id, typedText(s, item.id, f)) },
    { words: f.t(item.whole_row ? "conflicts.menu_apart_row" : "conflicts.menu_apart"), onPress: () => on.choose(item.id, "apart") },
    ...(same.length > 1 ? [null, ...["grist", "shopify"].map((side) => ({ words: f.t(`conflicts.menu_all_${side}`, { n: same.length, field: label }), onPress: () => on.chooseMany(same, side) }))] : []),
    null,
    ...(["text", "html"].includes(item.type) ? [{ words: f.t(s.whole[item.id] === "all" ? "conflicts.menu_short" : "conflicts.menu_whole"), onPress: () => on.whole(item.id, "all") }] : []),
    item.type === "html" && { words: f.t(s.whole[item.id] === "source" ? "value.show_text" : "value.show_source"), onPress: () => on.whole(item.id, "source") },
    { words: f.t("conflicts.menu_history"), onPress: () => on.go("changes", { look: { ...(item.row === null ? { text: item.title } : { of: { resource: item.resource, row: item.row, title: item.title } }), field: item.whole_row ? null : item.field_label } }) },
  ].filter((one) => one !== false);
  while (items[0] === null) items.shift();
  return items;
}

function shorten(text) {
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}

/** What a field has to say under its line: typing that does not fit, values that moved, why merging is impossible. */
function noteOf(item, s, f) {
  const problem = s.typing[item.id]?.problem ?? s.invalid[item.id];
  const sentence = ({ message, cure }) => [message, cure].filter(Boolean).join(" ");
  if (problem) return { words: sentence(problem), icon: true, tone: "bad", alert: true };
  const moved = s.moved[item.id] ?? item.moved;
  if (moved && !s.choices[item.id]) {
    const sides = movedSides(item, moved);
    const values = { field: item.whole_row ? f.t("conflicts.whole_row") : item.field_label };
    for (const { side, was } of sides) values[side] = words(item.type, was, f, s.now);
    if (sides.length === 1) Object.assign(values, { side: f.t(`side.${sides[0].side}`), was: values[sides[0].side] });
    // When it moved is known once the backend's own look at it is here.
    if (item.seen_at !== null) values.when = f.whenAt(Date.parse(item.seen_at), s.now);
    const said = f.t(`conflicts.moved_${["unknown", "one", "both"][sides.length]}${sides.length === 1 && item.seen_at !== null ? "_at" : ""}`, values);
    return { words: said, icon: true, tone: "", yellow: true, alert: true };
  }
  return item.reason ? { words: item.reason } : null;
}

function Hints({ f }) {
  const cap = (key) => html`<kbd>${key}</kbd>`;
  return html`<div class="hints" aria-hidden="true"><span>${cap("J")}${cap("K")}${f.t("conflicts.hint_move")}</span><span>${cap("1")}${f.t("side.grist")}</span><span>${cap("2")}${f.t("side.shopify")}</span>
    <span>${cap("3")}${f.t("conflicts.hint_merge")}</span><span>${cap("T")}${f.t("conflicts.hint_type")}</span><span>${cap(f.t("conflicts.key_enter"))}${f.t("conflicts.hint_apply")}</span>
    <span>${cap("U")}${f.t("conflicts.hint_undo")}</span></div>`;
}

function Footer({ s, f, on, open }) {
  const ready = readyChoices(s).length;
  const wrong = wrongTyping(s);
  return html`<div class="footer"><span class="grow">${f.t("conflicts.chosen", { n: ready, total: open })}${wrong > 0 && html` · <span class="quiet">${f.t("conflicts.wrong_open", { n: wrong })}</span>`}</span>
    <span class="buttons"><${Button} id="apply" look=${ready ? "filled" : "plain"} off=${ready ? null : f.t("conflicts.apply_off")} busy=${s.pressed.apply} onPress=${on.apply}>${ready ? f.t("conflicts.apply", { n: ready }) : f.t("conflicts.apply_none")}<//>
    <${Button} off=${ready || wrong ? null : f.t("conflicts.apply_off")} onPress=${on.clear}>${f.t("conflicts.clear")}<//></span></div>`;
}

function Keys({ f, on }) {
  const rows = [["J K ↓ ↑", "move"], ["Shift+J Shift+K", "group"], ["1", "one"], ["2", "two"], ["3", "three"], ["0", "zero"], ["T", "type"], ["X", "select"], ["G", "go"], [".", "menu"], ["Enter", "apply"], ["U", "undo"]];
  const close = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.keys(false);
  };
  return html`<section class="keys" aria-label=${f.t("keys.title")} onKeyDown=${close}><p><b>${f.t("keys.title")}</b></p>
    <dl>${rows.map(([keys, what]) => html`<div><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${f.t(`keys.${what}`)}</dd></div>`)}</dl>
    <${Button} id="close-keys" onPress=${() => on.keys(false)}>${f.t("keys.close")}<//></section>`;
}

/** The tables, and the columns of the chosen one, that can be filtered by. */
const filtersOf = remembering((items, table) => {
  const labels = new Set(items.filter((item) => item.field_label !== null && (table === null || item.resource === table)).map((item) => item.field_label));
  return { tables: [...new Map(items.map((item) => [item.resource, item.label]))].sort(([, a], [, b]) => a.localeCompare(b)), fields: [...labels].sort() };
});

const rowCount = remembering((items) => new Set(items.map(groupKey)).size);

/** What an input begins with: the value that is chosen by now, as somebody would type it: "40.00", "gift, wool". */
function typedText(s, id, f) {
  const item = s.lists.conflicts.items.find((one) => one.id === id);
  const choice = s.choices[id];
  const value = choice && (choice.keep === "value" ? choice.value : item[choice.keep]);
  if (value === null || value === undefined) return "";
  if (["text", "html", "choice", "date"].includes(item.type) && typeof value === "string") return value;
  if (item.type === "money" || item.type === "decimal") return String(value).replace(".", f.separators.decimal);
  return words(item.type, value, f, s.now);
}
