// Brings the parts together: events into the state, the state onto the screen, the clock and the backend into events.

import { Refused, Unreachable, createApi, loadSaid, loadStrings } from "./api.js";
import { createFormat } from "./format.js";
import { NoToken, connect, isFramed, settings } from "./grist.js";
import { bring, expect } from "./screens.js";
import { isFirstRun } from "./slices/first-run.js";
import { historyOf, initial, isUnreachable, reduce, rowToSync, screenName } from "./state.js";
import { html, render } from "./vendor/preact-htm.js";
import { resultWords } from "./views/overview.js";
import { App, runWords } from "./views/app.js";

const RUNNING_MS = 1_000;
const IDLE_MS = 10_000;
const RETRY_MS = [2_000, 5_000, 10_000, 20_000];
const TOAST_MS = 6_000;
const CALM_MS = 150; // whoever runs through the grid is not followed row by row
const KEPT_CHOICES = "shopify-grist-sync:choices:";
const KEPT_STATE = "shopify-grist-sync:state:";
const KEPT_HERE = "shopify-grist-sync:";

const KEPT_LETTERS = "shopify-grist-sync:letters";

// Whether an answer may hold a sentence of the service; said.js knows which.
const SENTENCES = /"(message|cure|reason|paused|facts|why|final|without|problem|trouble|effect)":\[?"[^"]/;

const root = document.getElementById("root");
const wanted = settings();
let state = initial(wanted, Date.now());
let f = null;
let api = null;
let grist = null;
let timer = null;
let failures = 0;
let polling = null;
let drawn = false;
let looked = "overview";
const timers = {};
const strings = {}; // by language and part: the promise of its sentences
const further = new Set(); // the parts of them that were asked for
let [sentences, spoken] = [null, null];


async function start() {
  await speak(wanted.language);
  dispatch({ type: "letters", on: localStorage.getItem(KEPT_LETTERS) !== "off" });
  draw();
  addEventListener("resize", draw); // what is asked of the width is asked anew
  setInterval(() => dispatch({ type: "tick", now: Date.now() }), 1_000);
  if (!isFramed()) return dispatch({ type: "phase", phase: "no_frame" });
  if (wanted.access && wanted.access !== "full") dispatch({ type: "access", level: wanted.access });
  try {
    grist = await connect(wanted, {
      access: (level) => {
        const before = state.phase;
        dispatch({ type: "access", level });
        if (before === "no_access" && level === "full" && grist) poll();
      },
      configure: () => on.go("settings"),
      row: (cursor) => {
        dispatch({ type: "cursor", cursor, working: isWorking() });
        if (state.tab === "actions") on.lookAtDeeds?.();
        clearTimeout(timers.row);
        if (rowToSync(state)) timers.row = setTimeout(lookAtRow, CALM_MS);
      },
    });
  } catch (error) {
    console.error(error);
    return dispatch({ type: "phase", phase: "no_grist" });
  }
  api = createApi({ base: wanted.backend, token: grist.token, heard });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && api) poll(); });
  if (state.phase === "no_access") return undefined;
  return poll();
}

function dispatch(event) {
  const before = state;
  state = reduce(state, event);
  if (state.choices !== before.choices) keepChoices();
  if (state !== before) draw();
}

/** Draws at the end of the task, however many events came. */
function draw() {
  if (drawn) return;
  drawn = true;
  queueMicrotask(() => {
    drawn = false;
    render(html`<${App} s=${state} f=${f} on=${on} />`, root);
    look();
  });
}

/** Brings the screen that is to be seen, once; where it cannot be fetched, every poll tries again. */
function look() {
  const name = screenName(state);
  if (name === looked) return;
  looked = name;
  come(name).catch(() => {
    lost();
    clearTimeout(timer);
    timer = setTimeout(poll, RETRY_MS[0]);
  });
}

/** Resolves when a screen can be drawn. */
async function come(name) {
  try {
    if (await bring(name, widget, furtherWords)) dispatch({ type: "came", screen: name });
  } catch (error) {
    throw new Unreachable(String(error), { cause: error });
  }
}

