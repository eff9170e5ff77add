// What the widget does with the backend's answers, with a backend made of a list.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createApi, Refused } from "../../widget/api.js";

/** Answers `list` in this order: [status, body]. What was asked is in `asked`. */
function backend(...list) {
  const asked = [];
  globalThis.fetch = async (address, { method = "GET", headers, body }) => {
    asked.push({ method, address, bearer: headers.Authorization, body });
    const [status, answer, more = {}] = list.shift();
    return new Response(status === 304 ? null : typeof answer === "string" ? answer : JSON.stringify(answer), { status, headers: more });
  };
  const api = createApi({ base: "https://sync.example", token: async (renew) => (renew ? "new" : "old") });
  return { api, asked };
}

test("an answer for which a service has to be asked is fetched when it is there, with the same token", async () => {
  const { api, asked } = backend([202, { asked: "a1" }], [202, { asked: "a1" }], [200, { shop: "Fieldhouse" }]);
  assert.deepEqual(await api.testStore({ store: "fieldhouse" }), { shop: "Fieldhouse" });
  assert.deepEqual(asked.map((one) => `${one.method} ${one.address} ${one.bearer}`), [
    "POST https://sync.example/api/link/test Bearer old",
    "GET https://sync.example/api/asked/a1 Bearer old",
    "GET https://sync.example/api/asked/a1 Bearer old",
  ]);
});

test("what was said no to meanwhile is raised as ever, and an ended token is renewed once", async () => {
  const no = { code: "role", message: "Only owners may do this.", cure: "Ask one.", details: {} };
  const { api, asked } = backend([202, { asked: "a1" }], [401, no], [202, { asked: "a2" }], [403, no]);
  await assert.rejects(api.health(1), (error) => error instanceof Refused && error.status === 403);
  assert.deepEqual(asked.map((one) => one.bearer), ["Bearer old", "Bearer old", "Bearer new", "Bearer new"]);
});

test("a run that was queued is no such answer, and a file may be one", async () => {
  const { api } = backend([202, { id: 7 }], [202, { asked: "a1" }], [200, "mappings: []"]);
  assert.deepEqual(await api.startRun(1, "sync"), { id: 7 });
  assert.equal(await api.exportConfig(1), "mappings: []");
});

test("an answer that has not changed is not read again, also where it took a while", async () => {
  const { api } = backend([200, { n: 1 }, { ETag: '"e"' }], [202, { asked: "a1" }], [304]);
  assert.deepEqual(await api.state(1), { changed: true, body: { n: 1 } });
  assert.deepEqual(await api.state(1), { changed: false, body: { n: 1 } });
});

test("what is forgotten while it is asked about is answered all the same, and asked for whole the next time", async () => {
  const { api, asked } = backend([200, { n: 1 }, { ETag: '"a"' }], [304, ""], [200, { n: 2 }, { ETag: '"b"' }]);
  assert.deepEqual((await api.session()).body, { n: 1 });
  const again = api.session();
  api.forget();
  assert.deepEqual(await again, { changed: false, body: { n: 1 } });
  assert.deepEqual(await api.session(), { changed: true, body: { n: 2 } });
  assert.equal(asked.length, 3);
});
