// The page: which table is shown, what its person changed, and keeping up with what others change.

import { connect } from "./server.js";
import { makeFrame } from "./frame.js";
import { makeGrid } from "./grid.js";
import { shown } from "./format.js";
import { applyTheme } from "./theme.js";

const POLL_MS = 500;
const TOAST_MS = 6000;

const query = new URLSearchParams(location.search);
const docId = decodeURIComponent(location.pathname.split("/")[2]);
const server = connect(docId, query.get("as") ?? "owner");
const at = (id) => document.getElementById(id);

let tables = [];
let data = null;
let widget = { tell() {} };
let options = {};
const mine = [];

const theme = await applyTheme();
const setup = await server.setup();
const readOnly = setup.role === "viewer";
const grid = makeGrid(at("grid"), {
  edit: (rowId, values) => change([rowId === null ? ["AddRecord", grid.tableId(), null, values] : ["UpdateRecord", grid.tableId(), rowId, values]]),
  remove: (rowId) => change([["RemoveRecord", grid.tableId(), rowId]]).catch(() => {}),
  undo,
  cursor: (rowId) => widget.tell({ tableId: grid.tableId(), rowId }),
});
grid.setReadOnly(readOnly);

document.title = `${setup.name} – Grist stand-in`;
at("crumb-name").textContent = setup.name;
at("account").textContent = `@You, ${setup.role}`;
at("undo").addEventListener("click", undo);
at("opener").addEventListener("click", () => openPanel(!at("panel").classList.contains("open")));
at("shade").addEventListener("click", () => openPanel(false));
window.addEventListener("hashchange", () => refresh().catch(tellError));
window.addEventListener("keydown", (event) => { if (event.key === "Escape") openPanel(false); });

await server.changed();
await refresh();
await startWidget();
poll();

async function refresh() {
  tables = await server.tables();
  const table = chosen();
  drawPages(table);
  at("crumb-table").textContent = table?.id ?? "";
  at("grid-title").textContent = table?.id ?? "No tables yet";
  if (!table) return;
  data = await server.table(table.id);
  if (chosen()?.id !== table.id) return; // another table was chosen meanwhile, and is being read
  grid.show({ id: table.id, columns: table.columns, rows: data.id, cells: data.cells, names: data.shown });
}

function chosen() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  return tables.find((table) => table.id === wanted) ?? tables.find((table) => table.id !== "Table1") ?? tables[0];
}

async function poll() {
  try {
    if (await server.changed()) {
      await refresh();
      widget.tell({ tableId: grid.tableId(), rowId: grid.cursor(), dataChange: true });
    }
    hideToast("lost");
  } catch (error) {
    tellError(error, "lost");
  }
  setTimeout(poll, POLL_MS);
}

async function change(actions) {
  try {
    const done = await server.apply(actions);
    if (done.isModification) mine.push(done.actionNum);
    at("undo").disabled = mine.length === 0;
  } catch (error) {
    tellError(error);
    throw error;
  }
  await refresh();
}

async function undo() {
  const n = mine.pop();
  at("undo").disabled = mine.length === 0;
  if (n === undefined) return;
  try {
    await server.undo(n);
    await refresh();
  } catch (error) {
    tellError(error);
  }
}

function drawPages(table) {
  at("pages").replaceChildren(...tables.map(({ id }) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const initial = document.createElement("span");
    initial.className = "initial";
    initial.textContent = id[0].toUpperCase();
    initial.setAttribute("aria-hidden", "true");
    link.href = `#${encodeURIComponent(id)}`;
    if (id === table?.id) link.setAttribute("aria-current", "page");
    link.append(initial, id);
    link.addEventListener("click", () => openPanel(false));
    item.append(link);
    return item;
  }));
}

async function startWidget() {
  const place = at("widget-frame");
  if (!setup.backend) {
    const empty = document.createElement("p");
    empty.className = "empty";
    empty.textContent = "No widget is set up. Start the stand-in with --backend and the address of the sync service.";
    place.replaceChildren(empty);
    return;
  }
  options = await server.options();
  widget = makeFrame(place, setup.backend, readOnly, { methods: widgetMethods(), state: widgetState });
  theme.onChange((now) => widget.tell({ theme: now }));
}

function widgetState() {
  return { tableId: grid.tableId(), rowId: grid.cursor(), options: saved(), settings: { accessLevel: "full" }, theme: theme.current() };
}

function widgetMethods() {
  return {
    configure: () => null,
    mappings: () => null,
    themeInitialized: () => null,
    getDocName: () => docId,
    listTables: () => tables.map(({ id }) => id).sort(),
    fetchTable: async (tableId) => { const read = await server.table(tableId); return { id: read.id, ...read.cells }; },
    applyUserActions: async (actions, { parseStrings = true } = {}) => {
      const done = await server.apply(actions, parseStrings);
      await refresh();
      return done;
    },
    getAccessToken: ({ readOnly: only = false } = {}) => server.token(only),
    fetchSelectedTable: () => ({ id: data.id, ...data.cells }),
    fetchSelectedRecord: (rowId) => record(rowId),
    setCursorPos: moveCursor,
    setSelectedRows: () => null,
    allowSelectBy: () => null,
    getOption: (key) => options[key] ?? null,
    getOptions: saved,
    setOption: (key, value) => store({ ...options, [key]: value }),
    setOptions: (all) => store({ ...all }),
    clearOptions: () => store({}),
  };
}

function saved() {
  return Object.keys(options).length ? options : null;
}

async function store(next) {
  options = await server.saveOptions(next);
  widget.tell({ options: saved(), settings: { accessLevel: "full" } });
}

// The row as a widget gets it: references by the name of their row.
function record(rowId) {
  const index = data.id.indexOf(rowId);
  if (index < 0) return null;
  const columns = tables.find(({ id }) => id === grid.tableId())?.columns ?? [];
  const fields = columns.map((column) => {
    const value = data.cells[column.id]?.[index];
    const isReference = column.type.startsWith("Ref:");
    return [column.id, isReference ? shown(value, column, data.shown[column.id] ?? {}).text ?? value : value];
  });
  return { id: rowId, ...Object.fromEntries(fields) };
}

// Grist knows no tableId here and ignores it; the stand-in's page takes it to switch tables too.
async function moveCursor({ rowId, tableId }) {
  if (tableId && tableId !== grid.tableId() && tables.some(({ id }) => id === tableId)) {
    history.pushState(null, "", `#${encodeURIComponent(tableId)}`);
    await refresh();
  }
  grid.moveToRow(rowId);
}

function openPanel(open) {
  at("panel").classList.toggle("open", open);
  at("opener").setAttribute("aria-expanded", String(open));
}

let toastTimer = null;
function tellError(error, kind = "said") {
  const toast = at("toast");
  toast.textContent = kind === "lost" ? "The stand-in does not answer. Trying again." : error.message;
  toast.dataset.kind = kind;
  toast.hidden = false;
  clearTimeout(toastTimer);
  if (kind === "said") toastTimer = setTimeout(() => hideToast("said"), TOAST_MS);
}

function hideToast(kind) {
  if (at("toast").dataset.kind === kind) at("toast").hidden = true;
}
