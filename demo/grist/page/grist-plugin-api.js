// What a custom widget loads from Grist: `window.grist`, with the surface of Grist's own plugin API.
// It talks to the stand-in's page by postMessage, only to the origin that this script came from.

(() => {
  "use strict";
  const gristOrigin = new URL(document.currentScript.src).origin;
  const listeners = [];
  const waiting = new Map();
  let lastCall = 0;
  let isReady = false;
  let editOptions = null;
  let tableId;
  let tableKnown;
  const table = new Promise((resolve) => { tableKnown = resolve; });

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== gristOrigin || !event.data) return;
    if (event.data.gristAnswer !== undefined) answered(event.data);
    else if (event.data.gristEvent) heard(event.data.gristEvent);
    else if (event.data.gristEditOptions) editOptions?.();
  });

  function answered({ gristAnswer, result, error }) {
    const call = waiting.get(gristAnswer);
    waiting.delete(gristAnswer);
    if (error !== undefined) call?.reject(new Error(error));
    else call?.resolve(result);
  }

  function heard(message) {
    if (message.tableId && message.tableId !== tableId) {
      tableId = message.tableId;
      tableKnown(tableId);
    }
    if (message.theme) showTheme(message.theme);
    for (const listener of [...listeners]) listener(message);
  }

  function call(method, ...args) {
    return new Promise((resolve, reject) => {
      lastCall += 1;
      waiting.set(lastCall, { resolve, reject });
      window.parent.postMessage({ gristCall: lastCall, method, args }, gristOrigin);
    });
  }

  function methods(...names) {
    return Object.fromEntries(names.map((name) => [name, (...args) => call(name, ...args)]));
  }

  function showTheme({ appearance, name, colors }) {
    const root = document.documentElement;
    let style = document.getElementById("grist-theme");
    if (!style) {
      style = document.createElement("style");
      style.id = "grist-theme";
      document.head.append(style);
    }
    const lines = Object.entries(colors).map(([property, value]) => `--grist-theme-${property}: ${value};`);
    style.textContent = `@layer grist-theme { :root { ${lines.join("\n")} } }`;
    root.style.setProperty("color-scheme", appearance);
    root.setAttribute("data-grist-theme", name);
    root.setAttribute("data-grist-appearance", appearance);
    root.setAttribute("data-grist-widget", "true");
  }

  // A cell as widgets see it by default: lists as arrays, dates as Date.
  function decoded(value) {
    if (!Array.isArray(value)) return value;
    if (value[0] === "L") return value.slice(1).map(decoded);
    if (value[0] === "D" || value[0] === "d") return new Date(value[1] * 1000);
    return value;
  }

  function decodedRecord(record) {
    return record && Object.fromEntries(Object.entries(record).map(([key, value]) => [key, decoded(value)]));
  }

  async function fetchSelectedRecord(rowId, { keepEncoded = false } = {}) {
    const record = await call("fetchSelectedRecord", rowId);
    return keepEncoded ? record : decodedRecord(record);
  }

  async function fetchSelectedTable({ keepEncoded = false, format = "columns" } = {}) {
    const columns = await call("fetchSelectedTable");
    if (format === "columns" && keepEncoded) return columns;
    const keys = Object.keys(columns);
    const change = keepEncoded ? (value) => value : decoded;
    if (format === "columns") return Object.fromEntries(keys.map((key) => [key, columns[key].map(change)]));
    return columns.id.map((_, index) => Object.fromEntries(keys.map((key) => [key, change(columns[key][index])])));
  }

  function getTable(wanted) {
    const name = async () => wanted ?? await table;
    const rows = (records) => (Array.isArray(records) ? records : [records]);
    return {
      getTableId: name,
      async create(records) {
        const made = rows(records).map(({ fields }) => fields ?? {});
        const done = await call("applyUserActions", await Promise.all(made.map(async (fields) => ["AddRecord", await name(), null, fields])));
        const ids = done.retValues.map((id) => ({ id }));
        return Array.isArray(records) ? ids : ids[0];
      },
      async update(records) {
        const id = await name();
        await call("applyUserActions", rows(records).map((record) => ["UpdateRecord", id, record.id, record.fields]));
      },
      async destroy(ids) {
        await call("applyUserActions", [["BulkRemoveRecord", await name(), rows(ids)]]);
      },
    };
  }

  const on = (event, listener) => { if (event === "message") listeners.push(listener); };
  const viewApi = { ...methods("setSelectedRows", "setCursorPos", "allowSelectBy"), fetchSelectedRecord, fetchSelectedTable };
  const widgetApi = methods("getOption", "setOption", "getOptions", "setOptions", "clearOptions");
  const docApi = {
    ...methods("getDocName", "listTables", "fetchTable", "applyUserActions", "getAccessToken"),
    ...viewApi,
  };

  window.grist = {
    docApi,
    viewApi,
    widgetApi,
    sectionApi: methods("configure", "mappings"),
    on,
    getTable,
    selectedTable: getTable(),
    getSelectedTableId: () => table,
    getSelectedTableIdSync: () => tableId,
    getAccessToken: (options) => docApi.getAccessToken(options ?? {}),
    fetchSelectedRecord,
    fetchSelectedTable,
    ...widgetApi,
    setCursorPos: viewApi.setCursorPos,
    setSelectedRows: viewApi.setSelectedRows,
    allowSelectBy: viewApi.allowSelectBy,
    mapColumnNames: (records) => records,
    mapColumnNamesBack: (records) => records,
    decodeObject: decoded,

    /** Says that the widget listens. Nothing is told to it before. */
    ready(settings = {}) {
      if (isReady) return;
      isReady = true;
      const { onEditOptions, ...wanted } = settings;
      editOptions = onEditOptions ?? null;
      call("ready").then(() => call("configure", { ...wanted, hasCustomOptions: Boolean(onEditOptions) }));
    },

    /** `callback(record, mappings)` for the row under the cursor, again when the document changes. */
    onRecord(callback, options = {}) {
      on("message", async (message) => {
        if (!message.tableId || !message.rowId || message.rowId === "new") return;
        const record = await fetchSelectedRecord(message.rowId, options);
        if (record) callback(record, null);
      });
    },

    onNewRecord(callback) {
      on("message", (message) => { if (message.tableId && message.rowId === "new") callback(null); });
    },

    onRecords(callback, options = {}) {
      on("message", async (message) => {
        if (!message.tableId || !message.dataChange) return;
        callback(await fetchSelectedTable({ format: "rows", ...options }), null);
      });
    },

    /** `callback(options, settings)` at the start and whenever the saved options change. */
    onOptions(callback) {
      on("message", (message) => { if (message.settings) callback(message.options ?? null, message.settings); });
    },
  };
})();