function isWorking() {
  const list = document.getElementById("conflict-list");
  return state.tab === "conflicts" && (Object.keys(state.choices).length > 0 || Object.keys(state.typing).length > 0 || Boolean(list?.contains(document.activeElement)));
}

// ---- the backend ----

/** Asks for the state, and for what it says has changed; plans the next time. One at a time. */
function poll() {
  clearTimeout(timer);
  polling ??= ask().finally(() => {
    polling = null;
    const busy = state.server?.run || state.previewing || state.undoLater || (state.undo?.run && !state.undo.result);
    const delay = isUnreachable(state) ? state.connection.nextTry - Date.now() : busy ? RUNNING_MS : IDLE_MS;
    clearTimeout(timer);
    if (state.phase !== "no_access") timer = setTimeout(poll, Math.max(delay, 0));
  });
  return polling;
}

/** Looks after this moment, also where a look is under way that began before it. */
function pollOnce() {
  return polling ? polling.then(poll) : poll();
}

async function ask() {
  if (isUnreachable(state)) dispatch({ type: "trying" });
  try {
    // Where no store is connected somebody else may connect one meanwhile; who sets it up here is not disturbed.
    if (!state.session || state.cached || (!state.session.link && !isFirstRun(state))) await hello();
    await come(screenName(state));
    if (!state.session.link) return answered();
    const id = state.session.link.id;
    const before = state.server;
    const { body } = await api.state(id);
    failures = 0;
    dispatch({ type: "polled", server: body, now: Date.now() });
    rememberState();
    announce(before, body);
    await refresh(id);
    if (rowToSync(state)) await readRow();
    await finishPreview(id);
    await finishUndo(id);
    await on.undoWhatWasApplied?.(id);
  } catch (error) {
    if (error instanceof Unreachable) return lost();
    if (error instanceof Refused && error.status === 503) {
      answered();
      return dispatch({ type: "problem", problem: error });
    }
    if (error instanceof Refused) return dispatch({ type: "problem", problem: error });
    if (error instanceof NoToken) return dispatch({ type: "problem", problem: { status: 401, message: f.t("error.no_token"), cure: f.t("error.no_token_cure") } });
    throw error;
  }
  if (state.problem?.status) dispatch({ type: "problem", problem: null });
  return undefined;
}

async function hello() {
  if (!state.session) {
    await grist.token(false);
    recall();
  }
  const { body } = await api.session();
  const first = !Object.keys(state.choices).length;
  const language = body.link?.language || wanted.language;
  await speak(language, body.link?.shop?.currency ?? null);
  dispatch({ type: "session", session: body, places: grist.places() });
  dispatch({ type: "letters", on: body.link?.letters !== false && localStorage.getItem(KEPT_LETTERS) !== "off" });
  if (!body.link) come("store").then(() => on.recallForm()).catch(() => {}); // said when it is looked at
  if (first) restoreChoices();
}

/** An answer with the service's own sentences in the person's language. */
async function heard(body) {
  const language = spoken.toLowerCase().split("-")[0];
  if (language === "en" || !SENTENCES.test(JSON.stringify(body))) return body;
  const { inLanguage } = await import("./said.js").catch(() => ({ inLanguage: null }));
  return inLanguage ? inLanguage(body, language, loadSaid) : body;
}

/** From now on in this language, with this currency of the store. */
async function speak(language, shopCurrency = null) {
  if (spoken !== null && language !== spoken) api?.forget();
  const said = { ...await loadedStrings(language, "") };
  for (const part of further) addWords(said, await loadedStrings(language, part));
  sentences = said;
  f = createFormat({ strings: said, ...wanted, language, shopCurrency });
  spoken = language;
  document.documentElement.lang = language;
}

/** Further sentences, of screens that not everybody opens. */
async function furtherWords(part) {
  further.add(`.${part}`);
  let language = null;
  while (language !== spoken) { // the language may change while they are on their way
    language = spoken;
    addWords(sentences, await loadedStrings(language, `.${part}`));
  }
}

