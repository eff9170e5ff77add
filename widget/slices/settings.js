// Settings: what the service holds, and what somebody changed and has not saved. A change stays while they look at
// other tabs, and what they typed is never cleared by an answer that arrives.

import { same } from "../same.js";

export const initial = {
  held: null, // as the service answered
  changed: {}, // by name of the setting: the value that would be saved
  problem: {}, // by name: what is wrong with it, in words
  keys: null, // API keys for scripts, without their secrets
  made: null, // {name, key}: a new key, shown this once
  typed: { key_name: "", grist_key: "", notify_url: "" },
  asked: null, // which confirmation stands in the footer: {what, id, name}
};

export function reduce(part, event) {
  switch (event.type) {
    case "held": return { ...part, held: event.held, changed: stillDifferent(part.changed, event.held.settings) };
    case "change": return changed(part, event.name, event.value);
    case "problem": return { ...part, problem: { ...part.problem, [event.name]: event.words } };
    case "saved": return { ...part, held: event.held, changed: {}, problem: {}, typed: secretsOnly(part.typed) };
    case "discard": return { ...part, changed: {}, problem: {}, typed: secretsOnly(part.typed) };
    case "keys": return { ...part, keys: event.keys };
    case "made": return { ...part, made: event.made, typed: { ...part.typed, key_name: "" } };
    case "typed": return { ...part, typed: { ...part.typed, ...event.values } };
    case "ask": return { ...part, asked: event.asked };
    default: throw new Error(`The settings do not know the event ${event.type}`);
  }
}

/** The value of a setting as the form shows it: changed, else held. */
export function shownValue(part, name) {
  return name in part.changed ? part.changed[name] : part.held?.settings[name];
}

export function changeCount(part) {
  return Object.keys(part.changed).length;
}

export function hasProblem(part) {
  return Object.values(part.problem).some(Boolean);
}

function changed(part, name, value) {
  const { [name]: _, ...rest } = part.changed;
  const { [name]: __, ...problem } = part.problem;
  return { ...part, problem, changed: same(part.held?.settings[name], value) ? rest : { ...rest, [name]: value } };
}

/** Numbers that were typed are shown as they are held again; what else is typed stays. */
function secretsOnly({ key_name, grist_key, notify_url }) {
  return { key_name, grist_key, notify_url };
}

function stillDifferent(values, held) {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => !same(held[name], value)));
}
