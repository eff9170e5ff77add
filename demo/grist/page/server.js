// The only file that fetches: the page's own endpoints, for one document and the person who looks.

/** What the page can ask; every call raises an Error in Grist's words when it is refused. */
export function connect(docId, role) {
  const base = `/page/${encodeURIComponent(docId)}`;
  let tag = null;

  async function ask(method, path, body) {
    const response = await fetch(`${base}${path}?as=${encodeURIComponent(role)}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answered = await response.json();
    if (!response.ok) throw new Error(answered.error ?? `The server answered ${response.status}.`);
    return answered;
  }

  return {
    setup: () => ask("GET", "/setup"),
    tables: async () => (await ask("GET", "/tables")).tables,
    table: (tableId) => ask("GET", `/tables/${encodeURIComponent(tableId)}`),
    apply: (actions, parse = true) => ask("POST", "/apply", { actions, parse }),
    undo: (n) => ask("POST", "/undo", { n }),
    token: (readOnly) => ask("POST", "/token", { readOnly }),
    options: () => ask("GET", "/options"),
    saveOptions: (options) => ask("PUT", "/options", options),
    /** True once the document has changed since the last call. */
    async changed() {
      const response = await fetch(`${base}/version`, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (response.status === 304) return false;
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      tag = response.headers.get("ETag");
      return true;
    },
  };
}
