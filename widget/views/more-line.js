// Under a list that is longer than what stands there: more of it, and all of it.

import { html } from "../vendor/preact-htm.js";
import { LIMIT_STEP, MOST_LISTED } from "../state.js";
import { Link } from "./parts.js";

/** `name`: the list's in `s.limits`; `total`: how many there are. */
export function MoreLine({ name, total, s, f, on }) {
  const limit = s.limits[name];
  if (total <= limit) return null;
  const [some, all] = [Math.min(LIMIT_STEP, total - limit), Math.min(total, MOST_LISTED)];
  return html`<p class="foot">${f.t("more.only_first", { n: limit, total })}${limit < MOST_LISTED && html` <${Link} onPress=${() => on.listMore(name, limit + LIMIT_STEP)}>${f.t("more.some", { n: some })}<//>
    ${all > limit + some && html` <${Link} onPress=${() => on.listMore(name, all)}>${f.t(all < total ? "more.first" : "more.all", { n: all })}<//>`}`}</p>`;
}
