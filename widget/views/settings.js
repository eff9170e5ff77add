// Settings: a form of two columns. What is changed is collected and saved together; keys are kept or deleted at once,
// for a secret is not something to have lying in a form.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { changeCount, hasProblem, shownValue } from "../slices/settings.js";
import { FormRow, TextInput } from "./form.js";
import { Box, Button, Icon, Link, Rich, Select } from "./parts.js";

const INTERVALS = [60, 300, 900, 1800, 3600, 14_400, 86_400];
const HISTORY = [30, 90, 180, 365, 730];
const NAMED = 3;
const NOTICES = ["failed", "stopped", "conflicts", "deletions", "refused"];

export function Settings({ s, f, on }) {
  const part = s.options;
  const owner = s.session?.role === "owner" && !s.settings.readonly;
  if (!owner) return html`<div class="scroll"><p class="empty">${f.t("settings.owners")}</p></div>`;
  if (part.held === null) return html`<div class="scroll" />`;
  const value = (name) => shownValue(part, name);
  const set = (name) => (to) => on.changeSetting(name, to);
  const background = part.held.kept.grist_key ?? (part.held.from_environment.grist_key ? { environment: true } : null);
  return html`<div class="scroll settings"><div class="form">
      <${Head} words=${f.t("settings.when")} />
      <${FormRow} id="interval" label=${f.t("settings.timer")} note=${background ? null : f.t("settings.timer_needs_key")}>
        <${Select} id="interval" label=${f.t("settings.timer")} value=${String(value("interval_seconds") ?? "")} onChange=${(to) => set("interval_seconds")(to === "" ? null : Number(to))}
          options=${[["", f.t("settings.no_timer")], ...intervals(value("interval_seconds")).map((one) => [String(one), f.t("settings.every", { time: f.span(one) })])]} /><//>
      <${Check} id="paused" on=${value("paused")} words=${f.t("settings.paused")} label=${f.t("settings.pause")} onToggle=${set("paused")} />
      <${Quiet} value=${value("quiet")} zone=${part.held.timezone} problem=${part.problem.quiet} f=${f} onChange=${set("quiet")} />
      <${Check} id="realtime" on=${value("realtime")} words=${f.t("settings.realtime_words")} label=${f.t("settings.realtime")} onToggle=${set("realtime")} />
      <${Number_} id="audit_hours" name="audit_hours" part=${part} f=${f} on=${on} unit=${f.t("settings.hours")} />
      <${Number_} id="rest_seconds" name="rest_seconds" part=${part} f=${f} on=${on} unit=${f.t("settings.seconds")} />
      <${Head} words=${f.t("settings.brakes")} />
      <${Brake} name="deletions" part=${part} f=${f} on=${on} unit=${f.t("settings.rows")} />
      <${Brake} name="deletions_share" percent part=${part} f=${f} on=${on} unit=${f.t("settings.percent")} />
      <${Brake} name="changed_share" percent part=${part} f=${f} on=${on} unit=${f.t("settings.percent")} />
      <${Head} words=${f.t("settings.notify")} />
      <${FormRow} id="mails" label=${f.t("settings.mails")} problem=${part.problem.mails}><${TextInput} id="mails" value=${(value("mails") ?? []).join(", ")} placeholder=${f.t("settings.mails_hint")}
        problem=${part.problem.mails} onInput=${(text) => set("mails")(text.split(/[,;\s]+/).filter(Boolean))} /><//>
      <${Kept} name="notify_url" part=${part} note=${f.t("settings.notify_url_note", { hosts: part.held.notify_hosts.join(", ") })} s=${s} f=${f} onKeep=${on.keepNotifyUrl} onForget=${on.forgetNotifyUrl} onType=${on.typeSetting} />
      <${FormRow} id="notices" label=${f.t("settings.notices")} group><span class="checks">${NOTICES.map((name) => html`<label class="check" key=${name}>
        <${Box} on=${value("notices").includes(name)} label=${f.t(`settings.notice_${name}`)} onToggle=${(to) => set("notices")(NOTICES.filter((one) => (one === name ? to : value("notices").includes(one))))} />
        <span aria-hidden="true">${f.t(`settings.notice_${name}`)}</span></label>`)}</span><//>
      <${Head} words=${f.t("settings.here")} />
      <${FormRow} id="history_days" label=${f.t("settings.history")}><${Select} id="history_days" label=${f.t("settings.history")} value=${String(value("history_days"))} onChange=${(to) => set("history_days")(Number(to))}
        options=${with_(HISTORY, value("history_days")).map((days) => [String(days), f.t("settings.days", { n: days })])} /><//>
      <${FormRow} id="language" label=${f.t("settings.language")}><${Select} id="language" label=${f.t("settings.language")} value=${value("language")} onChange=${set("language")}
        options=${[["", f.t("settings.language_grist")], ["en", "English"], ["de", "Deutsch"]]} /><//>
      <${Check} id="letters" on=${value("letters")} words=${f.t("settings.letters_words")} label=${f.t("settings.letters")} onToggle=${set("letters")} />
      <${Head} words=${f.t("settings.keys")} />
      <${FormRow} id="store_key" label=${f.t("settings.store_key")}><span class="fixed"><${Rich} words=${keptWords(part.held.kept.store, part.held.from_environment.store, s, f)} /> <${Link} onPress=${() => on.go("store")}>${f.t("settings.replace")}<//></span><//>
      <${Kept} name="grist_key" part=${part} environment=${part.held.from_environment.grist_key} note=${f.t("settings.grist_key_note")} s=${s} f=${f} onKeep=${on.keepGristKey} onForget=${on.forgetGristKey} onType=${on.typeSetting} />
      <${ApiKeys} part=${part} s=${s} f=${f} on=${on} />
      <${FormRow} id="file" label=${f.t("settings.file")} note=${f.t("settings.file_note")} problem=${part.problem.file} group><span class="inline"><${Button} busy=${s.pressed.export} onPress=${on.exportMapping}>${f.t("settings.export")}<//>
        <input type="file" id="mapping-file" class="hidden" accept=".yaml,.yml" tabIndex="-1" aria-label=${f.t("settings.import")} onChange=${(event) => { if (event.target.files[0]) on.readMappingFile(event.target.files[0]); event.target.value = ""; }} />
        <${Button} busy=${s.pressed.import} onPress=${() => document.getElementById("mapping-file").click()}>${f.t("settings.import")}<//></span><//>
      <${FormRow} id="end" label=${f.t("settings.end")} note=${f.t("settings.end_note")} group><${Button} onPress=${() => { on.go("health"); on.askDisconnect(true); }}>${f.t("health.disconnect")}<//><//></div></div>
    <${Footer} part=${part} s=${s} f=${f} on=${on} />`;
}

