// The only file that fetches: the backend's HTTP API, and the language file beside this page.
//
// Every request carries the Grist access token, has a timeout, and raises one of two errors: `Refused` (the
// backend answered with its error shape) or `Unreachable` (it did not answer as our backend does).

const TIMEOUT_MS = 20_000;

/** The backend said no: `status`, `code`, and `message` and `cure` in words for the person. */
export class Refused extends Error {
  constructor(status, { code, message, cure, details }) {
    super(message);
    Object.assign(this, { status, code, cure, details });
  }
}

/** No answer, or not one of ours (a router's page, a timeout). */
export class Unreachable extends Error {}

/**
 * The API of the backend at `base` (an origin, or "" for the page's own).
 * `token(renew)` resolves to the Grist access token, a fresh one where `renew` is true.
 * `heard(body)` resolves to an answer with the service's sentences in the person's language.
 * GETs resolve to `{changed, body}`; `changed` is false where the ETag says that nothing is new.
 */
export function createApi({ base, token, heard = async (body) => body }) {
  const known = new Map();
  const link = (id, path) => `/api/links/${id}/${path}`;

  async function call(method, path, body, more = {}) {
    // What is known may be forgotten while it is asked whether it still holds.
    const held = method === "GET" ? known.get(path) : undefined;
    const ask = async (renew) => {
      const bearer = await token(renew);
      return waitedFor(await send(method, path, body, bearer, { ...more, ...(held && { "If-None-Match": held.etag }) }), bearer);
    };
    let response = await ask(false);
    // The token ended early (a laptop that slept): renewed once, in silence.
    if (response.status === 401) response = await ask(true);
    if (response.status === 304) return { changed: false, body: held.body };
    const answer = await heard(await read(response));
    if (response.status >= 400) throw refusal(response.status, answer);
    const etag = response.headers.get("ETag");
    if (method === "GET" && etag) known.set(path, { etag, body: answer });
    return { changed: true, body: answer };
  }

  /** A file: text out, text in; the answer to a sent one is JSON. */
  async function file(method, path, text) {
    const ask = async (renew) => {
      const bearer = await token(renew);
      return waitedFor(await fetchOrLost(base + path, {
        method, headers: { Authorization: `Bearer ${bearer}`, ...(text === undefined ? {} : { "Content-Type": "text/yaml" }) },
        body: text, signal: AbortSignal.timeout(TIMEOUT_MS), credentials: "omit", cache: "no-store",
      }), bearer);
    };
    let response = await ask(false);
    if (response.status === 401) response = await ask(true);
    if (response.status >= 400) throw refusal(response.status, await heard(await read(response)));
    return method === "GET" ? response.text() : heard(await read(response));
  }

  async function send(method, path, body, bearer, more) {
    const headers = { Authorization: `Bearer ${bearer}`, Accept: "application/json", ...more };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return fetchOrLost(base + path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS), credentials: "omit", cache: "no-store",
    });
  }

  /** The answer itself, where the backend says that it has to ask Shopify or Grist first. */
  async function waitedFor(response, bearer) {
    if (response.status !== 202) return response;
    const { asked } = await read(response.clone());
    if (asked === undefined) return response;
    const { patiently } = await import("./asked.js");
    const found = await patiently(() => fetchOrLost(`${base}/api/asked/${asked}`, {
      headers: { Authorization: `Bearer ${bearer}`, Accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS), credentials: "omit", cache: "no-store",
    }));
    if (found === null) throw new Unreachable("no answer in time");
    return found;
  }

  const get = (path) => call("GET", path);
  const post = async (path, body = {}) => (await call("POST", path, body)).body;
  const put = async (path, body, more) => (await call("PUT", path, body, more)).body;
  const del = async (path) => (await call("DELETE", path)).body;
  return {
    /** What was answered so far is asked for anew: it may be in another language now. */
    forget: () => known.clear(),
    session: () => get("/api/session"),
    testStore: (body) => post("/api/link/test", body),
    connectStore: (body) => post("/api/link", body),
    moveLink: (body) => post("/api/link/move", body),
    replaceStore: (id, body) => put(link(id, "store"), body),
    disconnect: (id) => del(`/api/links/${id}`),
    settings: (id) => get(link(id, "settings")),
    saveSettings: (id, body) => put(link(id, "settings"), body),
    setGristKey: (id, key) => put(link(id, "grist-key"), { key }),
    removeGristKey: (id) => del(link(id, "grist-key")),
    setNotifyUrl: (id, url) => put(link(id, "notify-url"), { url }),
    removeNotifyUrl: (id) => del(link(id, "notify-url")),
    keys: (id) => get(link(id, "keys")),
    makeKey: (id, name) => post(link(id, "keys"), { name }),
    revokeKey: (id, key) => del(link(id, `keys/${key}`)),
    exportConfig: (id) => file("GET", link(id, "config.yaml")),
    importConfig: (id, text, preview) => file("PUT", link(id, `config.yaml${preview ? "?preview=true" : ""}`), text),
    health: (id) => get(link(id, "health")),
    checkHealth: (id) => post(link(id, "health")),
    resources: (id) => get(link(id, "resources")),
    look: (id) => post(link(id, "look")),
    tables: (id) => get(link(id, "tables")),
    mappings: (id) => get(link(id, "mappings")),
    /** `version` is the one that was read; a newer one refuses with 412. */
    saveMappings: (id, version, body) => put(link(id, "mappings"), body, { "If-Match": `"${version}"` }),
    effect: (id, body) => post(link(id, "mappings/effect"), body),
    pairs: (id) => get(link(id, "pairs")),
    answerPairs: (id, body) => post(link(id, "pairs"), body),
    state: (id) => get(link(id, "state")),
    runs: (id) => get(link(id, "runs?limit=20")),
    run: (id, run) => get(link(id, `runs/${run}`)),
    startRun: (id, kind, more = {}) => post(link(id, "runs"), { kind, ...more }),
    undo: (id, wanted, preview) => post(link(id, "undo"), { ...wanted, preview }),
    cancelRun: (id, run) => post(link(id, `runs/${run}/cancel`)),
    conflicts: (id, after) => get(link(id, `conflicts?limit=200${after === null ? "" : `&after=${after}`}`)),
    choose: (id, choices) => post(link(id, "choices"), { choices }),
    apart: (id, limit) => get(link(id, `apart?limit=${limit}`)),
    askAgain: (id, ids) => post(link(id, "apart"), { ask_again: ids }),
    refused: (id, limit) => get(link(id, `refused?limit=${limit}`)),
    deletions: (id, limit) => get(link(id, `deletions?limit=${limit}`)),
    along: (id, limit) => get(link(id, `deletions/along?limit=${limit}`)),
    row: (id, { resource, row }) => get(link(id, `row?resource=${encodeURIComponent(resource)}&row=${row}`)),
    answerDeletions: (id, answer) => post(link(id, "deletions"), answer),
    actions: (id) => get(link(id, "actions?limit=50")),
    previewActions: (id, wanted) => post(link(id, "actions/preview"), wanted),
    startActions: (id, wanted) => post(link(id, "actions"), wanted),
    settleAction: (id, number, happened) => post(link(id, `actions/${number}`), { happened }),
    /** `of`: the one row whose history it is, `{resource, row}`; without it all changes. */
    changes: (id, before, of) => get(link(id, `changes?limit=${before === null ? 100 : 500}${before === null ? "" : `&before=${before}`}${of ? `&resource=${encodeURIComponent(of.resource)}&row=${of.row}` : ""}`)),
  };
}

