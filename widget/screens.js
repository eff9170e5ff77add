// The screens that come when somebody first looks at them, each with what it needs besides its own module: what its
// buttons do, the words that only such screens say, and their style. Overview is not among them: it is the first look.
//
//   tab pressed → bring(name) → modules, words and sheet are there → drawn
//
// Addresses are relative to this file, so that any static host will do.

const own = {}; // by name: the component
const actions = {}; // by name of a file in actions/: the promise that its functions are on `on`
const sheets = {}; // by part: the promise of its sheet
const SHEETS = { lists: "lists.css", more: "screens.css" };

// `part`: which further sentences it says, i18n/<language>.<part>.json, and which sheet it wears.
const screen = (view, load, needs = [], part = "more") => ({ view, load, needs, part });
const SCREENS = {
  conflicts: screen("Conflicts", () => import("./views/conflicts.js"), ["beside", "choices"], "lists"),
  deletions: screen("Deletions", () => import("./views/deletions.js"), ["beside"], "lists"),
  refused: screen("Refused", () => import("./views/refused.js"), [], "lists"),
  changes: screen("Changes", () => import("./views/changes.js"), [], "lists"),
  pairs: screen("Pairs", () => import("./views/pairs.js"), ["mapping"]),
  actions: screen("Actions", () => import("./views/actions.js"), ["deeds"]),
  mapping: screen("Mapping", () => import("./views/mapping.js"), ["mapping"]),
  rowLine: screen("RowLine", () => import("./views/row-line.js"), ["beside"], "lists"),
  health: screen("Health", () => import("./views/health.js"), ["settings"]),
  help: screen("Help", () => import("./views/help.js")),
  settings: screen("Settings", () => import("./views/settings.js"), ["settings"]),
  store: screen("StoreScreen", () => import("./views/store.js"), ["connect"]),
  firstRun: screen("FirstRun", () => import("./views/first-run.js"), ["connect", "mapping"]),
};
const ACTIONS = {
  beside: () => import("./actions/beside.js").then((file) => file.besideActions),
  choices: () => import("./actions/choices.js").then((file) => file.choiceActions),
  connect: () => import("./actions/connect.js").then((file) => file.connectActions),
  deeds: () => import("./actions/deeds.js").then((file) => file.deedActions),
  mapping: () => import("./actions/mapping.js").then((file) => file.mappingActions),
  settings: () => import("./actions/settings.js").then((file) => file.settingsActions),
};

/** The component of a screen; null while it is on its way, or before anybody asked for it. */
export function screenOf(name) {
  return own[name] ?? null;
}

/**
 * Brings a screen and all it needs; resolves to whether something new came. `w` is the widget that its actions work
 * with, `words(part)` reads further sentences. Raises where a file cannot be fetched; asked again, it tries again.
 */
export async function bring(name, w, words) {
  if (own[name] || !SCREENS[name]) return false;
  const { view, load, needs, part } = SCREENS[name];
  const [file] = await Promise.all([load(), words(part), style(part), ...needs.map((one) => act(one, w))]);
  own[name] = file[view];
  return true;
}

/** Begins to fetch a screen that somebody is about to open. What goes wrong is told when they do. */
export function expect(name) {
  if (!own[name]) SCREENS[name]?.load().catch(() => {});
}

function act(name, w) {
  actions[name] ??= ACTIONS[name]().then((make) => { Object.assign(w.on, make(w)); }).catch((error) => {
    delete actions[name];
    throw error;
  });
  return actions[name];
}

function style(part) {
  sheets[part] ??= new Promise((resolve, reject) => {
    const name = SHEETS[part];
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL(name, import.meta.url).href });
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => {
      delete sheets[part];
      link.remove();
      reject(new TypeError(`${name} cannot be fetched`));
    });
    document.head.append(link);
  });
  return sheets[part];
}
