// What a press does on Deletions, and what is read for the questions of the lists. `w` is the widget (actions/deeds.js).

import { Refused } from "../api.js";
import { partsOf } from "../lists.js";
import { rowToSync } from "../state.js";

const CALM_MS = 150; // whoever runs through the list with J is not followed row by row

/** `opens`: the list is opened by it; else whoever went back to the conflicts meanwhile is not called back. */
async function readApart(w, link, opens = false) {
  const { body } = await w.api.apart(link, w.state.limits.apart);
  if (opens || w.state.beside.apart) w.dispatch({ type: "beside/apart", apart: { items: body.apart, total: body.total } });
}

export function besideActions(w) {
  let timer = null;
  const gone = new Set(); // answered here: that they leave the list is no news
  const answer = (name, ids, said, words) => w.press(name, async (link) => {
    for (const part of partsOf(ids)) {
      await w.api.answerDeletions(link, { [said]: part });
      for (const id of part) gone.add(id);
    }
    w.dispatch({ type: "choose_deletions", ids: [] });
    w.toast({ words: w.f.t(words, { n: ids.length }) });
  });
  return {
    approve: (ids) => answer("approve", ids, "approve", "deletions.approved"),
    keepRows: (ids) => answer("keep", ids, "keep", "deletions.kept"),
    putBack: (ids) => answer("put_back", ids, "put_back", "deletions.put_back_done"),
    filterDeletions: (table) => {
      w.dispatch({ type: "choose_deletions", ids: [] });
      w.dispatch({ type: "beside/table", table });
    },
    /** The list together with what goes along, so that no line grows after it was drawn. */
    readDeletions: async (link) => {
      const limit = w.state.limits.deletions;
      const { body } = await w.api.deletions(link, limit);
      const { along } = w.state.beside;
      if (body.deletions.some((one) => !(one.id in along))) w.dispatch({ type: "beside/along", along: (await w.api.along(link, limit)).body.along });
      const listed = new Set(body.deletions.map((one) => one.id));
      // With more than are listed, one that left may only stand further down.
      const left = body.total > body.deletions.length ? [] : (w.state.lists.deletions.items ?? []).filter((one) => !listed.has(one.id) && !gone.has(one.id));
      w.dispatch({ type: "deletions", items: body.deletions, total: body.total });
      if (left.length) w.toast({ words: w.f.t("deletions.left", { n: left.length, names: w.f.names(left.slice(0, 3).map(w.f.called)) }) });
    },
    /** The list of what is kept apart, opened (true), closed, or read anew while it is open. */
    showApart: (open) => (open ? w.press("apart", (link) => readApart(w, link, true)) : w.dispatch({ type: "beside/apart", apart: null })),
    readApart: (link) => (w.state.beside.apart ? readApart(w, link) : undefined),
    askAgain: (ids) => w.press("ask_again", async (link) => {
      for (const part of partsOf(ids)) await w.api.askAgain(link, part);
      w.toast({ words: w.f.t("apart.asked", { n: ids.length }) });
      await readApart(w, link);
      setTimeout(() => document.getElementById("apart-list")?.focus());
    }),
    /** How the row stands that is chosen in Grist. */
    readRow: async (link) => {
      const at = rowToSync(w.state);
      if (!at) return;
      try {
        w.dispatch({ type: "beside/chosen", row: (await w.api.row(link, at)).body });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        w.dispatch({ type: "beside/chosen", row: { ...at, status: null } }); // hidden from this person
      }
    },
    /** The other fields of a conflict's row, read once somebody stays there. */
    lookBeside: (item) => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const of = { resource: item.resource, row: item.row };
        try {
          w.dispatch({ type: "beside/row", row: { ...of, fields: (await w.api.row(w.state.session.link.id, of)).body.fields } });
        } catch (error) {
          // A row that is gone, or not for this person, has no other fields; a lost service is told by the next look.
          w.dispatch({ type: "beside/row", row: { ...of, fields: error instanceof Refused ? [] : null } });
        }
      }, CALM_MS);
    },
  };
}
