// Overview: is all well, what waits for me? While a sync runs, how far it is.

import { roughSeconds } from "../format.js";
import { pace } from "../state.js";
import { html } from "../vendor/preact-htm.js";
import { Direction, Empty, Icon, Link } from "./parts.js";

/** The counts of a finished run that are worth a word, as [key, count]; unchanged only where it is asked for. */
export function resultParts(run, withUnchanged = false) {
  const { created = 0, updated = 0, deleted = 0, unchanged = 0, conflicts = 0, refused = 0, proposed_deletions: deletions = 0, waiting = 0 } = run.totals ?? {};
  const parts = [["created", created], ["updated", updated], ["deleted", deleted]];
  if (withUnchanged) parts.push(["unchanged", unchanged]);
  return [...parts, ["conflicts", conflicts], ["deletions", deletions], ["refused", refused], ["waiting", waiting]].filter(([, n]) => n > 0);
}

/** What became of a run in words: "12 updated, 7 conflicts", "Already up to date", "Cancelled". */
export function resultWords(run, f) {
  if (run.kind === "action" && run.state === "done") {
    return Object.entries(run.actions ?? {}).map(([key, n]) => f.t(`actions.count_${key}`, { n })).join(", ") || f.t("overview.up_to_date");
  }
  const counts = resultParts(run).map(([key, n]) => f.t(`overview.${key}`, { n })).join(", ");
  if (run.state === "failed") return run.message?.message ?? f.t("overview.failed");
  if (run.state === "stopped") return f.t("overview.stopped");
  if (run.state === "cancelled") return counts ? `${f.t("overview.cancelled")}: ${counts}` : f.t("overview.cancelled");
  return counts || f.t("overview.up_to_date");
}

/** "38 a second" and "about 11 s left", where enough is known. */
export function paceWords(s, f) {
  const run = s.server?.run;
  if (run?.phase !== "writing") return [];
  const { rate, left } = pace(s.samples, run.total);
  if (rate === null || rate < 1) return [];
  const words = [f.t("bar.rate", { n: Math.round(rate) })];
  if (left !== null && left >= 1) words.push(f.t("bar.left", { time: f.seconds(roughSeconds(left)) }));
  return words;
}

export function Overview({ s, f, on }) {
  if (!s.server) return html`<div class="scroll" />`;
  if (s.server.run) return html`<${Running} s=${s} f=${f} />`;
  const run = lastSync(s);
  return html`<div class="scroll">
    ${s.server.status === "never" && !run ? html`<${Empty} words=${f.t("overview.never")} />` : run && html`<${Last} run=${run} s=${s} f=${f} on=${on} />`}
    <${Tables} s=${s} f=${f} on=${on} />
    ${s.runs.length > 0 && html`<${Recent} s=${s} f=${f} on=${on} />`}
    <p class="foot">${aheadWords(s.server, s.now, f)}</p></div>`;
}

/** "Next sync at 14:17. Changes made in Shopify arrive within seconds." */
function aheadWords({ next_at: next, soon }, now, f) {
  const timer = next ? f.t("overview.next", { when: f.whenAt(Date.parse(next), now) }) : f.t("overview.no_timer");
  return [timer, soon ? f.t("overview.soon") : next && f.t("overview.not_soon")].filter(Boolean).join(" ");
}

function lastSync(s) {
  const last = s.server.last_run;
  return last?.kind === "sync" ? last : (s.runs.find((run) => run.kind === "sync" && run.finished_at) ?? null);
}

function Last({ run, s, f, on }) {
  const values = { when: f.whenAt(Date.parse(run.finished_at), s.now), by: byWords(run.by, f), seconds: f.seconds(run.seconds ?? 0) };
  const parts = run.state === "done" ? resultParts(run, true) : [];
  const tabs = { conflicts: "conflicts", deletions: "deletions", refused: "refused" };
  return html`<div class="last"><div class="quiet">${f.t(run.by ? "overview.last_sync" : "overview.last_sync_nobody", values)}</div>
    <div class="counts">${parts.some(([key]) => key !== "unchanged")
      ? parts.map(([key, n]) => html`<${Link} lined onPress=${() => (tabs[key] ? on.go(tabs[key]) : on.go("changes", { look: { run: run.id } }))}>${f.t(`overview.${key}`, { n })}<//>`)
      : html`<span>${resultWords(run, f)}</span>`}</div></div>`;
}

/** "timer" stands inside the sentence as it comes; a name keeps its capital. */
function byWords(by, f) {
  return by === "Timer" ? f.t("by.timer") : f.by(by).replace(/^An /, "an ");
}

function capital(words) {
  return words ? words[0].toUpperCase() + words.slice(1) : "";
}

function Tables({ s, f, on }) {
  return html`<table class="table tables"><caption class="hidden">${f.t("overview.tables")}</caption>
    <thead><tr><th scope="col">${f.t("overview.table")}</th><th scope="col" class="number rows">${f.t("overview.rows")}</th>
      <th scope="col" class="number"><${Direction} to="shopify" f=${f} /></th><th scope="col" class="number"><${Direction} to="grist" f=${f} /></th>
      <th scope="col" class="waits"><span class="wide">${f.t("overview.waiting_for_you")}</span><span class="narrow">${f.t("overview.waiting_short")}</span></th></tr></thead>
    <tbody>${s.server.mappings.map((mapping) => html`<tr key=${mapping.resource}>
      <th scope="row" data-cut>${mapping.label}${mapping.paused && html` <small data-tip=${mapping.paused}>${f.t("overview.paused", { why: mapping.paused })}</small>`}</th>
      <td class="number rows">${f.number(mapping.rows)}</td><${Count} n=${mapping.to_shopify} f=${f} /><${Count} n=${mapping.to_grist} f=${f} />
      <td class="waits"><${Waiting} mapping=${mapping} f=${f} on=${on} /></td></tr>`)}</tbody></table>`;
}

function Count({ n, f }) {
  return html`<td class=${`number ${n ? "" : "quiet"}`}>${f.number(n)}</td>`;
}

function Waiting({ mapping, f, on }) {
  const waits = ["conflicts", "deletions", "refused"].filter((key) => mapping[key] > 0);
  const total = waits.reduce((sum, key) => sum + mapping[key], 0);
  if (!total) return null;
  const words = waits.map((key) => f.t(`overview.${key}`, { n: mapping[key] }));
  const go = (key) => on.go(key, key === "conflicts" ? { filters: { table: mapping.resource, field: null, row: false } } : {});
  return html`<span class="wide">${waits.map((key, at) => html`${at > 0 && ", "}<${Link} onPress=${() => go(key)}>${words[at]}<//>`)}</span>
    <span class="narrow"><${Link} label=${words.join(", ")} onPress=${() => go(waits[0])}>${f.number(total)}<//></span>`;
}

