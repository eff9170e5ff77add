// The frame of every screen: bar with status and buttons, tabs, at most one banner, the screen, the toast.

import { html, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { pill } from "../format.js";
import { SHOWN, isFirstRun } from "../slices/first-run.js";
import { screenOf } from "../screens.js";
import { changeCount } from "../slices/settings.js";
import { TABS, fitTabs, isKeyRefused, isUnreachable, maySync, progress, readyChoices, rowToSync, statusOf, tabsOf, undoCounts } from "../state.js";
import { Overview, paceWords } from "./overview.js";
import { Banner, Button, Facts, Icon, Link, Menu, Rich, Tips, whoCan } from "./parts.js";

const GAP_PX = 18;
const NARROW_GAP_PX = 14;

/** The whole widget for one state `s`; `f` writes words, `on` holds what a press does. */
export function App({ s, f, on }) {
  const notice = isFirstRun(s) ? html`<${Lazy} name="firstRun" s=${s} f=${f} on=${on} />` : noticeOf(s, f, on);
  return html`<main id="app" aria-label=${f.t("bar.label")}><h1 class="hidden">${f.t("bar.label")}</h1>${notice ?? html`<${Bar} s=${s} f=${f} on=${on} /><${Tabs} s=${s} f=${f} on=${on} />
      <${Urgent} s=${s} f=${f} on=${on} />
      <section class="screen" role="tabpanel" id=${`panel-${s.tab}`} aria-labelledby=${TABS.includes(s.tab) ? `tab-${s.tab}` : undefined} aria-label=${TABS.includes(s.tab) ? undefined : f.t({ store: "state.connect", help: "bar.help" }[s.tab] ?? "bar.settings")}><${Lazy} name=${s.tab} s=${s} f=${f} on=${on} />${s.tab === "overview" && rowToSync(s) && screenOf("rowLine") && html`<${Lazy} name="rowLine" s=${s} f=${f} on=${on} />`}</section>`}
    ${s.toast && html`<div class="toast" role="status">${s.toast.words}${s.toast.undo && html` · <button type="button" class="link lined" onClick=${s.toast.undo}>${f.t("undo.toast")}</button>`}</div>`}
    <div class="hidden" role="status" aria-live="polite" id="said">${s.said}</div><${Tips} /></main>`;
}

/** A screen, or its empty place for the moment that its module is on its way. */
function Lazy({ name, s, f, on }) {
  const Screen = name === "overview" ? Overview : screenOf(name);
  return Screen ? html`<${Screen} s=${s} f=${f} on=${on} />` : html`<div class="scroll" aria-busy="true" />`;
}

/** States in which there is nothing to work with: one banner instead of the screens. */
function noticeOf(s, f, on) {
  if (s.phase === "no_frame") return html`<p class="empty">${f.t("state.no_frame")}</p>`;
  const banner = (icon, words) => html`<${Banner} icon=${icon}><${Rich} words=${words} /><//>`;
  if (s.phase === "no_grist") return banner("cut", f.t("state.no_grist"));
  if (s.phase === "no_access") return banner("lock", f.t("state.no_access"));
  if (s.phase === "ready" && s.session?.copy && !isUnreachable(s)) return html`<${Copy} s=${s} f=${f} on=${on} />`;
  if (s.phase === "ready" && s.session && !s.session.link && !isUnreachable(s)) return banner("lock", f.t("state.no_store_editor"));
  return null;
}

/** A copy of a document that syncs: it does not, before somebody moves the link to it. */
function Copy({ s, f, on }) {
  const { copy, role } = s.session;
  const may = role === "owner" && !s.settings.readonly && !copy.configured;
  return html`<div class="bar"><div class="status" role="status"><span class="dot ring" aria-hidden="true" /><span data-cut>${f.t("bar.copy")}</span></div>
      <span class="buttons">${maySync(s) && html`<${Button} off=${f.t("bar.why_off_copy")}>${f.t("bar.sync")}<//>`}</span></div>
    ${s.problem && html`<${Banner} icon="triangle" yellow alert><b>${s.problem.message}</b>${s.problem.cure && ` ${s.problem.cure}`}<//>`}
    ${s.tab === "store" && may ? html`<section class="screen" aria-label=${f.t("state.move")}><${Lazy} name="store" s=${s} f=${f} on=${on} /></section>`
      : html`<${Banner} icon="pause" button=${may && html`<${Button} onPress=${() => on.go("store")}>${f.t("state.move")}<//>`}><${Rich} words=${f.t(copy.configured ? "state.copy_configured" : "state.copy", { store: copy.store })} /><//>`}`;
}

function Bar({ s, f, on }) {
  const status = statusOf(s);
  const { run } = s.server ?? {};
  const running = status === "running";
  return html`<div class="bar"><div class="status" role="status"><${Status} status=${status} s=${s} f=${f} on=${on} /></div>
    <span class="buttons"><${Buttons} s=${s} f=${f} on=${on} status=${status} /><${More} s=${s} f=${f} on=${on} status=${status} /></span>
    ${running && html`<${Line} share=${run.state === "queued" ? null : progress(run)} />`}</div>`;
}

function Buttons({ s, f, on, status }) {
  if (status === "unreachable") return html`${maySync(s) && html`<${Button} off=${f.t("bar.why_off_unreachable")}>${f.t("bar.sync")}<//>`}
    <${Button} look="green" busy=${s.connection.trying} onPress=${on.tryNow}>${f.t("bar.try_now")}<//>`;
  if (!maySync(s) || s.server === null) return null;
  if (isKeyRefused(s)) return html`<${Button} off=${f.t("bar.why_off_key")}>${f.t("bar.sync")}<//>`;
  if (status === "running" || status === "waiting") return html`<${Button} id="cancel" busy=${s.pressed.cancel || s.server.run.cancelling} onPress=${on.cancel}>${f.t("bar.cancel")}<//>
    <span class="preview"><${Button} off=${f.t("bar.why_off_running")}>${f.t("bar.preview")}<//></span>`;
  return html`<${Button} id="sync" look=${status === "stopped" ? "plain" : filledBelow(s) ? "green" : "filled"} busy=${s.pressed.sync} onPress=${on.sync}>${f.t("bar.sync")}<//>
    <span class="preview"><${Button} id="preview" look="green" busy=${s.pressed.preview} onPress=${on.preview}>${f.t("bar.preview")}<//></span>`;
}

/** One filled button at a time: where a bar below offers the next step, Sync becomes an outline. */
function filledBelow(s) {
  const undoes = s.undo?.result && !s.undo.result.trouble && undoCounts(s.undo.result).n > 0;
  const exactly = s.tab === "changes" && s.preview && !s.preview.brake && s.preview.plan_total > 0;
  const kept = s.tab === "settings" && (changeCount(s.options) > 0 || s.options.asked !== null);
  return Boolean(exactly) || kept || (s.tab === "conflicts" && readyChoices(s).length > 0) || (s.tab === "actions" && s.deeds.row !== null) || s.confirm !== null || Boolean(undoes)
    || (s.tab === "mapping" && s.mapping.draft !== null) || (s.tab === "pairs" && Object.keys(s.mapping.answers).length > 0);
}

function More({ s, f, on, status }) {
  const opener = () => document.getElementById("more");
  const idle = maySync(s) && s.server !== null && !["running", "unreachable"].includes(status);
  const owner = s.session?.role === "owner" && !s.settings.readonly;
  const narrow = (document.getElementById("app")?.clientWidth ?? 1000) < 480;
  const row = rowToSync(s);
  const items = [
    ...(idle && narrow ? [{ words: f.t("bar.preview"), onPress: on.preview }, null] : []),
    ...(idle && !isKeyRefused(s) ? [...(row ? [{ words: f.t("bar.sync_row"), onPress: () => on.syncRow(row) }] : []), { words: f.t("bar.read_all"), onPress: on.readAll }] : []),
    ...(owner && s.session.link ? [{ words: f.t(s.server?.paused ? "bar.resume" : "bar.pause"), onPress: () => on.pauseTimer(!s.server?.paused) }, { words: f.t("bar.settings"), onPress: () => on.go("settings") }, { words: f.t("bar.export"), onPress: on.exportFile }, null] : []),
    ...(maySync(s) ? [{ words: f.t("bar.keys"), onPress: () => { on.go("conflicts"); on.keys(true); } }, { words: f.t(s.letters ? "bar.keys_off" : "bar.keys_on"), onPress: () => on.letters(!s.letters) }] : []),
    ...(s.session ? [{ words: f.t("bar.help"), onPress: () => on.go("help") }] : []),
  ];
  if (!items.length) return null;
  return html`<${Button} id="more" look="icon" label=${f.t("bar.more")} popup="menu" expanded=${s.menu === "more"} onPress=${() => on.menu("more")}><${Icon} name="dots" /><//>
    ${s.menu === "more" && html`<${Menu} items=${items} opener=${opener} onClose=${() => on.menu(null)} />`}`;
}

function Status({ status, s, f, on }) {
  const { server, now } = s;
  const dot = (shape) => html`<span class=${`dot ${shape}`} aria-hidden="true" />`;
  const synced = server?.synced_at ? Date.parse(server.synced_at) : null;
  const stopped = server?.last_run?.finished_at ? Date.parse(server.last_run.finished_at) : null;
  const counted = !["running", "waiting", "unreachable", "starting"].includes(status) && server.counts.conflicts > 0;
  const text = {
    starting: () => html`${dot("ring")}<span>${f.t("bar.starting")}</span>`,
    unreachable: () => html`${dot("ring")}<span data-cut>${f.t("bar.not_connected")}${synced !== null && ` · ${f.t("bar.synced_small", { when: f.when(synced, now) })}`}</span>`,
    running: () => html`<${Icon} name="turning" tone="good turning" /><span data-cut>${runWords(server.run, f)}${paceWords(s, f).map((one) => html`<span class="quiet wide"> · ${one}</span>`)}</span>`,
    synced: () => html`${dot("")}<span data-cut data-tip=${synced === null ? undefined : f.exact(synced)}>${synced === null ? f.t("bar.never") : f.t("bar.synced", { when: f.when(synced, now) })}</span>`,
    waiting: () => html`${dot("ring")}<span data-cut>${f.t("bar.waiting")}</span>`,
    paused: () => html`${dot("ring")}<span data-cut>${f.t("bar.paused")}${synced !== null && ` · ${f.t("bar.synced_small", { when: f.when(synced, now) })}`}</span>`,
    never: () => html`${dot("ring")}<span data-cut>${f.t("bar.never")}</span>`,
    stopped: () => html`<${Icon} name="triangle" tone="bad" /><span data-cut>${stopped ? f.t("bar.stopped_at", { clock: f.moment(stopped, now) }) : f.t("bar.stopped")}</span>`,
    failed: () => html`<${Icon} name="triangle" tone="bad" /><span data-cut>${stopped && isKeyRefused(s) ? f.t("bar.stopped_small", { clock: f.moment(stopped, now) }) : stopped ? f.t("bar.failed_at", { clock: f.moment(stopped, now) }) : f.t("bar.failed")}</span>`,
  }[status];
  return html`${text()}${counted && html`<span class="aside"><span class="sep" aria-hidden="true">·</span><${Link} onPress=${() => on.go("conflicts")}>${f.t("bar.conflicts", { n: server.counts.conflicts })}<//></span>`}`;
}

/** "Writing Variants: 310 of 742", "Reading Grist: 1,240 rows": true counts, or none. */
export function runWords(run, f) {
  if (run.cancelling) return f.t("bar.cancelling");
  if (run.state === "queued") return f.t("bar.queued");
  const phase = f.t(`phase.${run.phase}`);
  const { done, total, thing } = run;
  if (run.phase === "writing") {
    if (total !== null && total !== undefined) return f.t("phase.writing_of", { phase, thing, done, total });
    return thing ? f.t("phase.writing_thing", { phase, thing }) : phase;
  }
  if (total !== null && total !== undefined && total > 0) return f.t("phase.reading_of", { phase, done, total });
  return run.phase.startsWith("reading") && done > 0 ? f.t("phase.reading_rows", { phase, n: done }) : phase;
}

function Line({ share }) {
  return html`<div class=${`share ${share === null ? "unknown" : ""}`} aria-hidden="true"><div style=${{ width: share === null ? "20%" : `${share * 100}%` }} /></div>`;
}

function Tabs({ s, f, on }) {
  const measure = useRef(null);
  const tabs = tabsOf(s);
  const [fit, setFit] = useState({ widths: null, room: 0, more: 0 });
  const counts = { conflicts: s.server?.counts.conflicts, deletions: s.server?.counts.deletions, refused: s.server?.counts.refused, pairs: s.server?.counts.pairs, actions: s.deeds.list.maybe };
  useLayoutEffect(() => {
    const look = () => {
      const box = measure.current;
      if (!box) return;
      const widths = Object.fromEntries([...box.children].map((one) => [one.dataset.name, one.offsetWidth]));
      const { more, ...tabs } = widths;
      setFit((old) => (JSON.stringify(old.widths) === JSON.stringify(tabs) && old.room === box.clientWidth ? old : { widths: tabs, room: box.clientWidth, more }));
    };
    look();
    const watch = new ResizeObserver(look);
    watch.observe(measure.current);
    return () => watch.disconnect();
  }, [counts.conflicts, counts.deletions, counts.refused, counts.pairs, counts.actions, tabs.length]);
  const gap = fit.room < 576 ? NARROW_GAP_PX : GAP_PX;
  const shown = fit.widths ? fitTabs(tabs, { ...fit, gap, chosen: s.tab, counts: fit.room < 376 ? counts : {} }) : tabs;
  const hidden = tabs.filter((name) => !shown.includes(name));
  const face = (name) => html`<span class="label"><span class="text">${f.t(`tab.${name}`)}</span><span class="wider" aria-hidden="true">${f.t(`tab.${name}`)}</span></span>
    ${counts[name] > 0 && html`<span class="pill">${pill(counts[name], f)}</span>`}`;
  const keys = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? shown.length - 1 : step ? (shown.indexOf(s.tab) + step + shown.length) % shown.length : null;
    if (to === null) return;
    event.preventDefault();
    on.go(shown[to]);
    document.getElementById(`tab-${shown[to]}`)?.focus();
  };
  const opener = () => document.getElementById("more-tabs");
  return html`<div class="tabs"><div class="list" role="tablist" aria-label=${f.t("tab.label")} onKeyDown=${keys}>
      ${shown.map((name) => html`<button type="button" role="tab" key=${name} id=${`tab-${name}`} class="tab" aria-selected=${String(s.tab === name)} aria-controls=${s.tab === name ? `panel-${name}` : undefined}
        tabIndex=${s.tab === name || (!shown.includes(s.tab) && name === shown[0]) ? 0 : -1} onPointerEnter=${() => on.expect(name)} onFocus=${() => on.expect(name)} onClick=${() => on.go(name)}>${face(name)}</button>`)}</div>
    ${hidden.length > 0 && html`<button type="button" id="more-tabs" class="tab rest" aria-haspopup="menu" aria-expanded=${String(s.menu === "tabs")} onClick=${() => on.menu("tabs")}>${f.t("tab.more")}<${Icon} name="chevron" tone="small" /></button>
      ${s.menu === "tabs" && html`<${Menu} opener=${opener} onClose=${() => on.menu(null)} items=${hidden.map((name) => ({ words: counts[name] ? `${f.t(`tab.${name}`)} ${pill(counts[name], f)}` : f.t(`tab.${name}`), onPress: () => on.go(name) }))} />`}`}
    <div class="measure" aria-hidden="true" ref=${measure}>${tabs.map((name) => html`<span class="tab" data-name=${name}>${face(name)}</span>`)}<span class="tab rest" data-name="more">${f.t("tab.more")}<${Icon} name="chevron" tone="small" /></span></div></div>`;
}

/** The most urgent thing to say, and only that. */
function Urgent({ s, f, on }) {
  const { connection, server, now, problem } = s;
  if (isUnreachable(s)) {
    const wait = Math.max(0, Math.ceil((connection.nextTry - now) / 1000));
    const from = connection.answered ?? (server ? Date.parse(server.now) : null);
    return html`<${Banner} icon="cut"><${Rich} words=${connection.trying || wait === 0 ? f.t("state.unreachable_trying") : f.t("state.unreachable", { s: wait })} />${" "}
      ${from === null ? f.t("state.unreachable_first") : f.t("state.unreachable_from", { clock: f.moment(from, now) })}<//>`;
  }
  if (problem) return html`<${Banner} icon="triangle" yellow alert><b>${problem.message}</b>${problem.cure && ` ${problem.cure}`}<//>`;
  const owner = s.session?.role === "owner" && !s.settings.readonly;
  const message = server?.message;
  if (isKeyRefused(s)) return s.tab === "store" ? null : html`<${Banner} icon="triangle" yellow button=${owner && html`<${Button} look="filled" onPress=${() => on.go("store")}>${f.t("state.connect")}<//>`}><${Rich} words=${f.t("state.key_refused")} /><//>`;
  if (server?.message?.code === "brake_restored" && !server.run) return html`<${Banner} icon="triangle" yellow button=${maySync(s) && html`<${Button} look="green" busy=${s.pressed.preview || s.previewing !== null} onPress=${on.preview}>${f.t("bar.preview")}<//>`}><${Rich} words=${f.t("state.restored")} /><//>`;
  if (server?.message?.code === "preview_outdated" && !server.run && !s.preview) return html`<${Banner} icon="triangle" yellow button=${maySync(s) && html`<${Button} look="green" busy=${s.pressed.preview || s.previewing !== null} onPress=${on.preview}>${f.t("bar.preview")}<//>`}><${Rich} words=${f.t("preview.outdated")} /><//>`;
  if (server?.run?.state === "waiting") return html`<${Banner} icon="pause"><${Rich} words=${f.t("state.waits")} /><//>`;
  if (server?.asleep) return html`<${Banner} icon="pause"><${Rich} words=${f.t("state.asleep")} /><//>`;
  // The preview of a stopped sync says itself why it was stopped.
  if (server?.message && !server.run && !(s.tab === "changes" && (s.preview?.brake || (s.preview && server.message.code === "preview_outdated")))) return html`<${Banner} icon="triangle" yellow button=${server.message.brake && maySync(s) && html`<${Review} s=${s} f=${f} on=${on} />`}><${Facts} words=${message.message} />${message.cure && ` ${message.cure}`}<//>`;
  if (s.session?.role !== "owner" && SHOWN.includes(s.session?.link?.first_run?.step)) return html`<${Banner} icon="pause"><${Rich} words=${f.t("state.setting_up")} /><//>`;
  if (s.session && !maySync(s)) return html`<${Banner} icon="eye">${f.t("state.viewer")} ${whoCan(s, f)}<//>`;
  return null;
}

/** What a brake stopped is looked at before anybody lets it go on. */
function Review({ s, f, on }) {
  const { count } = s.server.message.brake;
  return html`<${Button} id="review" look="green" busy=${s.pressed.preview || s.previewing !== null} onPress=${on.preview}>${count ? f.t("preview.review_n", { n: count }) : f.t("preview.review")}<//>`;
}