function addWords(into, more) {
  for (const [name, part] of Object.entries(more)) into[name] = { ...into[name], ...part };
}

function loadedStrings(language, part) {
  const name = language + part;
  strings[name] ??= loadStrings(language, part).catch((error) => {
    delete strings[name];
    throw error;
  });
  return strings[name];
}

function answered() {
  failures = 0;
  dispatch({ type: "answered", now: Date.now() });
}

function lost() {
  const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
  failures += 1;
  dispatch({ type: "tick", now: Date.now() });
  dispatch({ type: "unreachable", nextTry: Date.now() + wait });
}

/** The lists behind the tabs; ETags make an unchanged one cheap. */
async function refresh(id) {
  const need = state.tab;
  await come(need);
  if (need === "health" || need === "settings") await on.refreshScreen(need, id);
  const runs = await api.runs(id);
  if (runs.changed || !state.runs.length) dispatch({ type: "runs", runs: runs.body.runs });
  if (need === "actions") await on.refreshDeeds(id);
  if (need === "conflicts") {
    await refreshConflicts(id);
    await on.readApart(id);
  }
  else if (need === "mapping") await on.readMapping(id);
  else if (need === "pairs") await on.readPairs(id);
  else if (need === "deletions") await on.readDeletions(id);
  else if (need === "refused") {
    const { body } = await api.refused(id, state.limits.refused);
    dispatch({ type: "refused", items: body.refused, total: body.total });
  } else if (need === "changes") {
    const of = historyOf(state);
    const { body } = await api.changes(id, null, of);
    dispatch({ type: "changes", items: body.changes, next: body.next, more: false, of });
  }
}

/** How the row stands that is chosen in Grist; its line comes with the first one. */
async function readRow() {
  await come("rowLine");
  await on.readRow(state.session.link.id);
}

function lookAtRow() {
  readRow().catch(poll); // the look at everything finds the same trouble, and says it
}

/** All pages. The first is shown at once; the rest comes in one piece, so that the list is not rebuilt at every page. */
async function refreshConflicts(id) {
  const first = await api.conflicts(id, null);
  const items = [...first.body.conflicts];
  let { next } = first.body;
  let changed = first.changed;
  if (next !== null && state.lists.conflicts.items === null) dispatch({ type: "conflicts", items, complete: false, working: false, apart: first.body.apart });
  while (next !== null) {
    const page = await api.conflicts(id, next);
    items.push(...page.body.conflicts);
    changed ||= page.changed;
    ({ next } = page.body);
  }
  if (!changed && state.lists.conflicts.complete) return;
  const droppedBefore = state.dropped ?? 0;
  dispatch({ type: "conflicts", items, complete: true, working: isWorking(), apart: first.body.apart });
  const dropped = (state.dropped ?? 0) - droppedBefore;
  if (dropped > 0) toast({ words: f.t("conflicts.settled", { n: dropped }) });
}

async function finishPreview(id) {
  const run = state.previewing;
  if (run === null || state.server.run?.id === run) return;
  const body = await ended(id, run);
  if (body === null) return;
  if (isPreview(body)) {
    dispatch({ type: "previewed", preview: { run, plan: body.report.plan, plan_total: body.report.plan_total, totals: body.totals, brake: body.report.brake ?? null } });
    // The list under the preview is read now, so that closing the preview shows it at once.
    await refresh(id);
  } else {
    dispatch({ type: "previewed", preview: null });
    dispatch({ type: "problem", problem: body.message ?? { message: f.t("preview.overtaken"), cure: "" } });
  }
}

/** The run with its report, null while it goes on. */
async function ended(id, run) {
  try {
    const { body } = await api.run(id, run);
    return ["queued", "running"].includes(body.state) ? null : body;
  } catch (error) {
    // A run that is gone will not end: whoever waits for it is told, and stops asking.
    if (error instanceof Refused && error.status === 404) return { kind: null, state: "failed", report: {}, message: { message: error.message, cure: error.cure } };
    throw error;
  }
}