/**
 * The sentences of `language` ("de-DE" reads de.json), English where there is no such file. `part` is "" for what is
 * said at first, ".more" for the rest.
 */
export async function loadStrings(language, part) {
  const short = language.toLowerCase().split("-")[0];
  for (const name of short === "en" ? ["en"] : [short, "en"]) {
    const response = await fetchOrLost(new URL(`i18n/${name}${part}.json`, import.meta.url));
    if (response.ok) return response.json();
    if (name === "en") throw new Unreachable(`i18n/en${part}.json answered ${response.status}`);
  }
  return null;
}

/** What the service says, in `language`; null where nobody has put it into that one. */
export async function loadSaid(language) {
  const response = await fetchOrLost(new URL(`i18n/${language}.said.json`, import.meta.url));
  if (response.ok) return response.json();
  if (response.status === 404) return null;
  throw new Unreachable(`i18n/${language}.said.json answered ${response.status}`);
}

async function fetchOrLost(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    throw new Unreachable(String(error), { cause: error });
  }
}

async function read(response) {
  if (response.status === 204) return null;
  try {
    return await response.json();
  } catch (error) {
    throw new Unreachable(`${response.status} without JSON`, { cause: error });
  }
}

function refusal(status, answer) {
  // A gateway's own JSON is not our error shape: it means that our backend was not reached.
  if (typeof answer?.message !== "string" || typeof answer?.code !== "string") return new Unreachable(`${status} in another shape`);
  return new Refused(status, answer);
}
