// What a press does where something is mapped: the Mapping tab, steps 3 to 5 of the first run, and Pairs.
//
// A draft is worked out by a run that writes nothing; its answer is taken only while the draft is still the same one.

import { Refused } from "../api.js";
import { reached } from "../slices/first-run.js";
import { USUAL, bestTable, changed, decidedOf, draftKey, drafted, mappingsOf, newField, required, typeFor, withField, withPicked, withoutField } from "../draft.js";
import { questionKey } from "../slices/mapping.js";

const EFFECT_AFTER_MS = 600;
const ASK_MS = 600;
const AGAIN_MS = 2_000;
const LOOK_MS = 600_000;
const TABLES_MS = 30_000;
const KEPT = "mapping";

export function mappingActions(w) {
  const part = () => w.state.mapping;
  const link = () => w.state.session.link.id;
  const isOwner = () => w.state.session?.role === "owner" && !w.state.settings.readonly;
  const inSetup = () => part().picked !== null;
  let soon = null;
  let saving = null;
  let tablesAt = 0;
  let restored = false;

  const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
  const isGoingOn = (body) => ["queued", "running", "waiting"].includes(body.state);

  function draft(next) {
    w.dispatch({ type: "mapping/draft", draft: next });
    keep();
    if (!inSetup()) workOutSoon();
  }

  /** This browser tab keeps what is not saved; in the first run the server keeps it, too. */
  function keep() {
    const { draft: now, base, answers, picked } = part();
    if (!inSetup()) return w.keep(KEPT, now ? { draft: now, base } : null);
    clearTimeout(saving);
    saving = setTimeout(() => saveDraft(reached(w.state)).catch(() => {}), EFFECT_AFTER_MS);
    return w.keep(KEPT, { draft: now, answers, picked });
  }

  function saveDraft(step) {
    const made = new Map(drafted(part()).map((one) => [one.resource, JSON.stringify(one)]));
    const edited = (part().draft ?? []).filter((one) => made.get(one.resource) !== JSON.stringify(one));
    return w.api.saveSettings(link(), { first_run: { step, draft: { picked: part().picked, edited } } });
  }

  function workOutSoon() {
    clearTimeout(soon);
    if (part().draft === null && !inSetup()) return w.dispatch({ type: "mapping/effect", effect: null });
    w.dispatch({ type: "mapping/effect", effect: { ...part().effect, key: null, report: part().effect?.report ?? null, stale: true, trouble: null } });
    soon = setTimeout(workOut, EFFECT_AFTER_MS);
    return undefined;
  }

  /** Asks what the draft would do, until it is answered or the draft is another one. */
  async function workOut() {
    const key = draftKey(part());
    const before = part().effect?.report ?? null;
    const told = (more) => w.dispatch({ type: "mapping/effect", effect: { key, report: before, stale: true, trouble: null, ...more } });
    const mine = () => part().effect?.key === key;
    told({});
    try {
      while (mine()) {
        const ended = await oneRun(() => w.api.effect(link(), { mappings: mappingsOf(part()), decided: decidedOf(part()) }), mine);
        if (!mine() || ended === null) return;
        if (ended.kind === "draft" && ended.state === "done") return told({ report: ended.report, stale: false });
        if (ended.state !== "cancelled" && ended.kind === "draft") return told({ trouble: ended.message ?? { message: w.f.t("mapping.no_effect"), cure: "" } });
        await wait(AGAIN_MS); // a sync came first, or somebody else's draft
      }
    } catch (error) {
      if (!mine()) return;
      told({ trouble: { message: error.message, cure: error.cure ?? "" } });
      if (error instanceof Refused && error.details?.path) w.dispatch({ type: "mapping/problem", problem: error });
    }
  }

  /** Starts a run and resolves to its end; null where nobody wants it any more. While a sync waits, it waits. */
  async function oneRun(start, wanted) {
    let id = null;
    while (id === null) {
      try {
        ({ id } = await start());
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 409) throw error;
        await wait(AGAIN_MS);
        if (!wanted()) return null;
      }
    }
    for (;;) {
      await wait(ASK_MS);
      if (!wanted()) return null;
      const { body } = await w.api.run(link(), id);
      if (!isGoingOn(body)) return body;
    }
  }

  async function readTables(fresh) {
    if (!fresh && part().tables && Date.now() - tablesAt < TABLES_MS) return;
    const { body, changed: isNew } = await w.api.tables(link());
    tablesAt = Date.now();
    if (isNew || !part().tables) w.dispatch({ type: "mapping/tables", body });
  }

  async function readResources(id) {
    const { body, changed: isNew } = await w.api.resources(id);
    if (isNew || !part().resources) w.dispatch({ type: "mapping/resources", body });
  }

  /** Lets the store be asked what there is, where nobody has asked lately. */
  async function lookAtStore(id) {
    const { looked_at: at } = part().resources;
    if (!isOwner() || looking || (at && Date.now() - Date.parse(at) < LOOK_MS)) return;
    looking = true;
    try {
      await oneRun(() => w.api.look(id), () => true);
      await readResources(id);
    } finally {
      looking = false;
    }
  }
  let looking = false;

  async function readMapping(id) {
    const { body, changed: isNew } = await w.api.mappings(id);
    if (isNew || !part().saved) w.dispatch({ type: "mapping/saved", body });
    if (!part().resources) await readResources(id);
    await readTables(false);
    if (!restored && !inSetup()) {
      restored = true;
      const kept = w.kept(KEPT);
      if (kept?.draft && isOwner()) {
        w.dispatch({ type: "mapping/restore", kept: { draft: kept.draft, base: kept.base } });
        workOutSoon();
      }
    }
    lookAtStore(id).catch(() => {}); // counts are a help; without them the mapping works
  }

  return {
    readMapping,
    readPairs: async (id) => {
      const { body, changed: isNew } = await w.api.pairs(id);
      if (isNew || !part().pairs) w.dispatch({ type: "mapping/pairs", body });
    },
    mapTable: (resource) => w.dispatch({ type: "mapping/chosen", resource }),
    mapField: (resource, name, values) => draft(changed(part(), resource, (one) => withField(one, name, values))),
    mapSettings: (resource, values) => draft(changed(part(), resource, (one) => ({ ...one, ...values }))),
    dropField: (resource, name) => draft(changed(part(), resource, (one) => withoutField(one, name))),
    addField: (resource, name) => {
      draft(changed(part(), resource, (one) => newField(part(), one, name)));
      w.dispatch({ type: "mapping/adding", text: null });
      setTimeout(() => document.getElementById(`line-${resource}-${name}`)?.querySelector("button, select")?.focus());
    },
    adding: (text) => w.dispatch({ type: "mapping/adding", text }),
    /** Gives a column the type its field needs: as the person, so that Grist's own undo takes it back. */
    cureColumn: (table, column, field) => w.press("cure", async () => {
      const type = typeFor(part(), field, w.settings.timeZone);
      await w.grist.apply([["ModifyColumn", table, column.name, column.blank ? { type, isFormula: false } : { type }]]);
      await readTables(true);
      if (part().draft) workOutSoon();
    }),
    saveMapping: () => w.press("save", async (id) => {
      try {
        const body = await w.api.saveMappings(id, part().base, { mappings: mappingsOf(part()) });
        w.dispatch({ type: "mapping/saved", body });
        w.dispatch({ type: "mapping/discard" });
        w.keep(KEPT, null);
        w.toast({ words: w.f.t("mapping.saved") });
      } catch (error) {
        if (!(error instanceof Refused) || ![412, 422].includes(error.status)) throw error;
        w.dispatch({ type: "mapping/problem", problem: error });
      }
    }),
    discardMapping: () => {
      clearTimeout(soon);
      w.dispatch({ type: "mapping/discard" });
      w.keep(KEPT, null);
    },

    // ---- first run ----
    readSetup: () => w.press("setup", async (id) => {
      await Promise.all([w.api.mappings(id).then(({ body }) => w.dispatch({ type: "mapping/saved", body })), readResources(id), readTables(true)]);
      if (!inSetup()) {
        const kept = { ...w.state.session.link.first_run?.draft, ...w.kept(KEPT) };
        const usual = [...new Set([...USUAL, ...USUAL.flatMap((name) => required(part(), name))])].reduce((picked, name) => ({ ...picked, [name]: bestTable(part(), name, picked) }), {});
        w.dispatch({ type: "mapping/picked", picked: kept.picked ?? usual });
        const edited = new Map((kept.draft ?? kept.edited ?? []).map((one) => [one.resource, one]));
        if (edited.size) w.dispatch({ type: "mapping/restore", kept: { draft: drafted(part()).map((one) => edited.get(one.resource) ?? one), answers: kept.answers ?? {} } });
        w.dispatch({ type: "mapping/chosen", resource: mappingsOf(part())[0]?.resource ?? null });
      }
      lookAtStore(id).catch(() => {});
    }),
    pick: (name, on) => {
      w.dispatch({ type: "mapping/picked", picked: withPicked(part(), name, on) });
      keep();
    },
    pickTable: (name, table) => {
      w.dispatch({ type: "mapping/picked", picked: { ...part().picked, [name]: table } });
      keep();
    },
    setupStep: (step) => w.press("step", async () => {
      clearTimeout(saving);
      await saveDraft(step);
      w.dispatch({ type: "firstRun/go", step: null });
      w.dispatch({ type: "mapping/chosen", resource: mappingsOf(part())[0]?.resource ?? null });
      await w.again();
    }),
    workOut: () => { if (part().effect?.key !== draftKey(part()) || part().effect?.trouble) workOut(); },
    startFirst: () => w.press("start", async (id) => {
      const { resource: chosen } = mappingsOf(part())[0];
      const body = await w.api.saveMappings(id, part().saved.version, { mappings: mappingsOf(part()), decided: decidedOf(part()) });
      await w.api.startRun(id, "sync");
      await w.api.saveSettings(id, { first_run: null });
      w.keep(KEPT, null);
      w.dispatch({ type: "mapping/restore", kept: { picked: null, answers: {}, chosen } });
      w.dispatch({ type: "mapping/discard" });
      w.dispatch({ type: "mapping/saved", body });
      w.dispatch({ type: "firstRun/go", step: null });
      await w.again();
      w.on.go("overview");
    }),

    // ---- pairs ----
    showPart: (name) => w.dispatch({ type: "mapping/part", part: name }),
    answerPair: (question, line) => {
      w.dispatch({ type: "mapping/answer", question, line });
      if (inSetup()) keep();
    },
    clearPairs: () => w.dispatch({ type: "mapping/answers", answers: {} }),
    applyPairs: () => w.press("pairs", async (id) => {
      const open = new Map(part().pairs.questions.map((one) => [questionKey(one), one]));
      const chosen = Object.entries(part().answers).filter(([key]) => open.has(key)).map(([key, answer]) => [open.get(key), answer]);
      const fresh = chosen.filter(([, answer]) => answer.fresh);
      if (fresh.length) {
        await w.grist.apply(fresh.flatMap(([one, answer]) => rowsMadeNew(one, answer).map((row) => ["UpdateRecord", one.table, row, { [one.id_column]: "" }])));
      }
      const answers = chosen.filter(([, answer]) => !answer.fresh).map(([one, answer]) => ({ question: one.id, rows: answer.rows }));
      if (answers.length) await w.api.answerPairs(id, { answers });
      else await w.api.startRun(id, "sync");
      w.dispatch({ type: "mapping/answers", answers: {} });
      w.toast({ words: w.f.t("pairs.applied", { n: chosen.length }) });
    }),
    askAgain: (one) => w.press("again", (id) => w.api.answerPairs(id, { ask_again: [{ resource: one.resource, row: one.row }] })),
  };
}

/** The rows whose Shopify ID is cleared: the copy; of several rows of one ID all but the one that keeps it. */
function rowsMadeNew(one, answer) {
  return one.rows.filter((row) => answer.fresh === true || row.row !== answer.fresh).map((row) => row.row);
}
