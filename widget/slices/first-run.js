// First run: which step somebody looks at. How far the set-up is stands on the server (`link.first_run`), so it can be
// left and resumed, also by another owner; `at` is only where this person has gone back to.

export const initial = { at: null };

/** All steps in their order, and those that have a screen (views/first-run.js): only they stand in the line. */
export const STEPS = ["access", "store", "resources", "tables", "preview"];
export const SHOWN = ["access", "store", "resources", "tables", "preview"];

export function reduce(part, event) {
  switch (event.type) {
    case "go": return { ...part, at: event.step };
    default: throw new Error(`The first run does not know the event ${event.type}`);
  }
}

/** The furthest step that is reached: everything before it is done. */
export function reached(state) {
  if (state.phase === "no_access") return "access";
  return state.session?.link?.first_run?.step ?? "store";
}

/** The step to show: where the person went back to, else the furthest. */
export function shownStep(state) {
  const { at } = state.firstRun;
  return at !== null && STEPS.indexOf(at) < STEPS.indexOf(reached(state)) ? at : reached(state);
}

/** Whether the widget is the first run now: for owners, as long as no store is connected or its set-up is not ended. */
export function isFirstRun(state) {
  if (state.phase === "no_access") return !state.session?.link;
  if (state.phase !== "ready" || state.session?.role !== "owner" || state.settings.readonly) return false;
  return !state.session.link ? !state.session.copy : SHOWN.includes(state.session.link.first_run?.step);
}