/** A preview that a sync overtook has ended as something else, or without a plan. */
function isPreview(body) {
  return body.kind === "preview" && body.state === "done" && Array.isArray(body.report.plan);
}

async function finishUndo(id) {
  const run = state.undo?.run;
  if (!run || state.undo.result || state.server.run?.id === run) return;
  const body = await ended(id, run);
  if (body === null) return;
  dispatch({ type: "undo_previewed", run, result: isPreview(body) ? body.report : { trouble: body.message?.message ?? f.t("preview.overtaken") } });
}

/** The live region: changes of phase and every tenth, the result once; never each count. */
function announce(before, now) {
  const tenth = (run) => (run?.total ? Math.floor((run.done / run.total) * 10) : 0);
  const { run } = now;
  if (run && (run.phase !== before?.run?.phase || tenth(run) !== tenth(before.run))) {
    dispatch({ type: "say", words: run.total ? f.t("live.progress", { words: f.t(`phase.${run.phase}`), percent: tenth(run) * 10 }) : runWords(run, f) });
  } else if (before?.run && !run && now.last_run) dispatch({ type: "say", words: resultWords(now.last_run, f) });
}

// ---- what a press does ----

/** Runs a request behind a button: the button shows that it is busy, a refusal is said, a lost service shows as such. */
async function press(name, work) {
  if (state.pressed[name]) return;
  dispatch({ type: "pressed", name, on: true });
  dispatch({ type: "problem", problem: null });
  try {
    await work(state.session.link?.id);
  } catch (error) {
    if (error instanceof Unreachable) lost();
    else if (error instanceof Refused) dispatch({ type: "problem", problem: { message: error.message, cure: error.cure } });
    else if (error instanceof NoToken) dispatch({ type: "problem", problem: { message: f.t("error.no_token"), cure: f.t("error.no_token_cure") } });
    else throw error;
  } finally {
    dispatch({ type: "pressed", name, on: false });
    await polling;
    poll();
  }
}

/** `{words, undo}`; `undo` is what a press on its Undo does. */
function toast(shown) {
  clearTimeout(timers.toast);
  dispatch({ type: "toast", toast: shown });
  timers.toast = setTimeout(() => dispatch({ type: "toast", toast: null }), TOAST_MS);
}

