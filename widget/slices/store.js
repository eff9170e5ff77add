// The form that connects a store: what is typed, what the last test said. Secrets live here only until they are
// sent; nothing of it is kept in the browser but the domain and the client id (main.js).

import { same } from "../same.js";

export const initial = {
  // `way`: "client" (client id and secret) or "token" (a pasted Admin token).
  typed: { store: "", way: "client", client_id: "", client_secret: "", token: "" },
  shown: false, // whether the secret is shown as it is typed
  tested: null, // the values that `answer` or `refusal` is about
  answer: null, refusal: null,
};

export function reduce(part, event) {
  switch (event.type) {
    case "typed": return { ...part, typed: { ...part.typed, ...event.values } };
    case "show": return { ...part, shown: event.on };
    case "tested": return { ...part, tested: event.typed, answer: event.answer, refusal: null };
    case "refused": return { ...part, tested: event.typed, answer: null, refusal: event.refusal };
    case "cleared": return initial;
    default: throw new Error(`The store's form does not know the event ${event.type}`);
  }
}

/** The body of a test or of the connection: only what the chosen way needs. */
export function storeBody({ store, way, client_id, client_secret, token }) {
  return way === "token" ? { store: store.trim(), token: token.trim() } : { store: store.trim(), client_id: client_id.trim(), client_secret: client_secret.trim() };
}

/** What is missing before a test can be made, as the name of the first empty input; null where all is there. */
export function missingInput(typed) {
  return Object.entries(storeBody(typed)).find(([, value]) => !value)?.[0] ?? null;
}

/** The answer of the last test, where nothing was changed since. */
export function standingAnswer(part) {
  return part.answer && same(storeBody(part.tested), storeBody(part.typed)) ? part.answer : null;
}

/** Missing permissions first, the granted ones as one line: `{missing: [{scope, without}], granted: [{scope, about}]}`. */
export function sortedPermissions(answer) {
  return { missing: answer.permissions.filter((one) => !one.granted), granted: answer.permissions.filter((one) => one.granted) };
}

/** "fieldhouse.myshopify.com" from the name alone, or from an address of the admin; what it cannot read stays as it is. */
export function completeDomain(text) {
  const typed = text.trim().toLowerCase();
  const admin = /^(?:https?:\/\/)?admin\.shopify\.com\/store\/([a-z0-9][a-z0-9-]*)(?:[/?#]|$)/.exec(typed);
  const own = /^(?:https?:\/\/)?([a-z0-9][a-z0-9-]*)(?:\.myshopify\.com)?(?:[/?#].*)?$/.exec(typed);
  const name = admin?.[1] ?? own?.[1];
  return name ? `${name}.myshopify.com` : text.trim();
}