function Recent({ s, f, on }) {
  const clock = s.runs.some((run) => f.clock(Date.parse(run.finished_at ?? run.started_at)).length > 5) ? "long" : ""; // "12:09 PM"
  return html`<table class=${`table recent ${clock}`}><thead><tr>
      <th scope="col"><span class="wide">${f.t("overview.recent")}</span><span class="narrow">${f.t("overview.when")}</span></th>
      <th scope="col">${f.t("overview.by")}</th><th scope="col">${f.t("overview.result")}</th><th scope="col" class="number took">${f.t("overview.took")}</th></tr></thead>
    <tbody>${s.runs.map((run) => {
      const result = resultWords(run, f);
      const at = Date.parse(run.finished_at ?? run.started_at);
      return html`<tr key=${run.id}><th scope="row"><${Link} onPress=${() => on.go("changes", { look: { run: run.id } })}><span data-tip=${f.exact(at)}>${f.moment(at, s.now)}</span><//></th>
        <td data-cut><span class="wide">${capital(f.by(run.by))}</span><span class="narrow">${capital(f.by(run.by?.split(/[,:]/)[0]))}</span></td>
        <td data-cut>${run.kind === "preview" ? f.t("overview.preview", { result }) : result}</td>
        <td class="number took">${run.seconds === null || run.seconds === undefined ? "" : f.seconds(run.seconds)}</td></tr>`;
    })}</tbody></table>`;
}

function Running({ s, f }) {
  const { run } = s.server;
  const speed = paceWords(s, f);
  const started = run.started_at && f.clock(Date.parse(run.started_at));
  const isSync = run.kind === "sync";
  return html`<div class="scroll">
    ${speed.length > 0 && html`<div class="pace quiet">${speed.join(" · ")}</div>`}
    <table class="table progress"><thead><tr><th scope="col">${f.t("overview.table")}</th><th scope="col" class="number read">${f.t("overview.read")}</th>
      <th scope="col" class="number read">${f.t("overview.to_write")}</th><th scope="col" class="number">${f.t("overview.written")}</th><th scope="col" class="state">${f.t("overview.state")}</th></tr></thead>
    <tbody>${run.mappings.map((mapping) => html`<tr key=${mapping.resource} class=${mapping.state === "writing" ? "chosen" : ""}>
      <th scope="row" data-cut>${mapping.label}</th><td class="number read">${f.number(mapping.read)}</td><td class="number read">${f.number(mapping.to_write)}</td>
      <td class="number"><span class="wide">${f.number(mapping.written)}</span><span class="narrow">${mapping.to_write
        ? f.t("overview.written_of", { written: mapping.written, total: mapping.to_write }) : f.number(mapping.written)}</span></td>
      <td class=${`state ${["next", "waits"].includes(mapping.state) ? "quiet" : ""}`}>${["done", "nothing"].includes(mapping.state) && html`<${Icon} name="tick" tone="good" />`}
        ${f.t(`overview.state_${mapping.state}`)}</td></tr>`)}</tbody></table>
    <p class="foot">${started && html`${run.by ? f.t("overview.started", { clock: started, by: shortBy(run.by, f) }) : f.t("overview.started_nobody", { clock: started })} `}
      ${isSync ? f.t("overview.go_on") : f.t("overview.preview_means")}${isSync && html`<br />${f.t("overview.cancel_means")}`}</p></div>`;
}

/** "Ana, Sync button" pressed it: the sentence needs only who. */
function shortBy(by, f) {
  return byWords(by.split(",")[0], f);
}