const on = {
  go: (tab, more = {}) => {
    dispatch({ type: "tab", tab, ...more });
    if (tab === "actions" && api) come(tab).then(() => on.lookAtDeeds()).catch(() => {}); // the look at the screen says it
    if (api && state.session?.link) pollOnce();
  },
  sync: () => {
    dispatch({ type: "previewed", preview: null });
    return press("sync", (link) => api.startRun(link, "sync"));
  },
  /** This row is read on both sides, besides what changed: `{resource, row}`. */
  syncRow: ({ resource, row }) => press("sync", (link) => api.startRun(link, "sync", row === null ? {} : { row: { resource, row } })),
  /** Not only what changed: for whoever doubts that everything was noticed. */
  readAll: () => press("sync", (link) => api.startRun(link, "sync", { everything: true })),
  syncExactly: () => press("syncExactly", async (link) => {
    await api.startRun(link, "sync", { preview: state.preview.run });
    dispatch({ type: "previewed", preview: null });
  }),
  preview: () => press("preview", async (link) => {
    const { id } = await api.startRun(link, "preview");
    dispatch({ type: "previewing", run: id });
  }),
  closePreview: () => dispatch({ type: "previewed", preview: null }),
  goOn: () => press("goOn", async (link) => {
    await api.startRun(link, "sync", { go_on: true });
    dispatch({ type: "previewed", preview: null });
  }),
  cancel: () => press("cancel", async (link) => {
    const { id } = state.server.run;
    await api.cancelRun(link, id);
    if (id === state.previewing) dispatch({ type: "previewed", preview: null });
    if (id === state.undo?.run) dispatch({ type: "undo", undo: null });
  }),
  /** Asks what an undo would do; `key` says where in the list the answer stands. */
  undo: (key, wanted) => press("undo", async (link) => {
    const { id } = await api.undo(link, wanted, true);
    dispatch({ type: "undo", undo: { key, wanted, run: id, result: null } });
  }),
  undoYes: () => press("undoYes", async (link) => {
    await api.undo(link, state.undo.wanted, false);
    on.closeUndo();
  }),
  closeUndo: () => {
    dispatch({ type: "undo", undo: null });
    setTimeout(() => document.getElementById("change-list")?.focus());
  },
  line: (id) => dispatch({ type: "line", id }),
  /** Somebody is about to open a tab. */
  expect,
  exportFile: () => come("settings").then(() => on.exportMapping()).catch(() => lost()),
  pauseTimer: (to) => press("pause", async (link) => {
    await api.saveSettings(link, { paused: to });
  }),
  tryNow: () => { failures = 0; poll(); },
  moreChanges: () => press("changes", async (link) => {
    const { next, of } = state.lists.changes;
    const { body } = await api.changes(link, next, of);
    dispatch({ type: "changes", items: body.changes, next: body.next, more: true, of });
  }),
  showRow: async (item) => {
    if (item.row === null || (state.gristTable !== null && state.gristTable !== item.table)) return;
    await grist.showRow(item.row);
  },
  chooseDeletions: (ids) => dispatch({ type: "choose_deletions", ids }),
  confirm: (confirm) => dispatch({ type: "confirm", confirm }),
  look: (look) => {
    dispatch({ type: "look", look });
    if ("row" in look) pollOnce(); // the history of one row is asked for by itself
  },
  /** That many lines of a list are asked for from now on. */
  listMore: (list, limit) => {
    dispatch({ type: "limit", list, limit });
    pollOnce();
  },
  /** That many lines of an opened sync are drawn. */
  lines: (key, n) => dispatch({ type: "lines", key, n }),
  open: (key) => dispatch({ type: "open", key }),
  menu: (menu) => dispatch({ type: "menu", menu }),
  keys: (to) => {
    dispatch({ type: "keys", on: to });
    setTimeout(() => (to ? document.getElementById("close-keys") : document.querySelector("#conflict-list [tabindex='0']"))?.focus());
  },
  letters: (to) => {
    localStorage.setItem(KEPT_LETTERS, to ? "on" : "off");
    dispatch({ type: "letters", on: to });
  },
};

/** What the actions of other files work with: the widget as it is now, and how to change it. */
const widget = {
  get state() { return state; },
  get api() { return api; },
  get f() { return f; },
  get on() { return on; },
  get grist() { return grist; },
  get settings() { return wanted; },
  dispatch, press, toast, ended,
  /** Looks at everything now. */
  poll,
  /** Looks at the session anew: a store was connected, a step was done. */
  again: hello,
  keep: (name, value) => {
    const key = `${KEPT_HERE}${name}:${grist?.document() ?? ""}`;
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  },
  kept: (name) => JSON.parse(sessionStorage.getItem(`${KEPT_HERE}${name}:${grist?.document() ?? ""}`)),
};

// ---- what survives a reload ----

/** Choices with the values they were made on. Session storage: this tab, this browser, gone with it. */
function keepChoices() {
  const document_ = grist?.document();
  if (!document_ || !state.session) return;
  sessionStorage.setItem(KEPT_CHOICES + document_, JSON.stringify(state.choices));
}

function restoreChoices() {
  const kept = sessionStorage.getItem(KEPT_CHOICES + grist.document());
  if (kept) dispatch({ type: "restore", choices: JSON.parse(kept) });
}

/** Words and counts for the first paint before any answer; no cell values are in it. */
function rememberState() {
  const document_ = grist.document();
  if (document_) sessionStorage.setItem(KEPT_STATE + document_, JSON.stringify({ server: { ...state.server, run: null }, session: state.session }));
}

function recall() {
  const kept = sessionStorage.getItem(KEPT_STATE + grist.document());
  if (kept) dispatch({ type: "remembered", ...JSON.parse(kept) });
}

start();
