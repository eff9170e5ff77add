// What Grist's plugin API gives a widget, as far as ours asks. `fakeGrist` lets a test choose a row or take access away.
(() => {
  const variables = __VARIABLES__;
  // Grist's own script writes its theme into a style element; the backend's policy must let that through.
  const style = document.createElement("style");
  style.textContent = `:root { ${Object.entries(variables).map(([name, value]) => `${name}: ${value};`).join(" ")} }`;
  document.head.append(style);
  const listeners = { options: [], record: [] };
  const access = new URLSearchParams(location.search).get("access") || "full";
  let tokens = 0;
  // Every request says which test its page belongs to, and is counted until its answer is there whole.
  const send = window.fetch.bind(window);
  window.fetch = async (address, options = {}) => {
    window.fakeGrist.pending += 1;
    try {
      const response = await send(address, { ...options, headers: { ...options.headers, "X-Stage": "__STAGE__" } });
      await response.clone().arrayBuffer();
      return response;
    } finally {
      window.fakeGrist.pending -= 1;
    }
  };
  window.fakeGrist = {
    cursor: [],
    pending: 0,
    ready: null,
    applied: [],
    table: "Variants",
    address: window.gristAddress ?? "https://grist.example/o/shop/api/docs/demoDocument",
    select: (table, row) => { window.fakeGrist.table = table; window.fakeGrist.choose(row); },
    choose: (row) => { for (const heard of listeners.record) heard({ id: row }); },
    access: (level) => { for (const heard of listeners.options) heard({}, { accessLevel: level }); },
  };
  window.grist = {
    ready: (wanted) => {
      window.fakeGrist.ready = wanted;
      for (const heard of listeners.options) heard({}, { accessLevel: access });
    },
    onOptions: (heard) => listeners.options.push(heard),
    onRecord: (heard) => listeners.record.push(heard),
    onNewRecord: () => {},
    selectedTable: { getTableId: async () => window.fakeGrist.table },
    setCursorPos: async (position) => { window.fakeGrist.cursor.push(position); },
    docApi: {
      applyUserActions: async (actions) => {
        window.fakeGrist.applied.push(...actions);
        await fetch("/seen/actions", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(actions) });
        return { retValues: [] };
      },
      getAccessToken: async () => {
        tokens += 1;
        const payload = btoa(JSON.stringify({ docId: "demoDocument", n: tokens })).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
        return { token: `head.${payload}.sign`, baseUrl: window.fakeGrist.address, ttlMsecs: 900000 };
      },
    },
  };
})();
