// Whose script the widget loads.
import assert from "node:assert/strict";
import { test } from "node:test";

import { pluginAddress } from "../../widget/grist.js";

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
