// The small parts every screen is made of: icons, buttons, selects, boxes, menus, banners, rich words.

import { html, useEffect, useLayoutEffect, useRef } from "../vendor/preact-htm.js";

// 16 × 16, drawn with 1.25 px strokes in the colour of the text beside them.
const ICONS = {
  dots: html`<g fill="currentColor" stroke="none"><circle cx="3.5" cy="8" r="1.4" /><circle cx="8" cy="8" r="1.4" /><circle cx="12.5" cy="8" r="1.4" /></g>`,
  right: html`<path d="M2 8h12M10.5 4.5 14 8l-3.5 3.5" />`,
  left: html`<path d="M14 8H2M5.5 4.5 2 8l3.5 3.5" />`,
  chevron: html`<path d="m4.5 6.5 3.5 3.5 3.5-3.5" />`,
  next: html`<path d="m6.5 4.5 3.5 3.5-3.5 3.5" />`,
  pause: html`<path d="M5.5 3v10M10.5 3v10" />`,
  turning: html`<path d="M13.5 6.5A5.8 5.8 0 0 0 3.2 4.6M2.5 9.5a5.8 5.8 0 0 0 10.3 1.9M13.6 2.6v3.9H9.7M2.4 13.4V9.5h3.9" />`,
  triangle: html`<path d="M8 2 14.7 13.6H1.3ZM8 6.4v3.4M8 11.4v.6" />`,
  cut: html`<path d="M4.6 12.5a2.9 2.9 0 0 1-.3-5.8A3.9 3.9 0 0 1 11 5.3M12.6 7.3a2.7 2.7 0 0 1-.7 5.2M2 14 14 2" />`,
  eye: html`<path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8Z" /><circle cx="8" cy="8" r="1.9" />`,
  lock: html`<path d="M3.5 7.2h9v6.3h-9ZM5.3 7.2V5a2.7 2.7 0 0 1 5.4 0v2.2" />`,
  row: html`<path d="M1.5 3.5h13v9h-13ZM1.5 6.5h13M6 6.5v6" />`,
  tick: html`<path d="m2.5 8.5 3.6 3.6 7.4-7.6" />`,
  cross: html`<path d="m3.5 3.5 9 9m0-9-9 9" />`,
  undo: html`<path d="M6 2.8 2.5 6.3 6 9.8M2.5 6.3h7.3a3.6 3.6 0 0 1 0 7.2H6.5" />`,
  merge: html`<path d="M2 3.5c2 4 4 4.5 7 4.5M2 12.5c2-4 4-4.5 7-4.5h4.5M10.5 5l3 3-3 3" />`,
  both: html`<path d="M2 8h12M5 5 2 8l3 3M11 5l3 3-3 3" />`,
  plus: html`<path d="M8 2.5v11M2.5 8h11" />`,
  fx: html`<path d="M2 12.5c1.6.4 2-.6 2.3-2L5.6 4c.3-1.4.9-2 2.2-1.6M3.4 6.2h3.4M8.6 7.6l4.8 5.4M13.2 7.6 8.4 13" />`,
  search: html`<circle cx="6.8" cy="6.8" r="4.3" /><path d="m10 10 4 4" />`,
};

