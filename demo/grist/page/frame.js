// The widget's frame and the page's half of the talk with it (the other half is grist-plugin-api.js).

const QUERY = "access=full&readonly=READONLY&culture=en-US&language=en-US&timeZone=UTC&currency=USD";

/**
 * Puts the widget into `place`. `host` answers its calls: `{methods, state()}`, where `state()` is what a widget is told
 * (`{tableId, rowId, options, settings, theme}`). Returns `tell(changes)`, which passes on what changed.
 */
export function makeFrame(place, backend, readOnly, host) {
  const address = new URL(`${backend}/widget/?${QUERY.replace("READONLY", String(readOnly))}`);
  const frame = document.createElement("iframe");
  frame.title = "Shopify sync";
  frame.src = address.href;
  let ready = false;
  window.addEventListener("message", heard);
  place.replaceChildren(frame);

  async function heard(event) {
    if (event.source !== frame.contentWindow || event.origin !== address.origin || event.data?.gristCall === undefined) return;
    const { gristCall: id, method, args } = event.data;
    if (method === "ready") {
      ready = true;
      send({ gristEvent: { ...host.state(), dataChange: true, fromReady: true } });
    }
    try {
      const answer = method === "ready" ? null : await call(method, args);
      send({ gristAnswer: id, result: answer ?? null });
    } catch (error) {
      send({ gristAnswer: id, error: error.message });
    }
  }

  async function call(method, args) {
    if (!Object.hasOwn(host.methods, method)) throw new Error(`The stand-in for Grist has no ${method}.`);
    return host.methods[method](...args);
  }

  function send(message) {
    frame.contentWindow?.postMessage(message, address.origin);
  }

  return { tell: (changes) => { if (ready) send({ gristEvent: changes }); } };
}
