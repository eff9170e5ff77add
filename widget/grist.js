// The only file that touches Grist: its plugin API, what it passes in the address, and the row chosen in the grid.

const DEFAULT_PLUGIN_API = "https://docs.getgrist.com/grist-plugin-api.js";
const READY_MS = 15_000;
// A sync that works with this token stops two minutes before its end, so a newer one is there well before that.
const RENEW_EARLY_MS = 300_000;

/** Grist gave no access token: the widget may not act for anybody. */
export class NoToken extends Error {}

/** What Grist and the person who set the widget up pass in its address. */
export function settings(search = location.search) {
  const query = new URLSearchParams(search);
  return {
    access: query.get("access"),
    readonly: query.get("readonly") === "true",
    culture: culture(query.get("culture")),
    language: query.get("language") || "en-US",
    timeZone: zone(query.get("timeZone")),
    currency: query.get("currency") || "USD",
    backend: (query.get("backend") || "").replace(/\/+$/, ""),
  };
}

/** True where there is a parent frame that can be Grist. */
export function isFramed() {
  return window.parent !== window;
}

/**
 * Loads the plugin API and says hello. `heard.access(level)` and `heard.row({table, row} | null)` are called as Grist
 * reports them. Resolves to `{token(renew), document(), places(), showRow(row), table()}`; raises where the plugin API cannot be loaded.
 */
export async function connect({ readonly }, heard) {
  const grist = await load(pluginAddress(location.search, document.querySelector('meta[name="grist-plugin-api"]')?.content ?? ""));
  let held = null;
  let asking = null;
  let table = null;

  async function token(renew) {
    if (!renew && held && Date.now() < held.ends) return held.token;
    // One request for many callers: a poll and a button may ask at the same moment.
    asking ??= grist.docApi.getAccessToken({ readOnly: readonly }).then((answer) => {
      const early = Math.min(RENEW_EARLY_MS, answer.ttlMsecs / 2);
      held = { token: answer.token, ends: Date.now() + answer.ttlMsecs - early, address: answer.baseUrl };
      return held.token;
    }, (error) => {
      throw new NoToken(String(error), { cause: error });
    }).finally(() => { asking = null; });
    return asking;
  }

  grist.onOptions((options, interaction) => heard.access(interaction?.accessLevel ?? "full"));
  grist.onRecord(async (record) => {
    if (!record || typeof record.id !== "number") return heard.row(null);
    table = await tableOf(grist);
    return heard.row({ table, row: record.id });
  });
  grist.onNewRecord?.(() => heard.row(null));
  await grist.ready({ requiredAccess: "full", allowSelectBy: true, onEditOptions: () => heard.configure?.() });
  return {
    token,
    document: () => documentOf(held?.token),
    places: () => placesOf(held?.address),
    table: () => table,
    showRow: (row) => grist.setCursorPos({ rowId: row }),
    /** Changes the document as the person who looks: Grist's own undo takes it back. */
    apply: (actions) => grist.docApi.applyUserActions(actions),
  };
}

/** The document a Grist token is for, read from its payload; "" where the token is of another form. */
export function documentOf(token) {
  try {
    const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(atob(payload)).docId ?? "";
  } catch {
    // Only a name for this browser's own storage: without it nothing is kept, and nothing else changes.
    return "";
  }
}

/**
 * Pages of Grist about this document, from the address of its API: `{rules, download}`. They are opened by the person,
 * with their own session: the widget's token opens neither. Null where the address is of another form.
 */
export function placesOf(address) {
  const [, home, id] = /^(https?:\/\/[^/?#@]+(?:\/o\/[\w-]+)?)\/api\/docs\/([\w~-]+)$/.exec(address ?? "") ?? [];
  return id ? { rules: `${home}/doc/${id}/p/acl`, download: `${address}/download` } : null;
}

/**
 * Where the plugin API is loaded from. A backend that serves this page names the Grist server in `served`, and nothing
 * else is loaded then: a link to the page must not choose whose script runs in it. A page from elsewhere (`served` is
 * still the placeholder) takes `?grist=`, an https or loopback address; any other raises.
 */
export function pluginAddress(search, served) {
  if (served && !served.startsWith("__")) return served;
  const wanted = new URLSearchParams(search).get("grist");
  if (!wanted) return DEFAULT_PLUGIN_API;
  const address = new URL(wanted);
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(address.hostname);
  if (address.protocol !== "https:" && !(address.protocol === "http:" && loopback)) throw new Error(`${wanted} is neither https nor on this machine`);
  if (address.username || address.password) throw new Error("An address of Grist holds no name and password");
  return address.pathname.endsWith(".js") ? address.href : `${address.origin}${address.pathname.replace(/\/+$/, "")}/grist-plugin-api.js`;
}

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const late = setTimeout(() => reject(new Error(`${address} did not load in ${READY_MS / 1000} s`)), READY_MS);
    script.src = address;
    script.onload = () => {
      clearTimeout(late);
      if (window.grist) resolve(window.grist);
      else reject(new Error(`${address} is not Grist's plugin API`));
    };
    script.onerror = () => {
      clearTimeout(late);
      reject(new Error(`${address} could not be loaded`));
    };
    document.head.append(script);
  });
}

async function tableOf(grist) {
  return (await grist.selectedTable?.getTableId?.()) ?? null;
}

function culture(value) {
  try {
    return Intl.getCanonicalLocales(value || "en-US")[0];
  } catch {
    // Grist lets people choose freely; an unknown culture must not stop the sync.
    return "en-US";
  }
}

function zone(value) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value || "UTC" }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}
