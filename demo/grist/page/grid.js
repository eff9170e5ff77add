// The grid: an editable table that draws only the rows in sight. Knows nothing of the server.

import { meant, pure, shown, suggestions, typed } from "./format.js";

const ROW = 23;
const HEAD = 25;
const SPARE_ROWS = 10;

/**
 * A grid in `root`. `on.edit(rowId | null, {column: value})` saves (null adds a row) and resolves once it is stored;
 * `on.remove(rowId)`, `on.undo()`, `on.cursor(rowId | "new")`. `show(table)` draws `{id, columns, rows, cells, names}`.
 */
export function makeGrid(root, on) {
  let table = { id: null, columns: [], rows: [], cells: {}, names: {} };
  let readOnly = false;
  let row = 0;
  let col = 0;
  let editor = null;

  const sheet = node("div", "sheet");
  const body = node("div");
  const head = node("div", "line head");
  head.setAttribute("role", "row");
  sheet.append(head, body);
  root.append(sheet);

  root.addEventListener("scroll", draw, { passive: true });
  root.addEventListener("mousedown", pressed);
  root.addEventListener("contextmenu", (event) => {
    const found = event.target.closest(".line[data-row]");
    if (!found || readOnly) return;
    event.preventDefault();
    openMenu(Number(found.dataset.row), event.clientX, event.clientY);
  });
  root.addEventListener("keydown", keyed);
  new ResizeObserver(draw).observe(root);

  function show(next) {
    const held = next.id === table.id ? table.rows[row] : undefined;
    const wasNew = next.id === table.id && row >= table.rows.length;
    const other = next.id !== table.id;
    if (other && editor) close();
    table = next;
    if (other) { row = 0; col = 0; root.scrollTop = 0; root.scrollLeft = 0; }
    // The cursor stays on its row, wherever that now stands.
    if (wasNew && !other) row = table.rows.length;
    else if (held !== undefined && table.rows.includes(held)) row = table.rows.indexOf(held);
    row = Math.min(row, table.rows.length);
    col = Math.max(0, Math.min(col, table.columns.length - 1));
    draw();
    if (other) tell();
  }

  function draw() {
    sheet.style.height = `${HEAD + (table.rows.length + 1) * ROW}px`;
    sheet.style.width = `${53 + table.columns.reduce((sum, column) => sum + column.width, 0)}px`;
    drawHead();
    const first = Math.max(0, Math.floor(root.scrollTop / ROW) - SPARE_ROWS);
    const last = Math.min(table.rows.length, first + Math.ceil(root.clientHeight / ROW) + 2 * SPARE_ROWS);
    const lines = [];
    for (let index = first; index <= last; index += 1) lines.push(line(index));
    const focused = body.contains(document.activeElement);
    body.replaceChildren(...lines);
    // The editor lies beside the rows, so that redrawing them never takes the focus from somebody who types.
    if (editor) place();
    if (focused) root.focus({ preventScroll: true });
    root.setAttribute("aria-rowcount", String(table.rows.length + 1));
    root.setAttribute("aria-activedescendant", `cell-${row}-${col}`);
  }

  function drawHead() {
    const corner = node("div", "number");
    const labels = table.columns.map((column, index) => {
      const label = node("div", `label${index === col ? " chosen" : ""}`, column.label);
      label.style.width = `${column.width}px`;
      label.setAttribute("role", "columnheader");
      label.title = column.editable ? column.label : `${column.label}: a formula`;
      return label;
    });
    head.replaceChildren(corner, ...labels);
  }

  function line(index) {
    const rowId = table.rows[index];
    const made = node("div", `line${rowId === undefined ? " new" : ""}`);
    made.style.top = `${HEAD + index * ROW}px`;
    made.dataset.row = String(index);
    made.setAttribute("role", "row");
    const number = node("div", `number${index === row ? " chosen" : ""}`, String(index + 1));
    number.setAttribute("role", "rowheader");
    if (rowId !== undefined && !readOnly && index === row) number.append(menuButton(index));
    made.append(number, ...table.columns.map((column, at) => cell(column, index, at)));
    return made;
  }

  function cell(column, index, at) {
    const rowId = table.rows[index];
    const value = rowId === undefined ? null : table.cells[column.id]?.[index];
    const look = rowId === undefined ? { text: "" } : shown(value, column, table.names[column.id] ?? {});
    const made = node("div", `cell ${look.align ?? ""}${index === row && at === col ? " cursor" : ""}`);
    made.style.width = `${column.width}px`;
    made.id = `cell-${index}-${at}`;
    made.dataset.col = String(at);
    made.setAttribute("role", "gridcell");
    if (look.check) made.append(check());
    else if (look.tokens) made.append(...look.tokens.map(tokenNode));
    else made.textContent = look.text ?? look.fault ?? look.misfit ?? "";
    if (look.fault) made.classList.add("fault");
    if (look.misfit !== undefined) made.classList.add("misfit");
    if (made.textContent.length > 12) made.title = made.textContent;
    return made;
  }

  function menuButton(index) {
    const button = node("button", "row-menu", "⋮");
    button.type = "button";
    button.setAttribute("aria-label", `Row ${index + 1}`);
    button.addEventListener("click", () => {
      const box = button.getBoundingClientRect();
      openMenu(index, box.right, box.bottom);
    });
    return button;
  }

  function openMenu(index, x, y) {
    moveTo(index, col);
    const rowId = table.rows[index];
    if (rowId === undefined) return;
    const menu = node("div", "menu");
    menu.setAttribute("role", "menu");
    const remove = node("button", "", "Delete row");
    remove.type = "button";
    remove.setAttribute("role", "menuitem");
    menu.append(remove);
    menu.style.left = `${Math.min(x, window.innerWidth - 160)}px`;
    menu.style.top = `${Math.min(y, window.innerHeight - 60)}px`;
    const shut = () => {
      menu.remove();
      document.removeEventListener("mousedown", outside);
      root.focus({ preventScroll: true });
    };
    const outside = (event) => { if (!menu.contains(event.target)) shut(); };
    remove.addEventListener("click", () => { shut(); on.remove(rowId); });
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") shut(); });
    document.addEventListener("mousedown", outside);
    document.body.append(menu);
    remove.focus();
  }

  function cellAt(target) {
    const found = target.closest?.(".cell");
    return found && root.contains(found) ? [Number(found.parentElement.dataset.row), Number(found.dataset.col)] : null;
  }

  async function pressed(event) {
    if (editor && event.target === editor.input) return;
    const found = cellAt(event.target);
    const number = event.target.closest?.(".number");
    if (event.target.closest?.(".row-menu")) return;
    if (!found && !number?.parentElement.dataset.row) return;
    event.preventDefault();
    root.focus({ preventScroll: true });
    if (editor) await save();
    const again = found && found[0] === row && found[1] === col && event.button === 0;
    moveTo(...(found ?? [Number(number.parentElement.dataset.row), col]));
    const column = table.columns[col];
    if (again && column && pure(column.type) === "Bool") toggle();
    // Not the event dblclick: the first press redraws the cells, so the two have no common target.
    else if (again && event.detail > 1) edit();
  }

  function keyed(event) {
    if (editor || event.target.closest(".row-menu")) return;
    const ctrl = event.ctrlKey || event.metaKey;
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-20, 0], PageDown: [20, 0] };
    if (ctrl && event.key.toLowerCase() === "z") on.undo();
    else if (ctrl || event.altKey) return;
    else if (moves[event.key]) moveTo(row + moves[event.key][0], col + moves[event.key][1]);
    else if (event.key === "Tab") {
      // Beyond the first and last cell of a row the Tab key leaves the grid, as everywhere.
      const next = col + (event.shiftKey ? -1 : 1);
      if (next < 0 || next >= table.columns.length) return;
      moveTo(row, next);
    } else if (event.key === "Enter" || event.key === "F2") edit();
    else if (event.key === " " && pure(table.columns[col]?.type ?? "") === "Bool") toggle();
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else if (event.key.length === 1) edit(event.key);
    else return;
    event.preventDefault();
  }

  function moveTo(nextRow, nextCol) {
    const before = table.rows[row];
    row = Math.max(0, Math.min(nextRow, table.rows.length));
    col = Math.max(0, Math.min(nextCol, table.columns.length - 1));
    reveal();
    draw();
    if (table.rows[row] !== before) tell();
  }

  function tell() {
    on.cursor(table.rows[row] ?? "new");
  }

  function reveal() {
    const top = row * ROW;
    if (top < root.scrollTop) root.scrollTop = top;
    const below = top + ROW + HEAD - root.clientHeight;
    if (below > root.scrollTop) root.scrollTop = below;
    const left = table.columns.slice(0, col).reduce((sum, column) => sum + column.width, 0);
    if (left < root.scrollLeft) root.scrollLeft = left;
    const right = left + (table.columns[col]?.width ?? 0) + 53 - root.clientWidth;
    if (right > root.scrollLeft) root.scrollLeft = right;
  }

  function edit(start) {
    const column = table.columns[col];
    if (readOnly || !column?.editable || editor) return;
    if (pure(column.type) === "Bool" && start === undefined) { toggle(); return; }
    const rowId = table.rows[row] ?? null;
    const names = table.names[column.id] ?? {};
    const value = rowId === null ? null : table.cells[column.id]?.[row];
    const input = node("input", "editor");
    const list = node("datalist");
    list.id = "suggested";
    list.append(...suggestions(column, names).map((text) => { const option = node("option"); option.value = text; return option; }));
    input.setAttribute("list", list.id);
    input.setAttribute("aria-label", `${column.label}, row ${row + 1}`);
    input.value = start ?? typed(value, column, names);
    editor = { input, list, rowId, column, table: table.id, before: typed(value, column, names) };
    input.addEventListener("keydown", editorKeyed);
    input.addEventListener("blur", () => { if (editor?.input === input && document.hasFocus()) save(); });
    sheet.append(input, list);
    place();
    input.focus({ preventScroll: true });
    if (start === undefined) input.select();
  }

  async function editorKeyed(event) {
    event.stopPropagation();
    if (event.key === "Escape") {
      close();
      root.focus({ preventScroll: true });
      return;
    }
    if (event.key !== "Enter" && event.key !== "Tab") return;
    event.preventDefault();
    const [nextRow, nextCol] = event.key === "Enter" ? [row + 1, col] : [row, col + (event.shiftKey ? -1 : 1)];
    root.focus({ preventScroll: true });
    if (await save()) moveTo(nextRow, nextCol);
  }

  // True once the text is stored (or was unchanged); a refused text stays in its editor, so that nothing typed is lost.
  async function save() {
    const held = editor;
    if (!held || held.saving) return true;
    if (held.input.value === held.before) { close(); return true; }
    held.saving = true;
    try {
      await on.edit(held.rowId, { [held.column.id]: meant(held.input.value, held.column, table.names[held.column.id] ?? {}) });
    } catch {
      // The page has said what was wrong (see main.js); the person goes on from what they typed.
      held.saving = false;
      held.input.focus();
      return false;
    }
    if (editor === held) close();
    return true;
  }

  function close() {
    const { input, list } = editor;
    editor = null;
    input.remove();
    list.remove();
    draw();
  }

  function place() {
    const at = editor.rowId === null ? table.rows.length : table.rows.indexOf(editor.rowId);
    const index = at < 0 ? row : at;
    const column = table.columns.findIndex((other) => other.id === editor.column.id);
    const left = table.columns.slice(0, Math.max(column, 0)).reduce((sum, other) => sum + other.width, 53);
    Object.assign(editor.input.style, { top: `${HEAD + index * ROW}px`, left: `${left}px`, width: `${editor.column.width}px`, height: `${ROW}px` });
  }

  function toggle() {
    const column = table.columns[col];
    if (readOnly || !column.editable) return;
    const value = table.rows[row] === undefined ? false : table.cells[column.id][row];
    on.edit(table.rows[row] ?? null, { [column.id]: value !== true }).catch(() => draw());
  }

  function clear() {
    const column = table.columns[col];
    if (readOnly || !column?.editable || table.rows[row] === undefined) return;
    on.edit(table.rows[row], { [column.id]: pure(column.type) === "Bool" ? false : meant("", column, {}) }).catch(() => draw());
  }

  return {
    show,
    setReadOnly(value) { readOnly = value; },
    cursor: () => table.rows[row] ?? "new",
    tableId: () => table.id,
    /** Moves to a row by its id; false where the table has no such row. */
    moveToRow(rowId) {
      const index = rowId === "new" ? table.rows.length : table.rows.indexOf(rowId);
      if (index < 0) return false;
      moveTo(index, col);
      return true;
    },
  };
}

function node(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function tokenNode({ text, fill, color, unknown }) {
  const made = node("span", `token${unknown ? " unknown" : ""}`, text);
  if (fill) made.style.backgroundColor = fill;
  if (color) made.style.color = color;
  return made;
}

function check() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Yes");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M3 8.5l3.5 3.5L13 4.5");
  svg.append(path);
  return svg;
}