function Footer({ part, s, f, on }) {
  const n = changeCount(part);
  const off = n === 0 ? f.t("settings.nothing") : hasProblem(part) ? f.t("settings.problem") : null;
  if (part.asked?.what === "import") return html`<${Question} words=${part.asked.changes.length ? f.t("settings.ask_import", { n: part.asked.changes.length, changes: part.asked.changes.slice(0, NAMED).join(" ") }) : f.t("settings.import_nothing")} f=${f} on=${on}>
    ${part.asked.changes.length > 0 && html`<${Button} look="filled" busy=${s.pressed.import} onPress=${on.importMapping}>${f.t("settings.import_yes")}<//>`}<//>`;
  if (part.asked) return html`<${Question} words=${f.t("settings.ask_revoke", { name: part.asked.name })} f=${f} on=${on}><${Button} look="red" busy=${s.pressed.revoke} onPress=${() => on.revokeKey(part.asked.id)}>${f.t("settings.revoke_yes")}<//><//>`;
  return html`<div class="footer"><span class="grow">${n > 0 ? f.t("settings.unsaved", { n }) : html`<span class="quiet">${f.t("settings.saved")}</span>`}</span><span class="buttons">
    <${Button} id="save" look=${off ? "plain" : "filled"} off=${off} busy=${s.pressed.save} onPress=${on.saveAllSettings}>${f.t("settings.save")}<//>
    ${n > 0 && html`<${Button} onPress=${on.discardSettings}>${f.t("settings.discard")}<//>`}</span></div>`;
}

/** Takes the footer's place; the focus is on Cancel. */
function Question({ words, children, f, on }) {
  const box = useRef(null);
  useLayoutEffect(() => box.current.querySelector("#cancel-question").focus(), []);
  const close = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    on.askRevoke(null);
  };
  return html`<div class="footer question yellow" role="group" aria-labelledby="question" ref=${box} onKeyDown=${close}><${Icon} name="triangle" /><span class="grow" id="question"><${Rich} words=${words} /></span>
    <span class="buttons">${children}<${Button} id="cancel-question" onPress=${() => on.askRevoke(null)}>${f.t("settings.cancel")}<//></span></div>`;
}

function Head({ words }) {
  return html`<h2 class="head-line">${words}</h2>`;
}

function Check({ id, on, label, words, onToggle }) {
  return html`<${FormRow} id=${id} label=${label} group><label class="check"><${Box} on=${on} label=${words} onToggle=${onToggle} /><span aria-hidden="true">${words}</span></label><//>`;
}