/** One icon; it never speaks alone, so it is hidden from screen readers. */
export function Icon({ name, tone = "" }) {
  return html`<svg class=${`icon ${tone}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${ICONS[name]}</svg>`;
}

/** Words with **bold** parts. Text only: what stands between the stars is never read as HTML. */
export function Rich({ words }) {
  return words.split("**").map((part, at) => (at % 2 ? html`<b>${part}</b>` : part));
}

/** Several sentences of which the first, the fact, is bold. */
export function Facts({ words }) {
  const [fact] = /^.*?[.](?=\s|$)/.exec(words) ?? [words];
  return html`<b>${fact}</b>${words.slice(fact.length)}`;
}

/** A button. `look`: filled, green, plain, red, icon. `off` is why it cannot be pressed: it stays focusable and says so. */
export function Button({ look = "plain", off = null, busy = false, label, onPress, children, id, expanded, popup, pressedKey }) {
  return html`<button type="button" id=${id} class=${`button ${look}`} aria-disabled=${off ? "true" : undefined} aria-busy=${busy ? "true" : undefined}
    aria-label=${label} data-tip=${off || (look === "icon" ? label : undefined)} aria-haspopup=${popup} aria-expanded=${expanded === undefined ? undefined : String(expanded)}
    aria-keyshortcuts=${pressedKey} onClick=${(event) => { if (!off && !busy) onPress(event); }}>${children}</button>`;
}

/** A word that leads somewhere; a button, for it changes no address. */
export function Link({ onPress, children, lined = false, label }) {
  return html`<button type="button" class=${`link ${lined ? "lined" : ""}`} aria-label=${label} onClick=${onPress}>${children}</button>`;
}

/** A filter: `options` as [value, words]; "" is the value of the first, which filters nothing. */
export function Select({ label, value, options, onChange, className = "", id }) {
  return html`<span class=${`select ${className}`}><select id=${id} aria-label=${label} onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([one, words]) => html`<option value=${one} selected=${one === (value ?? "")}>${words}</option>`)}
  </select><${Icon} name="chevron" /></span>`;
}

/** A box; the hit area is the whole cell. `some` shows the line of a half-chosen group. */
export function Box({ on, some = false, label, onToggle, tabIndex }) {
  const box = useRef(null);
  useLayoutEffect(() => { if (box.current) box.current.indeterminate = some && !on; });
  return html`<label class="box"><input ref=${box} type="checkbox" checked=${on} aria-label=${label} tabIndex=${tabIndex}
    onClick=${(event) => onToggle(event.currentTarget.checked, event)} />
    ${on ? html`<${Icon} name="tick" />` : some ? html`<span class="half" aria-hidden="true" />` : null}</label>`;
}

/** At most one, under the tabs: a fact, why, what to do, one button. */
export function Banner({ icon, yellow = false, alert = false, children, button }) {
  return html`<div class=${`banner ${yellow ? "yellow" : ""}`} role=${alert ? "alert" : undefined}>
    ${icon && html`<${Icon} name=${icon} />`}<div class="words">${children}</div>${button}</div>`;
}

/** Who can give somebody edit access; by name where the service knows the owners. */
export function whoCan(s, f) {
  const names = s.session?.owners ?? [];
  return names.length ? f.t("state.can_edit", { names: f.either(names.slice(0, 3)) }) : f.t("state.owner_can_edit");
}

/** Two sentences at the place of an empty list. */
export function Empty({ words, children }) {
  return html`<p class="empty"><${Rich} words=${words} /> ${children}</p>`;
}

/**
 * A menu under its button: arrow keys, type-ahead, Esc and Tab close it and give the focus back.
 * `items`: [{words, onPress}] with null for a line between groups.
 */
export function Menu({ items, onClose, opener }) {
  const menu = useRef(null);
  useLayoutEffect(() => {
    place(menu.current, opener());
    menu.current.querySelector("button")?.focus();
  }, []);
  useEffect(() => {
    const outside = (event) => { if (!menu.current?.contains(event.target) && !opener()?.contains(event.target)) onClose(); };
    const again = () => place(menu.current, opener());
    document.addEventListener("pointerdown", outside);
    window.addEventListener("resize", again);
    return () => {
      document.removeEventListener("pointerdown", outside);
      window.removeEventListener("resize", again);
    };
  }, []);
  const back = () => {
    onClose();
    opener()?.focus();
  };
  const keys = (event) => {
    const buttons = [...menu.current.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: (at + 1) % buttons.length, ArrowUp: (at - 1 + buttons.length) % buttons.length, Home: 0, End: buttons.length - 1 }[event.key];
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") back();
    else if (to !== undefined) buttons[to].focus();
    else if (event.key.length === 1 && event.key !== " ") {
      [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)].find((one) => one.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    } else return;
    event.preventDefault();
  };
  return html`<div class="menu" role="menu" ref=${menu} onKeyDown=${keys}>
    ${items.map((item) => (item === null ? html`<hr />` : html`<button type="button" role="menuitem" tabIndex="-1"
      onClick=${() => { opener()?.focus(); onClose(); item.onPress(); }} onPointerMove=${(event) => event.currentTarget.focus()}>${item.words}</button>`))}</div>`;
}

/** Below its button and inside the widget; above it where there is no room below. */
function place(menu, opener) {
  const button = opener?.getBoundingClientRect();
  if (!button) return;
  const room = { width: window.innerWidth, height: window.innerHeight };
  const below = button.bottom + 4;
  const top = below + menu.offsetHeight > room.height - 4 ? Math.max(4, button.top - 4 - menu.offsetHeight) : below;
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(4, Math.min(button.left, room.width - menu.offsetWidth - 8))}px`;
}

/** Arrow and word: "→ Shopify", "← Grist". The arrow has the name "to Shopify". */
export function Direction({ to, f, word = true }) {
  return html`<span class="direction"><${Icon} name=${to === "shopify" ? "right" : "left"} />
    <span class="hidden">${f.t(`side.to_${to}`)}</span>${word && html`<span class="wide" aria-hidden="true">${f.t(`side.${to}`)}</span>`}</span>`;
}

/** One tooltip for the page: after 400 ms of hover or on focus, for whatever carries `data-tip` or is cut off. */
export function Tips() {
  const tip = useRef(null);
  useEffect(() => {
    let timer = null;
    const hide = () => {
      clearTimeout(timer);
      if (tip.current) tip.current.hidden = true;
    };
    const show = (event) => {
      hide();
      const at = event.target.closest?.("[data-tip], [data-cut]");
      const words = at?.dataset.tip ?? (at && at.scrollWidth > at.clientWidth ? at.textContent : "");
      if (!words) return;
      timer = setTimeout(() => {
        const box = at.getBoundingClientRect();
        tip.current.textContent = words;
        tip.current.hidden = false;
        const { offsetWidth: width, offsetHeight: height } = tip.current;
        const below = box.bottom + 6;
        tip.current.style.top = `${below + height > window.innerHeight ? Math.max(0, box.top - 6 - height) : below}px`;
        tip.current.style.left = `${Math.max(4, Math.min(box.left, window.innerWidth - width - 4))}px`;
      }, 400);
    };
    const events = [["pointerover", show], ["focusin", show], ["pointerdown", hide], ["focusout", hide], ["keydown", hide], ["scroll", hide]];
    for (const [name, run] of events) document.addEventListener(name, run, true);
    return () => {
      for (const [name, run] of events) document.removeEventListener(name, run, true);
      hide();
    };
  }, []);
  return html`<div class="tip" role="tooltip" hidden ref=${tip} />`;
}
