// Conflicts: three values a field, the person keeps one by pressing it. Choose first, apply once.
//
//   [ ] | Field | Last agreed | (o) Grist now | ( ) Shopify now | Keep: what will be written

import { html, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import {
  canKeepBase, canMerge, canType, conflictLines, groupKey, isCursor, maySync, movedSides, neighbour, openConflicts, readyChoices, visibleConflicts, waitingChoices,
  windowOf, wrongTyping,
} from "../state.js";
import { readTyped } from "../typed.js";
import { Box, Button, Empty, Icon, Link, Menu, Select } from "./parts.js";
import { Base, Marked, Value, keepWords, spoken, words } from "./value.js";

const WINDOWED_FROM = 150;
const SPARE_PX = 600;

export function Conflicts({ s, f, on }) {
  const { items } = s.lists.conflicts;
  if (items === null) return html`<div class="tools"><span class="quiet">${f.t("conflicts.loading")}</span></div><div class="scroll"><${Head} f=${f} /></div>`;
  const lines = conflictLines(s);
  const open = openConflicts(s);
  const may = maySync(s);
  return html`<${Tools} s=${s} f=${f} on=${on} lines=${lines} may=${may} />
    ${lines.length === 0 && open === 0 ? html`<div class="scroll"><${Empty} words=${f.t("conflicts.empty")} /></div>`
      : lines.length === 0 ? html`<div class="scroll"><${Empty} words=${f.t("conflicts.empty_filter")}><${Link} onPress=${() => on.filter({ table: null, field: null, row: false })}>${f.t("conflicts.show_all", { n: open })}<//><//></div>`
        : html`<${Grid} s=${s} f=${f} on=${on} lines=${lines} may=${may} />`}
    ${may && (lines.length > 0 || open > 0) && html`<${Hints} f=${f} /><${Footer} s=${s} f=${f} on=${on} open=${open} />`}
    ${s.keys && html`<${Keys} f=${f} on=${on} />`}`;
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
  const tables = uniquePairs(all.map((item) => [item.resource, item.label]));
  const fields = [...new Set(all.filter((item) => item.field_label !== null && (s.filters.table === null || item.resource === s.filters.table)).map((item) => item.field_label))].sort();
  const rows = new Set(visible.map(groupKey)).size;
  const { waiting } = s.lists.conflicts;
  const chip = all.find((item) => isCursor(item, s.cursor));
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
      onChange=${(value) => on.filter({ field: value || null })} />`}</div>`;
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
    <${Button} look="icon" label=${f.t("conflicts.unselect")} onPress=${on.selectNone}><${Icon} name="cross" /><//></div>`;
}

function Head({ f }) {
  return html`<div class="line head" role="row" aria-rowindex="1"><span role="columnheader" class="cell"><span class="hidden">${f.t("conflicts.select_all")}</span></span>
    ${["field", "base", "grist", "shopify", "keep"].map((name) => html`<span role="columnheader" class="cell">${f.t(`conflicts.${name}`)}</span>`)}</div>`;
}

