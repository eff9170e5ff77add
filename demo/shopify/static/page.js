// The products list: draws what the server holds, sends edits to the control door, asks again every other second.
// A row that somebody is typing in is never redrawn; a row that changed elsewhere lights up for a moment.

const state = { data: JSON.parse(document.getElementById("state").textContent), tag: "", find: "", seen: new Map() };
const body = document.getElementById("rows");
const message = document.getElementById("message");

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children.filter((child) => child !== null));
  return node;
}

function cell(label, className, ...children) {
  const node = element("td", { className }, ...children);
  if (label) node.dataset.label = label;
  return node;
}

function field(value, label, className, save) {
  const input = element("input", { className: `bare ${className}`, value, defaultValue: value });
  input.setAttribute("aria-label", label);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") input.blur();
    if (event.key === "Escape") { input.value = input.defaultValue; input.blur(); }
  });
  input.addEventListener("change", () => save(input.value));
  return input;
}

async function send(path, payload) {
  message.hidden = true;
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(payload),
  }).catch(() => null);
  if (!answer?.ok) {
    const said = await answer?.json().catch(() => null);
    message.textContent = said?.error ?? "The store did not answer. Is it still running?";
    message.hidden = false;
  }
  state.tag = "";
  document.activeElement?.blur();
  await refresh();
}

const edit = (kind, id, set) => send("/__control/edit", { [kind]: { id }, set });

function variantCells(product, variant) {
  const name = `${product.title} ${variant.title}`.trim();
  const stock = variant.stock.map((quantity, place) => cell(state.data.locations[place], "number",
    quantity === null
      ? element("span", { className: "quiet", textContent: "not stocked" })
      : field(String(quantity), `Available of ${name} at ${state.data.locations[place]}`, "stock",
        (value) => edit("variant", variant.id, { available: value, location: state.data.locations[place] }))));
  const sell = element("button", { type: "button", textContent: "Sell one" });
  sell.setAttribute("aria-label", `Sell one ${name}`);
  sell.disabled = variant.stock.every((quantity) => quantity === null);
  sell.addEventListener("click", () => send("/__control/sell", { variant: { id: variant.id }, quantity: 1 }));
  return [
    cell("SKU", "sku", variant.sku ?? "no SKU"),
    cell(`Price (${state.data.currency})`, "number",
      variant.compareAt ? element("span", { className: "was", textContent: variant.compareAt }) : null,
      field(variant.price, `Price of ${name}`, "price", (value) => edit("variant", variant.id, { price: value }))),
    ...stock,
    cell("Committed", "number quiet least", String(variant.committed)),
    cell("", "number", sell),
  ];
}

async function act(button) {
  const answer = await fetch(`/__page/act/${button.dataset.act}`, { method: "POST" }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  document.getElementById("said").textContent = said?.said ?? said?.error ?? "The store did not answer.";
  state.tag = "";
  document.activeElement?.blur();
  await refresh();
}

function drawOrders() {
  document.getElementById("order-count").textContent = state.data.total.orders > state.data.orders.length
    ? `the latest ${state.data.orders.length} of ${state.data.total.orders}` : `${state.data.total.orders} orders`;
  document.getElementById("orders").replaceChildren(...state.data.orders.map((order) => element("tr", {},
    cell("", "title", order.name), cell("When", "quiet", order.at), cell("Customer", "", order.customer || "–"),
    cell("Lines", "wide", order.lines), cell("Payment", "", element("span", { className: "badge", textContent: order.paid })),
    cell("Fulfilment", "", element("span", { className: "badge", textContent: order.sent })),
    cell("Total", "number", order.total))));
  const network = document.getElementById("network");
  network.dataset.act = state.data.networkCut ? "restore" : "cut";
  network.textContent = state.data.networkCut ? "Restore the network" : "Cut the network";
  network.classList.toggle("on", state.data.networkCut);
}

function productRows(product) {
  const title = field(product.title, `Title of ${product.title}`, "title",
    (value) => edit("product", product.id, { title: value }));
  const status = element("span", { className: `badge ${product.status}`,
    textContent: product.status[0] + product.status.slice(1).toLowerCase() });
  const many = product.variants.length > 1 || product.variants[0]?.title;
  const first = element("tr", { className: many ? "product many" : "product" }, cell("", "wide",
    element("img", { className: "picture", src: product.picture, alt: "" }), title), cell("", "", status));
  if (!many) {
    first.append(...(product.variants[0] ? variantCells(product, product.variants[0]) : []));
    return [[product.id, product, first]];
  }
  for (let left = 4 + state.data.locations.length; left > 0; left -= 1) first.append(cell("", "none"));
  return [[product.id, { ...product, variants: [] }, first], ...product.variants.map((variant) => [variant.id, variant,
    element("tr", { className: "variant" }, cell("", "wide under", variant.title), cell("", "none"),
      ...variantCells(product, variant))])];
}

function matches(product) {
  const text = [product.title, product.type, product.vendor, ...product.tags,
    ...product.variants.map((variant) => variant.sku ?? "")].join(" ").toLowerCase();
  return state.find.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function draw() {
  const shown = state.data.products.filter(matches);
  const head = ["Product", "Status", "SKU", `Price (${state.data.currency})`, ...state.data.locations, "Committed", ""];
  document.getElementById("head").replaceChildren(...head.map((text, place) => element("th", {
    scope: "col", textContent: text, className: place > 2 ? (text === "Committed" ? "number least" : "number") : "" })));
  const { products, variants } = state.data.total;
  const first = products > state.data.products.length ? `, the first ${state.data.products.length} are shown` : "";
  document.getElementById("count").textContent = `${products} products, ${variants} variants${first}`;
  const rows = shown.flatMap(productRows);
  for (const [id, value, row] of rows) {
    const text = JSON.stringify(value);
    if (state.seen.has(id) && state.seen.get(id) !== text) {
      row.classList.add("changed");
      setTimeout(() => row.classList.remove("changed"), 1200);
    }
    state.seen.set(id, text);
  }
  body.replaceChildren(...(rows.length ? rows.map(([, , row]) => row) : [element("tr", {}, element("td", {
    className: "empty wide", colSpan: head.length, textContent: "Nothing matches this search." }))]));
  drawOrders();
}

async function refresh() {
  if (body.contains(document.activeElement) && document.activeElement.tagName === "INPUT") return;
  const answer = await fetch("/__page/products", { headers: state.tag ? { "If-None-Match": state.tag } : {} })
    .catch(() => null);
  if (answer?.status !== 200) return;
  state.tag = answer.headers.get("ETag") ?? "";
  state.data = await answer.json();
  draw();
}

// "#find=linen" at the end of the address searches, so that another page can point at a product.
function findFromAddress() {
  const wanted = /^#find=(.*)$/.exec(location.hash);
  if (!wanted) return;
  state.find = document.getElementById("find").value = decodeURIComponent(wanted[1]);
  draw();
}

window.addEventListener("hashchange", findFromAddress);
document.getElementById("find").addEventListener("input", (event) => { state.find = event.target.value.trim(); draw(); });
for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => act(button));
draw();
findFromAddress();
setInterval(refresh, 2000);
