// What a press does in Settings and Health. `w` as in actions/connect.js.

import { Refused } from "../api.js";
import { changeCount, shownValue } from "../slices/settings.js";
import { words as partWords } from "../views/health.js";

const COPIED_MS = 4_000;

export function settingsActions(w) {
  const change = (name, value) => w.dispatch({ type: "options/change", name, value });
  const problem = (name, words) => w.dispatch({ type: "options/problem", name, words });
  const typed = (values) => w.dispatch({ type: "options/typed", values });

  /** A request about one input: what is refused stands under it. */
  const entrust = (name, send) => w.press(name, async (link) => {
    try {
      const held = await send(link);
      problem(name, null);
      typed({ [name]: "" });
      w.dispatch({ type: "options/held", held });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) throw error;
      problem(name, `${error.message} ${error.cure}`.trim());
    }
  });

  return {
    /** Reads what a screen of ours shows; called with every look at the service. */
    refreshScreen: async (tab, link) => {
      if (tab === "health") {
        const { body } = await w.api.health(link);
        w.dispatch({ type: "health/answer", answer: body });
      }
      if (tab === "settings" && w.state.session.role === "owner") {
        const [settings, keys] = await Promise.all([w.api.settings(link), w.api.keys(link)]);
        w.dispatch({ type: "options/held", held: settings.body });
        w.dispatch({ type: "options/keys", keys: keys.body.keys });
      }
    },
    checkHealth: () => w.press("check", async (link) => {
      w.dispatch({ type: "health/answer", answer: await w.api.checkHealth(link) });
    }),
    copyReport: async () => {
      await navigator.clipboard.writeText(report(w.state, w.f));
      w.dispatch({ type: "health/copied", on: true });
      setTimeout(() => w.dispatch({ type: "health/copied", on: false }), COPIED_MS);
    },
    askDisconnect: (on) => w.dispatch({ type: "health/ask", asked: on ? "disconnect" : null }),
    disconnect: () => w.press("disconnect", async (link) => {
      await w.api.disconnect(link);
      w.dispatch({ type: "health/ask", asked: null });
      w.dispatch({ type: "tab", tab: "overview" });
      await w.again();
    }),
    changeSetting: change,
    typeSetting: typed,
    typeNumber: (name, text) => {
      typed({ [name]: text });
      const value = Number(text.replace(",", "."));
      if (text.trim() === "" || !Number.isFinite(value) || value < 0) return problem(name, w.f.t("settings.no_number", { text }));
      return change(name, value);
    },
    typeBrake: (name, text, percent) => {
      typed({ [name]: text });
      const value = Number(text);
      const fits = percent ? value >= 1 && value <= 100 : Number.isSafeInteger(value) && value >= 0;
      if (text.trim() === "" || !fits) return problem(name, w.f.t(percent ? "settings.no_percent" : "settings.no_number", { text }));
      change("brakes", { ...shownValue(w.state.options, "brakes"), [name]: percent ? value / 100 : value });
      return problem(name, null);
    },
    saveAllSettings: () => w.press("save", async (link) => {
      const n = changeCount(w.state.options);
      try {
        const held = await w.api.saveSettings(link, w.state.options.changed);
        w.dispatch({ type: "options/saved", held });
        w.toast({ words: w.f.t("settings.saved_n", { n }) });
        await w.again();
      } catch (error) {
        const fields = error instanceof Refused ? error.details?.fields?.json : null;
        if (!fields) throw error;
        for (const [name, said] of Object.entries(fields)) problem(name, first(said));
      }
    }),
    discardSettings: () => w.dispatch({ type: "options/discard" }),
    keepGristKey: () => entrust("grist_key", (link) => w.api.setGristKey(link, w.state.options.typed.grist_key.trim())),
    forgetGristKey: () => entrust("grist_key", (link) => w.api.removeGristKey(link)),
    keepNotifyUrl: () => entrust("notify_url", (link) => w.api.setNotifyUrl(link, w.state.options.typed.notify_url.trim())),
    forgetNotifyUrl: () => entrust("notify_url", (link) => w.api.removeNotifyUrl(link)),
    makeKey: () => w.press("make_key", async (link) => {
      const name = w.state.options.typed.key_name.trim();
      const { key, keys } = await w.api.makeKey(link, name);
      w.dispatch({ type: "options/made", made: { name, key } });
      w.dispatch({ type: "options/keys", keys });
    }),
    copyKey: async () => {
      await navigator.clipboard.writeText(w.state.options.made.key);
      w.toast({ words: w.f.t("settings.copied") });
      w.dispatch({ type: "options/made", made: null });
    },
    exportMapping: () => w.press("export", async (link) => {
      const url = URL.createObjectURL(new Blob([await w.api.exportConfig(link)], { type: "text/yaml" }));
      const anchor = document.createElement("a");
      anchor.href = url;
      anchor.download = "sync.yaml";
      anchor.click();
      URL.revokeObjectURL(url);
    }),
    /** Says what the file would change; nothing is taken before a yes. */
    readMappingFile: (chosen) => w.press("import", async (link) => {
      const text = await chosen.text();
      const { changes, problems } = await w.api.importConfig(link, text, true);
      const line = (one) => `${one.line ? `${w.f.t("settings.line", { line: one.line })} ` : ""}${one.message} ${one.cure ?? ""}`.trim();
      problem("file", problems.length ? problems.map(line).join(" ") : null);
      if (!problems.length) w.dispatch({ type: "options/ask", asked: { what: "import", text, changes } });
    }),
    importMapping: () => w.press("import", async (link) => {
      await w.api.importConfig(link, w.state.options.asked.text, false);
      w.dispatch({ type: "options/ask", asked: null });
      w.toast({ words: w.f.t("settings.imported") });
    }),
    askRevoke: (key) => w.dispatch({ type: "options/ask", asked: key }),
    revokeKey: (id) => w.press("revoke", async (link) => {
      const { keys } = await w.api.revokeKey(link, id);
      w.dispatch({ type: "options/ask", asked: null });
      w.dispatch({ type: "options/keys", keys });
    }),
  };
}

/** The health page as text. Counts, times and sentences of the service; the title of a refused row stays out. */
function report(s, f) {
  const { answer } = s.health;
  const lines = answer.parts.map((one) => {
    const bare = one.part === "refused" ? { ...one, facts: { ...one.facts, example: null } } : one;
    return `${one.needs_you ? "!" : "ok"}  ${f.t(`health.part_${one.part}`)}: ${partWords(bare, s, f)}`;
  });
  const head = `Shopify–Grist Sync ${answer.version}, Shopify API ${answer.shopify_version}, ${answer.database}, ${new Date(s.now).toISOString()}`;
  return [head, ...lines].join("\n");
}

function first(said) {
  if (typeof said === "string") return said;
  return first(Array.isArray(said) ? said[0] : Object.values(said)[0]);
}
