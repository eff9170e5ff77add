// What differs between the value both sides last agreed on and the value one side holds now. Pure.
//
//   type                      answer
//   text, html                {kind: "text", parts: [{text, mark}], excerpt}
//   integer, decimal, money   {kind: "number", difference: "-3.00"}
//   list, refs                {kind: "list", tokens: [{text, mark}]}
//   date, datetime            {kind: "date", days} or {kind: "date", hours}
//   boolean                   {kind: "boolean", was}
//   anything else, or nothing to compare with: {kind: "plain"}
//
// `mark` is null, "added" or "removed"; the view adds the words, so that colour never speaks alone.

import { isPlainObject, same } from "./same.js";

/** Marks of `value` (an API VALUE of `type`) against `base`; `known` is false where no base is kept. */
export function diff(type, base, value, known = true) {
  if (!known || isSpecial(base) || isSpecial(value) || same(base, value)) return plainOrTokens(type, value);
  switch (type) {
    case "integer": case "decimal": case "money":
      return base === null || value === null ? { kind: "plain" } : { kind: "number", difference: subtract(value, base) };
    case "list": case "refs": return { kind: "list", tokens: listTokens(base ?? [], value ?? []) };
    case "date": case "datetime": return base === null || value === null ? { kind: "plain" } : dateDifference(base, value);
    case "boolean": return base === null || value === null ? { kind: "plain" } : { kind: "boolean", was: base };
    case "html": return htmlDifference(base, value);
    case "text": return base === null || value === null ? { kind: "plain" } : textDifference(base, value);
    default: return { kind: "plain" };
  }
}

/** a − b as an exact decimal string, for values such as 12 or "39.00"; floats would show 2.9999999. */
export function subtract(a, b) {
  const [left, right] = [split(a), split(b)];
  const places = Math.max(left.places, right.places);
  const scaled = left.digits * 10n ** BigInt(places - left.places) - right.digits * 10n ** BigInt(places - right.places);
  const text = (scaled < 0n ? -scaled : scaled).toString().padStart(places + 1, "0");
  const whole = places ? `${text.slice(0, -places)}.${text.slice(-places)}` : text;
  return scaled < 0n ? `-${whole}` : whole;
}

/** By how many per cent `value` is above `base`, rounded to what a person reads ("7", "0.4"); null where that says nothing. */
export function percent(base, value) {
  const [from, to] = [Number(base), Number(value)];
  const share = ((to - from) / Math.abs(from)) * 100;
  if (!Number.isFinite(share) || Math.abs(share) > 999) return null;
  const places = Math.abs(share) < 1 ? 1 : 0;
  const rounded = share.toFixed(places);
  return Number(rounded) === 0 ? null : rounded;
}

/** In how many places a marked text differs: what went and what came in its stead are one. */
export function differences(parts) {
  return parts.filter((part, at) => part.mark && !isMarkedBefore(parts, at)).length;
}

function isMarkedBefore(parts, at) {
  const before = parts[at - 1];
  // "~~undyed~~ natural": the space between the two is the pair's own.
  return Boolean(before?.mark || (before && !before.text.trim() && parts[at - 2]?.mark === "removed" && parts[at].mark === "added"));
}

/** The words of an HTML text; it is only ever rendered as text, so this need not be safe, only readable. */
export function htmlText(html) {
  if (html === null) return null;
  return html
    .replace(/<(br|\/p|\/li|\/h\d|\/div|\/tr)\b[^>]*>/gi, " ")
    .replace(/<[^>]*>/g, "")
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: " " })[name])
    .replace(/\s+/g, " ")
    .trim();
}

/** The part of a long marked text around its first difference: from three words before it, or null when short. */
export function excerpt(parts, limit = 60) {
  const shown = parts.reduce((sum, part) => sum + part.text.length, 0);
  if (shown <= limit) return null;
  const first = Math.max(parts.findIndex((part) => part.mark), 0);
  const before = parts.slice(0, first).map((part) => part.text).join("");
  const words = before.match(/\S+\s*/g) ?? [];
  const start = words.slice(-3).join("");
  const out = words.length > 3 ? [{ text: `… ${start}`, mark: null }] : before ? [{ text: before, mark: null }] : [];
  let room = limit - start.length;
  for (const part of parts.slice(first)) {
    if (part.text.length <= room) {
      out.push(part);
      room -= part.text.length;
      continue;
    }
    const cut = part.text.slice(0, Math.max(room, 0)).replace(/\s*\S*$/, "");
    if (cut) out.push({ ...part, text: cut });
    out.push({ text: " …", mark: null });
    return out;
  }
  return out;
}

function plainOrTokens(type, value) {
  if ((type === "list" || type === "refs") && Array.isArray(value)) return { kind: "list", tokens: value.map((text) => ({ text, mark: null })) };
  return { kind: "plain" };
}

/** Unread values and text that does not fit its column are shown, never compared. */
export function isSpecial(value) {
  return isPlainObject(value) && ("unread" in value || "unfit" in value);
}

