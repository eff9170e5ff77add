// Whose script the widget loads, and where it leads.
import assert from "node:assert/strict";
import { test } from "node:test";

import { pluginAddress, placesOf } from "../../widget/grist.js";

const PLACEHOLDER = "__GRIST_PLUGIN_API__";
const from = (address) => pluginAddress(`?grist=${encodeURIComponent(address)}`, PLACEHOLDER);

test("a page that a backend serves loads what the backend names, whatever the link says", () => {
  const served = "https://grist.example/grist-plugin-api.js";
  assert.equal(pluginAddress("", served), served);
  assert.equal(pluginAddress("?grist=https://evil.example", served), served);
});

test("a page from elsewhere takes a Grist server from its address", () => {
  assert.equal(pluginAddress("", PLACEHOLDER), "https://docs.getgrist.com/grist-plugin-api.js");
  assert.equal(from("https://grist.example/"), "https://grist.example/grist-plugin-api.js");
  assert.equal(from("https://grist.example/o/team"), "https://grist.example/o/team/grist-plugin-api.js");
  assert.equal(from("https://grist.example/v/1/grist-plugin-api.js"), "https://grist.example/v/1/grist-plugin-api.js");
  for (const host of ["localhost:8484", "127.0.0.1:8484", "[::1]:8484"]) assert.equal(from(`http://${host}`), `http://${host}/grist-plugin-api.js`);
});

test("neither plain http from elsewhere nor anything that is no address of a server is loaded", () => {
  for (const address of ["http://grist.example", "http://localhost.evil.example", "http://127.0.0.1@evil.example", "data:text/javascript,1", "javascript:1//.js",
    "blob:https://a/b.js", "//evil.example", "grist.example", "file:///tmp/x.js", "https://a:b@grist.example"]) assert.throws(() => from(address), `${address} was taken`);
});

test("Grist's pages about a document are told from the address of its API, on one host and on a team's", () => {
  assert.deepEqual(placesOf("https://docs.getgrist.com/o/team/api/docs/5xmF9aw1Nc6o"), {
    rules: "https://docs.getgrist.com/o/team/doc/5xmF9aw1Nc6o/p/acl", download: "https://docs.getgrist.com/o/team/api/docs/5xmF9aw1Nc6o/download" });
  assert.equal(placesOf("http://127.0.0.1:8484/api/docs/5xmF9aw1Nc6o").rules, "http://127.0.0.1:8484/doc/5xmF9aw1Nc6o/p/acl");
  for (const address of [undefined, "", "javascript:alert(1)//api/docs/x", "https://a@b.example/api/docs/x", "https://grist.example/api/docs/x/tables"]) assert.equal(placesOf(address), null);
});
