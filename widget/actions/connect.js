// What a press does on the screens of the first run, the store's form, settings and health.
//
// `w` is the widget: `w.state`, `w.api`, `w.f` as they are now, and `dispatch`, `press(name, work)`, `toast`, `again()`
// (looks at the session anew), `keep(name, value)` and `kept(name)` (this browser tab only).

import { Refused } from "../api.js";
import { initial as emptyForm, storeBody } from "../slices/store.js";

const KEPT_FORM = "form";

export function connectActions(w) {
  const fixedStore = () => w.state.session?.link?.store ?? w.state.session?.copy?.store ?? null;
  const body = () => storeBody(fixedStore() ? { ...w.state.store.typed, store: fixedStore() } : w.state.store.typed);
  const typed = () => w.state.store.typed;

  /** Sends what was tested; afterwards the secret is forgotten here. */
  const connected = (send) => w.press("connect", async (link) => {
    await send(link);
    w.keep(KEPT_FORM, null);
    w.dispatch({ type: "store/cleared" });
    w.dispatch({ type: "tab", tab: "overview" });
    await w.again();
  });

  return {
    /** Shows a step that is done; null: back to the furthest. */
    lookAtStep: (step) => w.dispatch({ type: "firstRun/go", step }),
    /** Goes on to `step` and remembers it on the server; null ends the first run. */
    step: (step) => w.press("step", async (link) => {
      await w.api.saveSettings(link, { first_run: step === null ? null : { step } });
      w.dispatch({ type: "firstRun/go", step: null });
      await w.again();
    }),
    typeStore: (values) => {
      w.dispatch({ type: "store/typed", values });
      const { store, way, client_id } = typed();
      w.keep(KEPT_FORM, { store, way, client_id });
    },
    recallForm: () => {
      if (typed().store) return;
      const values = w.kept(KEPT_FORM);
      const before = w.state.session?.before;
      if (values || before) w.dispatch({ type: "store/typed", values: { ...(before ? { store: before } : {}), ...values } });
    },
    showSecret: (on) => w.dispatch({ type: "store/show", on }),
    testStore: () => w.press("test", async () => {
      const tested = { ...typed() };
      try {
        w.dispatch({ type: "store/tested", typed: tested, answer: await w.api.testStore(body()) });
      } catch (error) {
        // What Shopify said of the key stands beside the button, not in a banner.
        if (!(error instanceof Refused) || error.status === 401) throw error;
        w.dispatch({ type: "store/refused", typed: tested, refusal: { message: error.message, cure: error.cure } });
      } finally {
        // In a low frame the answer lies below what is seen.
        setTimeout(() => document.getElementById("test")?.parentElement.scrollIntoView({ block: "nearest" }));
      }
    }),
    connectStore: () => connected(() => w.api.connectStore(body())),
    replaceStore: () => connected((link) => w.api.replaceStore(link, body())),
    moveLink: () => connected(() => w.api.moveLink(body())),
    closeStore: () => {
      w.dispatch({ type: "store/typed", values: { ...emptyForm.typed } });
      w.dispatch({ type: "tab", tab: "overview" });
    },
  };
}