function Quiet({ value, zone, problem, f, onChange }) {
  const time = (name) => html`<${TextInput} id=${`quiet-${name}`} look="short" value=${value[name]} label=${f.t(`settings.quiet_${name}`)} problem=${problem} onInput=${(text) => onChange({ ...value, [name]: text })} />`;
  return html`<${FormRow} id="quiet" label=${f.t("settings.quiet")} problem=${problem} group><span class="inline"><label class="check"><${Box} on=${Boolean(value)} label=${f.t("settings.quiet_on")} onToggle=${(to) => onChange(to ? { from: "22:00", to: "06:00" } : null)} />
    <span aria-hidden="true">${f.t("settings.quiet_on")}</span></label>${value && html`${time("from")}<span>${f.t("settings.until")}</span>${time("to")}<small>${f.t("settings.zone", { zone })}</small>`}</span><//>`;
}

/** A number with its unit; what is no number stays in the input, with the reason below. */
function Number_({ name, part, f, on, unit }) {
  const shown = part.typed[name] ?? String(shownValue(part, name) ?? "");
  return html`<${FormRow} id=${name} label=${f.t(`settings.${name}`)} problem=${part.problem[name]}><span class="inline"><${TextInput} id=${name} look="short" value=${shown} inputMode="decimal" problem=${part.problem[name]}
    onInput=${(text) => on.typeNumber(name, text)} /><span>${unit}</span></span><//>`;
}

function Brake({ name, part, f, on, unit, percent = false }) {
  const held = shownValue(part, "brakes")[name];
  const shown = part.typed[name] ?? String(percent ? Math.round(held * 100) : held);
  return html`<${FormRow} id=${name} label=${f.t(`settings.${name}`)} problem=${part.problem[name]}><span class="inline"><${TextInput} id=${name} look="short" value=${shown} inputMode="numeric" problem=${part.problem[name]}
    onInput=${(text) => on.typeBrake(name, text, percent)} /><span>${unit}</span></span><//>`;
}

/** A secret: what it is known by, never itself; a new one is sent at once and then gone from here. */
function Kept({ name, part, note, environment = false, s, f, onKeep, onForget, onType }) {
  const held = part.held.kept[name];
  const typed = part.typed[name];
  return html`<${FormRow} id=${name} label=${f.t(`settings.${name}`)} note=${note} problem=${part.problem[name]}>
    ${held || environment ? html`<span class="fixed"><${Rich} words=${keptWords(held, environment, s, f)} /> ${held && html`<${Link} onPress=${onForget}>${f.t("settings.delete")}<//>`}</span>` : null}
    <span class="inline"><${TextInput} id=${name} type="password" value=${typed} placeholder=${f.t(held ? "settings.new_one" : "settings.paste")} problem=${part.problem[name]} onInput=${(text) => onType({ [name]: text })} />
      <${Button} look="green" busy=${s.pressed[name]} off=${typed.trim() ? null : f.t("settings.paste_first")} onPress=${onKeep}>${f.t("settings.keep")}<//></span><//>`;
}

function keptWords(held, environment, s, f) {
  if (held) return f.t("settings.kept", { hint: held.hint, by: f.by(held.by.split(",")[0]), when: f.moment(Date.parse(held.at), s.now) });
  return environment ? f.t("settings.kept_environment") : f.t("settings.kept_none");
}

function ApiKeys({ part, s, f, on }) {
  const keys = part.keys ?? [];
  const when = (key) => (key.used_at ? f.t("settings.used", { when: f.moment(Date.parse(key.used_at), s.now) }) : f.t("settings.never_used"));
  return html`<${FormRow} id="key_name" label=${f.t("settings.api_keys")} note=${f.t("settings.api_keys_note")} problem=${part.problem.key_name}>
    ${part.made && html`<div class="made" role="status"><span>${f.t("settings.made")}</span><code>${part.made.key}</code><${Link} onPress=${on.copyKey}>${f.t("settings.copy")}<//></div>`}
    ${keys.length > 0 && html`<ul class="keys-list">${keys.map((key) => html`<li key=${key.id}><span data-cut><b>${key.name}</b> <span class="quiet">${key.start} · ${when(key)}</span></span><${Link} label=${f.t("settings.revoke_label", { name: key.name })} onPress=${() => on.askRevoke(key)}>${f.t("settings.revoke")}<//></li>`)}</ul>`}
    <span class="inline"><${TextInput} id="key_name" value=${part.typed.key_name} placeholder=${f.t("settings.key_name")} onInput=${(text) => on.typeSetting({ key_name: text })} />
      <${Button} look="green" busy=${s.pressed.make_key} off=${part.typed.key_name.trim() ? null : f.t("settings.name_first")} onPress=${on.makeKey}>${f.t("settings.make_key")}<//></span><//>`;
}

function intervals(value) {
  return value === null || value === undefined ? INTERVALS : with_(INTERVALS, value);
}

/** The usual choices, and the one that holds. */
function with_(usual, value) {
  return [...new Set([...usual, value])].sort((a, b) => a - b);
}
