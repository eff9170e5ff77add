// What a press does on Conflicts. `w` is the widget (actions/deeds.js).

import { choicesBody, linesOf, partsOf } from "../lists.js";
import { doneOf, isUnreachable, maySync } from "../state.js";

const LEAVE_MS = 1_000;
const MOST_UNDONE = 1_000; // that the service takes back at once; of more, Changes offers the undo

export function choiceActions(w) {
  const { dispatch } = w;
  return {
    apply: () => {
      const choices = choicesBody(w.state);
      if (!choices.length || !maySync(w.state) || isUnreachable(w.state)) return undefined;
      const { items } = w.state.lists.conflicts;
      return w.press("apply", async (link) => {
        const [done, runs, written] = [[], new Set(), new Set()];
        try {
          for (const part of partsOf(choices)) {
            const answer = await w.api.choose(link, part);
            dispatch({ type: "applied", answer });
            done.push(...doneOf(answer));
            if (answer.run !== null) runs.add(answer.run);
            for (const one of answer.applied) written.add(one);
          }
        } finally { // what was taken before a service was lost is taken
          const cells = items.filter((item) => written.has(item.id) && !item.whole_row).map(({ resource, row, field }) => ({ resource, row, field }));
          const undo = cells.length && cells.length <= MOST_UNDONE ? () => w.on.undoApplied({ runs: [...runs], cells }) : null;
          if (done.length) {
            w.toast({ words: w.f.t("conflicts.applied", { n: done.length }), undo });
            setTimeout(() => dispatch({ type: "left", ids: done }), LEAVE_MS);
          }
        }
      });
    },
    undoApplied: (later) => {
      dispatch({ type: "undo_later", later });
      w.toast({ words: w.f.t("undo.follows") });
      w.poll();
    },
    /** The toast's Undo: once the syncs that apply the choices have ended, exactly the cells they wrote are taken back. */
    undoWhatWasApplied: async (link) => {
      const later = w.state.undoLater;
      if (!later || (await w.ended(link, Math.max(...later.runs))) === null) return;
      const wanted = [];
      let next = null;
      do {
        const { body } = await w.api.changes(link, next);
        wanted.push(...linesOf(body.changes, later.runs, later.cells));
        next = body.changes.some((one) => one.run < Math.min(...later.runs)) ? null : body.next;
      } while (next !== null);
      dispatch({ type: "undo_later", later: null });
      if (wanted.length) await w.api.undo(link, { changes: wanted }, false);
      else w.toast({ words: w.f.t("undo.nothing_applied") });
    },
    choose: (id, keep) => dispatch({ type: "choose", id, keep }),
    chooseMany: (ids, keep) => dispatch({ type: "choose_many", ids, keep }),
    takeBack: () => dispatch({ type: "take_back" }),
    clear: () => dispatch({ type: "clear" }),
    /** `text`: the value as somebody would type it. */
    startTyping: (id, text) => {
      dispatch({ type: "type", id, text, result: null });
      dispatch({ type: "current", current: { id, column: "keep" }, focus: true });
    },
    /** `result` is what typed.js made of `text`. */
    type: (id, text, result) => dispatch({ type: "type", id, text, result }),
    endTyping: (id, focus) => dispatch({ type: "type_end", id, focus }),
    cancelTyping: (id) => dispatch({ type: "type_end", id, focus: true }),
    select: (ids, to, range) => dispatch({ type: "select", ids, on: to, range }),
    selectNone: () => dispatch({ type: "select", ids: w.state.selected, on: false, range: false }),
    filter: (filters) => dispatch({ type: "filter", filters }),
    current: (id, column, focus) => dispatch({ type: "current", current: { id, column }, focus }),
    showNew: () => dispatch({ type: "show_new" }),
    /** `how`: "all" of a long value, or the "source" of an HTML text; the same again shows it short. */
    whole: (id, how) => dispatch({ type: "whole", id, how }),
  };
}
