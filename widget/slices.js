// The parts of the state that belong to one screen each: `state[name]` starts as the slice's `initial` and changes by
// its `reduce(part, event, state)`. An event of a slice is named "slice/what": `{type: "store/typed", …}`. Pure.

import * as beside from "./slices/beside.js";
import * as deeds from "./slices/deeds.js";
import * as firstRun from "./slices/first-run.js";
import * as health from "./slices/health.js";
import * as mapping from "./slices/mapping.js";
import * as settings from "./slices/settings.js";
import * as store from "./slices/store.js";

const SLICES = { beside, deeds, firstRun, store, options: settings, health, mapping };

/** The first state of every slice, by name. */
export function initialSlices() {
  return Object.fromEntries(Object.entries(SLICES).map(([name, slice]) => [name, slice.initial]));
}

/** The state after an event of a slice; undefined where the event belongs to none. */
export function reduceSlice(state, event) {
  const [name, what] = event.type.split("/");
  if (what === undefined || !(name in SLICES)) return undefined;
  return { ...state, [name]: SLICES[name].reduce(state[name], { ...event, type: what }, state) };
}