function split(value) {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value));
  if (!match) {
    // 1e-7 and the like: the plain notation of the same number.
    const plain = Number(value).toFixed(10).replace(/\.?0+$/, "");
    if (!/^-?\d+(\.\d+)?$/.test(plain)) throw new Error(`${value} is not a decimal number`);
    return split(plain);
  }
  const [, sign, whole, part = ""] = match;
  return { digits: BigInt(sign + whole + part), places: part.length };
}

function listTokens(base, value) {
  const had = new Set(base);
  const has = new Set(value);
  return [
    ...value.filter((text) => had.has(text)).map((text) => ({ text, mark: null })),
    ...value.filter((text) => !had.has(text)).map((text) => ({ text, mark: "added" })),
    ...base.filter((text) => !has.has(text)).map((text) => ({ text, mark: "removed" })),
  ];
}

function dateDifference(base, value) {
  const hours = (new Date(value) - new Date(base)) / 3_600_000;
  // Under two days the hours say more; a date without a time only has whole days. Minutes are no news.
  if (Math.abs(hours) < 0.5) return { kind: "plain" };
  if (Math.abs(hours) < 48 && value.length > 10) return { kind: "date", hours: Math.round(hours) };
  return { kind: "date", days: Math.round(hours / 24) };
}

function htmlDifference(base, value) {
  if (base === null || value === null) return { kind: "plain" };
  const [before, after] = [htmlText(base), htmlText(value)];
  return before === after ? { kind: "same_text" } : textDifference(before, after);
}

function textDifference(base, value) {
  const parts = stretches(words(tokens(base), tokens(value)));
  const changed = parts.reduce((sum, part) => sum + (part.mark ? part.text.length : 0), 0);
  // Over half changed: marks would be noise, the whole value says it better.
  if (changed > (base.length + value.length) / 2) return { kind: "plain" };
  return { kind: "text", parts, excerpt: excerpt(parts) };
}

function tokens(text) {
  return text.match(/\s+|[^\s]+/g) ?? [];
}

/** Longest common subsequence of words, equal ends cut first; very long middles count as replaced whole. */
function words(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const left = a.slice(start, a.length - end);
  const right = b.slice(start, b.length - end);
  const middle = left.length * right.length > 1_000_000
    ? [...left.map((text) => ({ text, mark: "removed" })), ...right.map((text) => ({ text, mark: "added" }))]
    : common(left, right);
  const equal = (text) => ({ text, mark: null });
  return [...a.slice(0, start).map(equal), ...middle, ...a.slice(a.length - end).map(equal)];
}

function common(a, b) {
  const length = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      length[i][j] = a[i] === b[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const out = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ text: a[i], mark: null });
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || length[i + 1][j] >= length[i][j + 1])) {
      out.push({ text: a[i], mark: "removed" });
      i += 1;
    } else {
      out.push({ text: b[j], mark: "added" });
      j += 1;
    }
  }
  return out;
}

function characters(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  if ((start + end) * 2 < Math.max(a.length, b.length)) return null;
  return [
    { text: a.slice(0, start), mark: null },
    { text: a.slice(start, a.length - end), mark: "removed" },
    { text: b.slice(start, b.length - end), mark: "added" },
    { text: a.slice(a.length - end), mark: null },
  ].filter((part) => part.text);
}

/** Between two equal stretches: what went, then what came, each in one piece ("~~undyed~~ natural"). */
function stretches(parts) {
  const out = [];
  let [removed, added] = ["", ""];
  const flush = () => {
    out.push(...stretch(removed, added));
    [removed, added] = ["", ""];
  };
  parts.forEach((part, at) => {
    if (part.mark === "removed") removed += part.text;
    else if (part.mark === "added") added += part.text;
    else if (removed && added && !part.text.trim() && parts[at + 1]?.mark) {
      // A space between two changed words belongs to the change: one mark, not three.
      removed += part.text;
      added += part.text;
    } else {
      flush();
      out.push({ ...part });
    }
  });
  flush();
  return joined(out);
}

function stretch(removed, added) {
  if (!removed && !added) return [];
  if (removed.trim() && added.trim()) {
    if (!/\s/.test(removed + added)) {
      const inner = characters(removed, added);
      if (inner) return inner;
    }
    return [...outside(removed, "removed"), { text: " ", mark: null }, ...outside(added, "added")];
  }
  return [...outside(removed, "removed"), ...outside(added, "added")];
}

/** Spaces around a changed word stay unmarked; a change of spaces alone is marked, and drawn by the view. */
function outside(text, mark) {
  if (!text) return [];
  if (!text.trim()) return [{ text, mark }];
  const [, before, inner, after] = /^(\s*)([^]*?)(\s*)$/.exec(text);
  return [{ text: before, mark: null }, { text: inner, mark }, { text: after, mark: null }].filter((part) => part.text);
}

function joined(parts) {
  const out = [];
  for (const part of parts) {
    const last = out[out.length - 1];
    if (last && last.mark === part.mark) last.text += part.text;
    else out.push({ ...part });
  }
  return out;
}
