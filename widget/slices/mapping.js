// The mapping as somebody edits it: what there is to map, what is saved, the draft, and what the draft would do. Pure.
//
// A draft is a whole list of mappings as the API takes them; null means: as saved. In the first run nothing is saved
// yet, and the draft is made from the resources that were chosen and the tables they go into.

export const initial = {
  resources: null, tables: null, saved: null,
  draft: null, chosen: null, adding: null,
  // The version of the mapping that the draft began from: a save over a newer one is refused.
  base: null,
  // First run: by resource the table it goes into, "" for a new one.
  picked: null,
  // What the draft would do: {key, run, report, trouble}; `report` is null while it is worked out.
  effect: null,
  problem: null,
  pairs: null, answers: {}, part: null, // which part of a preview is looked at; null: the first that needs a look
};

export function reduce(part, event) {
  switch (event.type) {
    case "resources": return { ...part, resources: event.body };
    case "tables": return { ...part, tables: event.body };
    case "saved": return { ...part, saved: event.body, chosen: part.chosen ?? event.body.mappings[0]?.resource ?? null };
    case "draft": return { ...part, draft: event.draft, problem: null, base: event.draft ? part.base ?? part.saved?.version ?? null : null };
    case "chosen": return { ...part, chosen: event.resource, adding: null };
    case "adding": return { ...part, adding: event.text };
    case "picked": return { ...part, picked: event.picked, draft: null, answers: {} };
    case "problem": return { ...part, problem: event.problem };
    case "effect": return { ...part, effect: event.effect };
    case "pairs": return { ...part, pairs: event.body };
    case "answer": return { ...part, answers: answered(part.answers, event) };
    case "answers": return { ...part, answers: event.answers };
    case "part": return { ...part, part: event.part };
    case "restore": return { ...part, ...event.kept };
    case "discard": return { ...part, draft: null, base: null, problem: null, effect: null, adding: null };
    default: throw new Error(`The mapping does not know the event ${event.type}`);
  }
}

/** What names a question in the list; those of a preview have no id yet. */
export function questionKey(one) {
  return String(one.id ?? JSON.stringify([one.resource, one.kind, one.rows.map((row) => row.row), one.things.map((thing) => thing.thing)]));
}

/** Whether a line is what was chosen. */
export function isChosen(answer, line) {
  if (!answer) return false;
  if (line.fresh) return Boolean(answer.fresh) && (line.only === undefined || answer.fresh === line.only);
  if (answer.fresh) return false;
  const wanted = Object.entries(line.pairs);
  const apart = wanted.every(([, thing]) => thing === null);
  return wanted.every(([row, thing]) => answer.rows[row] === thing) && (!apart || Object.values(answer.rows).every((thing) => thing === null));
}

/** Choosing: the same again takes it back. Of several rows each has an answer of its own, and a thing goes to one only. */
function answered(answers, { question, line }) {
  const key = questionKey(question);
  const now = answers[key];
  const { [key]: _, ...rest } = answers;
  if (isChosen(now, line)) return rest;
  if (line.fresh) return { ...answers, [key]: { question, fresh: line.only ?? true, rows: {} } };
  if (line.among === undefined) return { ...answers, [key]: { question, rows: { ...line.pairs } } };
  const given = Object.values(line.pairs);
  const kept = Object.fromEntries(Object.entries(now?.fresh ? {} : now?.rows ?? {}).filter(([, thing]) => thing !== null && !given.includes(thing)));
  return { ...answers, [key]: { question, rows: { ...kept, ...line.pairs } } };
}
