// What a press does on the screen of actions. `w` is the widget: `w.state`, `w.api`, `w.f` as they are now, and
// `dispatch`, `press(name, work)`, `toast`.

import { Refused } from "../api.js";
import { actableRow, optionsOf } from "../slices/deeds.js";
import { maySync } from "../state.js";

export function deedActions(w) {
  /** Looks at the chosen row; whatever Shopify says against it stands on the screen, not in the banner. */
  const look = (more, done) => {
    const of = actableRow(w.state);
    if (of === null || !w.state.session?.link || !maySync(w.state)) return undefined;
    w.dispatch({ type: "deeds/looking", of });
    return w.press("look", async (link) => {
      try {
        const answer = await w.api.previewActions(link, { resource: of.resource, rows: [of.row], ...more });
        done(of, answer.rows[0], answer);
      } catch (error) {
        if (!(error instanceof Refused) || error.status === 401 || error.status >= 500) throw error;
        w.dispatch({ type: "deeds/trouble", of, trouble: { message: error.message, cure: error.cure } });
      }
    });
  };
  return {
    lookAtDeeds: () => look({}, (of, row) => w.dispatch({ type: "deeds/looked", of, row })),
    chooseDeed: (action) => w.dispatch({ type: "deeds/choose", action }),
    deedOption: (values) => w.dispatch({ type: "deeds/option", values }),
    deedQuantity: (line, text) => w.dispatch({ type: "deeds/quantity", line, text }),
    askDeed: () => look({ action: w.state.deeds.action, options: optionsOf(w.state.deeds) }, (of, row, answer) => {
      if (row.why) return w.dispatch({ type: "deeds/trouble", of, trouble: { message: row.why, cure: "" } });
      return w.dispatch({ type: "deeds/asked", of, asked: { effect: row.effect, final: answer.final, seen: row.seen } });
    }),
    unaskDeed: () => w.dispatch({ type: "deeds/unask" }),
    doDeed: () => w.press("deed", async (link) => {
      const { of, action, asked, row } = w.state.deeds;
      try {
        await w.api.startActions(link, { resource: of.resource, rows: [of.row], action, options: optionsOf(w.state.deeds), seen: { [of.row]: asked.seen } });
        w.toast({ words: w.f.t("actions.started", { what: w.f.t(`actions.${action}`), title: row.title }) });
        w.dispatch({ type: "deeds/sent" });
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 409) throw error;
        w.dispatch({ type: "deeds/trouble", of, trouble: { message: error.message, cure: error.cure } });
      }
      await w.on.refreshDeeds(link);
    }),
    settleDeed: (id, happened) => w.press("settle", async (link) => {
      await w.api.settleAction(link, id, happened);
      await w.on.refreshDeeds(link);
    }),
    refreshDeeds: async (link) => {
      const { body } = await w.api.actions(link);
      w.dispatch({ type: "deeds/list", items: body.actions, maybe: body.maybe });
    },
  };
}
