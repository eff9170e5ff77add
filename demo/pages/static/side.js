// Two frames and a tour. What is done is asked of the server every second and a half while the tour is open; where the
// person stands, and whether they closed it, is kept in the browser.

const ASK_MS = 1500, KEPT = "demo-tour";
const at = (id) => document.getElementById(id);
const kept = { step: 0, closed: false, ...remembered() };
let tour = null;
let wasDone = [];

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // a browser that keeps nothing still shows the tour
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // then it opens again next time
  }
}

async function ask(path, options) {
  const answer = await fetch(path, options).catch(() => null);
  const said = await answer?.json().catch(() => null);
  return said ?? { error: "The demo does not answer. Is make run still at work?" };
}

async function refresh() {
  const answer = await ask("tour");
  if (answer.error) {
    say(answer.error);
    return;
  }
  tour = answer;
  kept.step = Math.min(kept.step, tour.steps.length - 1);
  draw();
}

function draw() {
  const step = tour.steps[kept.step];
  at("tour").hidden = kept.closed;
  at("open-tour").hidden = !kept.closed;
  at("place").textContent = `${kept.step + 1} of ${tour.steps.length}`;
  at("title").textContent = step.title;
  if (at("tell").dataset.of !== step.title) {
    at("tell").dataset.of = step.title;
    at("tell").replaceChildren(...step.tell.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }
  const act = at("act");
  act.hidden = !step.act;
  act.textContent = step.button ?? "";
  act.disabled = step.used;
  act.classList.toggle("strong", !step.isDone);
  at("back").disabled = kept.step === 0;
  const last = kept.step === tour.steps.length - 1;
  at("next").textContent = last ? "End" : "Next";
  at("next").classList.toggle("strong", step.isDone);
  if (step.isDone && !wasDone[kept.step]) say(`✓ ${step.done}`);
  wasDone[kept.step] = step.isDone;
}

function say(text) {
  at("said").textContent = text;
}

// Both frames show what the step is about. The store's address keeps its search behind "#", so nothing is loaded anew.
function show(step) {
  at("document").contentWindow.location.hash = encodeURIComponent(step.table);
  at("store").src = `${tour.store}/#find=${encodeURIComponent(step.find)}`;
}

function go(number) {
  if (number >= tour.steps.length) {
    close(true);
    return;
  }
  kept.step = number;
  wasDone[number] = false;
  keep();
  say("");
  show(tour.steps[number]);
  draw();
}

function close(closed) {
  kept.closed = closed;
  if (closed) kept.step = 0;
  keep();
  draw();
  (closed ? at("open-tour") : at("next")).focus();
}

async function act() {
  at("act").disabled = true;
  const answer = await ask(`act/${tour.steps[kept.step].act}`, { method: "POST" });
  await refresh();
  say(answer.said ?? answer.error);
}

await refresh();
if (tour) {
  const step = tour.steps[kept.step];
  const shown = kept.closed ? { table: "Variants", find: "" } : step;
  at("document").src = `${tour.document}#${encodeURIComponent(shown.table)}`;
  at("store").src = `${tour.store}/#find=${encodeURIComponent(shown.find)}`;
  at("document-link").href = tour.document;
  at("store-link").href = tour.store;
  at("act").addEventListener("click", act);
  at("back").addEventListener("click", () => go(kept.step - 1));
  at("next").addEventListener("click", () => go(kept.step + 1));
  at("close").addEventListener("click", () => close(true));
  at("open-tour").addEventListener("click", () => { close(false); show(tour.steps[kept.step]); });
}
setInterval(() => { if (!kept.closed) refresh(); }, ASK_MS);
