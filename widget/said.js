// What the service says in sentences of its own, in the language of the person: causes and cures, why something waits.
//
//   i18n/de.said.json   {"Column … in table … is a formula": "Spalte {1} in Tabelle {2} ist eine Formel"}
//
// The English sentence is the key, "…" whatever the service put into it. What is not listed stays as it came: better
// true in English than guessed. Nothing here is fetched in English, nor before there is something to be said.

const TOLD = new Set(["message", "cure", "reason", "paused", "facts", "why", "final", "without", "problem", "trouble", "effect"]);
const lists = {}; // by language: the promise of its translator

/** `body`, an answer of the service, with its sentences in `language`; `load(language)` resolves to its list or null. */
export async function inLanguage(body, language, load) {
  if (!find(body, (text) => text !== "")) return body;
  lists[language] ??= load(language).then((list) => list && translator(list)).catch((error) => {
    delete lists[language];
    throw error;
  });
  const translate = await lists[language].catch(() => null); // without the list it is said in English; the next answer asks again
  return translate ? put(body, translate) : body;
}

/** A function that puts a text of the service into the language of `list`, as far as it is listed. */
export function translator(list) {
  const whole = new Map();
  const patterns = [];
  for (const [english, own] of Object.entries(list)) {
    if (!english.includes("…")) whole.set(english, own);
    else patterns.push({ own, literal: english.replaceAll("…", "").length, starts: english.split("…")[0], form: pattern(english) });
  }
  patterns.sort((a, b) => b.literal - a.literal); // the one that says most of it itself

  function sentence(text) {
    const exact = whole.get(text);
    if (exact !== undefined) return exact;
    for (const { own, starts, form } of patterns) {
      const found = text.startsWith(starts) ? form.exec(text) : null;
      if (found) return own.replace(/\{(\d)\}/g, (_, number) => translate(found[number]));
    }
    return null;
  }

  function translate(text) {
    const all = sentence(text);
    if (all !== null) return all;
    const parts = text.split(/(?<=[.!?]) (?=\S)/);
    if (parts.length === 1) return text;
    const out = [];
    for (let at = 0; at < parts.length;) {
      let [end, own] = [parts.length, null];
      for (; end > at && own === null; end -= 1) own = end - at === parts.length ? null : sentence(parts.slice(at, end).join(" "));
      out.push(own ?? parts[at]);
      at = own === null ? at + 1 : end + 1;
    }
    return out.join(" ");
  }
  return translate;
}

function pattern(english) {
  const pieces = english.split("…").map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pieces.join("(.*?)")}$`, "s");
}

/** Whether any of the told texts in `body` is one that `wanted` accepts. */
function find(body, wanted) {
  if (Array.isArray(body)) return body.some((one) => find(one, wanted));
  if (body === null || typeof body !== "object") return false;
  return Object.entries(body).some(([key, value]) => (TOLD.has(key) && texts(value).some(wanted)) || find(value, wanted));
}

function put(body, translate) {
  if (Array.isArray(body)) return body.map((one) => put(one, translate));
  if (body === null || typeof body !== "object") return body;
  return Object.fromEntries(Object.entries(body).map(([key, value]) => {
    if (!TOLD.has(key)) return [key, put(value, translate)];
    if (typeof value === "string") return [key, translate(value)];
    return [key, Array.isArray(value) && value.every((one) => typeof one === "string") ? value.map(translate) : put(value, translate)];
  }));
}

function texts(value) {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