/** The list, windowed when long: measured heights, estimates for what was never mounted, the focused row always there. */
function Grid({ s, f, on, lines, may }) {
  const box = useRef(null);
  const heights = useRef(new Map());
  const drawn = useRef({});
  const [view, setView] = useState({ top: 0, height: 800, measured: 0 });
  const windowed = lines.length > WINDOWED_FROM;
  const at = lines.findIndex((line) => line.kind === "field" && line.item.id === s.current?.id);
  const sizes = windowed ? lines.map((line) => heights.current.get(line.key) ?? (line.kind === "group" ? 28 : 25)) : [];
  const { shown, offsets } = windowed ? windowOf(sizes, view.top - SPARE_PX, view.top + view.height + SPARE_PX, at) : { shown: lines.map((_, index) => index), offsets: [0] };

  // The browser takes the focus from a row that is moved among its new neighbours: it is given back.
  const held = box.current?.contains(document.activeElement) ? document.activeElement : null;
  useLayoutEffect(() => {
    if (held?.isConnected && document.activeElement === document.body) held.focus({ preventScroll: true });
  });
  useLayoutEffect(() => {
    if (!windowed) return;
    let changed = false;
    for (const row of box.current.querySelectorAll("[data-key]")) {
      const height = row.offsetHeight;
      if (heights.current.get(row.dataset.key) !== height) {
        heights.current.set(row.dataset.key, height);
        changed = true;
      }
    }
    if (changed) setView((old) => ({ ...old, measured: old.measured + 1 }));
  });
  useLayoutEffect(() => {
    const size = () => {
      heights.current.clear();
      setView((old) => ({ ...old, height: box.current?.clientHeight ?? old.height, measured: old.measured + 1 }));
    };
    const watch = new ResizeObserver(size);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
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

  // Scrolling moves the window and nothing in its lines: drawn once, they are taken over as they are.
  if (drawn.current.s !== s || drawn.current.f !== f || drawn.current.lines !== lines || drawn.current.may !== may) drawn.current = { s, f, lines, may, byIndex: new Map() };
  const { byIndex } = drawn.current;
  const rows = [];
  let next = 0;
  for (const index of shown) {
    if (windowed && index > next) rows.push(html`<${Space} key=${`s${index}`} height=${offsets[index] - offsets[next]} />`);
    if (!byIndex.has(index)) byIndex.set(index, html`<${Line} key=${lines[index].key} line=${lines[index]} index=${index + 2} first=${at < 0 && index === 1} s=${s} f=${f} on=${on} may=${may} />`);
    rows.push(byIndex.get(index));
    next = index + 1;
  }
  if (windowed && next < lines.length) rows.push(html`<${Space} key="end" height=${offsets[lines.length] - offsets[next]} />`);
  const scrolled = (event) => { if (windowed) setView((old) => ({ ...old, top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })); };
  const keys = (event) => {
    if (may && pressKey(event, s, f, on)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return html`<div class="scroll grid" id="conflict-list" role="grid" aria-label=${f.t("conflicts.list")} aria-rowcount=${lines.length + 1} ref=${box} onScroll=${scrolled} onKeyDown=${keys}>
    <${Head} f=${f} />${rows}</div>`;
}

function Space({ height }) {
  return html`<div role="presentation" style=${{ height: `${height}px` }} />`;
}

function Line({ line, index, first, s, f, on, may }) {
  return line.kind === "group" ? html`<${Group} line=${line} index=${index} s=${s} f=${f} on=${on} may=${may} />`
    : html`<${Field} line=${line} index=${index} first=${first} s=${s} f=${f} on=${on} may=${may} />`;
}

function Group({ line, index, s, f, on, may }) {
  const { item, ids } = line;
  const chosen = ids.filter((id) => s.selected.includes(id)).length;
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

function Field({ line, index, first, s, f, on, may }) {
  const { item } = line;
  const leaving = s.leaving[item.id];
  const choice = s.choices[item.id] ?? (leaving && leaving !== true ? leaving : null);
  const isCurrent = s.current?.id === item.id;
  const whole = Boolean(s.whole[item.id]);
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
      <span class="cell boxes" role="gridcell">${may && html`<${Box} label=${f.t("conflicts.select_field", { field: label, title: item.title })} on=${s.selected.includes(item.id)} tabIndex=${isCurrent || first ? 0 : -1}
        onToggle=${(to, event) => on.select([item.id], to, event.shiftKey)} />`}</span>
      <span class="cell name" role="gridcell" data-cut>${label}</span>
      <span class="cell base" role="gridcell"><span class="tag">${f.t("conflicts.base")}</span><span class="of"><${Base} item=${item} f=${f} now=${s.now} whole=${whole} /></span></span>
      ${side("grist")}${side("shopify")}
      <${KeepCell} item=${item} choice=${choice} may=${may && !leaving} tab=${tab("keep")} note=${note} label=${label} s=${s} f=${f} on=${on} /></div>
    ${note && html`<div class=${`note ${note.yellow ? "yellow" : ""}`} role="row">${note.icon && html`<${Icon} name="triangle" tone=${note.tone} />`}
      <span role="gridcell" aria-colspan="6" id=${`note${item.id}`}><span role=${note.alert ? "alert" : undefined}>${note.words}</span></span></div>`}</div>`;
}

function SideCell({ item, name, choice, may, tab, whole, label, s, f, on }) {
  const on_ = choice?.keep === name;
  const text = html`<span class="tag" aria-hidden="true">${f.t(`side.${name}`)}</span><span class="of"><${Marked} item=${item} side=${name} f=${f} now=${s.now} whole=${whole} /></span>`;
  if (!may) return html`<span class=${`cell value ${on_ ? "chosen" : ""}`} role="gridcell">${text}</span>`;
  const said = f.t("conflicts.value_label", { side: f.t(`side.${name}`), field: label, title: item.title, value: spoken(item, name, f, s.now) });
  return html`<span role="gridcell" class=${`cell value ${on_ ? "chosen" : ""}`}><label>
    <input type="radio" name=${`conflict${item.id}`} checked=${on_} aria-label=${said} data-column=${name} tabIndex=${tab}
      onClick=${() => on.choose(item.id, name)} />${text}</label></span>`;
}

function KeepCell({ item, choice, may, tab, note, label, s, f, on }) {
  const typing = s.typing[item.id];
  if (typing && may) return html`<span role="gridcell" class="cell keep typing"><input type="text" data-column="keep" value=${typing.text}
    aria-label=${f.t("conflicts.type_label", { field: label, title: item.title })} aria-invalid=${typing.problem ? "true" : undefined} aria-describedby=${note ? `note${item.id}` : undefined}
    onInput=${(event) => on.type(item.id, event.currentTarget.value, readTyped(item, event.currentTarget.value, f))} onBlur=${() => { if (!typing.problem) on.endTyping(item.id, false); }}
    onKeyDown=${(event) => typingKey(event, item, typing, on)} /></span>`;
  const shown = choice ? html`<${Kept} item=${item} choice=${choice} f=${f} now=${s.now} />`
    : canMerge(item) && may ? html`<span class="offer"><${Icon} name="merge" />${f.t("conflicts.merge")}</span>` : may ? html`<span class="quiet">${f.t("conflicts.choose")}</span>` : "";
  if (!may) return html`<span role="gridcell" class="cell keep">${shown}</span>`;
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
  if (item.whole_row) return keepWords(item, choice, f, now);
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
  return html`<span class="more"><button type="button" id=${id} class="button icon" tabIndex=${tab} aria-haspopup="menu" aria-expanded=${String(s.menu === id)}
      aria-label=${f.t("conflicts.menu", { field: label, title: item.title })} onClick=${() => on.menu(id)}><${Icon} name="dots" /></button>
    ${s.menu === id && html`<${Menu} items=${menuItems(item, label, s, f, on)} opener=${opener} onClose=${() => on.menu(null)} />`}</span>`;
}

function menuItems(item, label, s, f, on) {
  const same = visibleConflicts(s).filter((one) => one.resource === item.resource && one.field === item.field && one.whole_row === item.whole_row).map((one) => one.id);
  const items = [
    canKeepBase(item) && { words: f.t("conflicts.menu_base", { value: shorten(words(item.type, item.base, f, s.now)) }), onPress: () => on.choose(item.id, "base") },
    canMerge(item) && { words: f.t("conflicts.menu_merge"), onPress: () => on.choose(item.id, "merge") },
    canType(item) && { words: f.t("conflicts.menu_type"), onPress: () => on.startTyping(item.id, typedText(s, item.id, f)) },
    ...(same.length > 1 ? [null, ...["grist", "shopify"].map((side) => ({ words: f.t(`conflicts.menu_all_${side}`, { n: same.length, field: label }), onPress: () => on.chooseMany(same, side) }))] : []),
    null,
    ...(["text", "html"].includes(item.type) ? [{ words: f.t(s.whole[item.id] ? "conflicts.menu_short" : "conflicts.menu_whole"), onPress: () => on.whole(item.id) }] : []),
    { words: f.t("conflicts.menu_history"), onPress: () => on.go("changes", { look: { text: item.title, field: item.whole_row ? null : item.field_label } }) },
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

function uniquePairs(pairs) {
  return [...new Map(pairs)].sort(([, a], [, b]) => a.localeCompare(b));
}

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
