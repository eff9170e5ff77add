// Words, numbers, money and times as the person reads them. Pure: culture, zone, currency and "now" are handed in.
//
// Grist passes culture, time zone, currency and language in the widget's address; sentences come from
// i18n/<language>.json. A number's minus is always "−" (U+2212).

/** The formatter of one screen: `{t, number, money, decimal, signed, date, datetime, clock, when, seconds, names}`. */
export function createFormat({ strings, culture = "en-US", language = "en-US", timeZone = "UTC", currency = "USD", shopCurrency = null }) {
  const rules = new Intl.PluralRules(language);
  const money = shopCurrency ?? currency;
  // "$39.00" where the store's currency is the document's; "CA$39.00" where it is another one.
  const moneyStyle = { style: "currency", currency: money, currencyDisplay: money === currency ? "narrowSymbol" : "symbol" };
  const plain = new Intl.NumberFormat(culture, { maximumFractionDigits: 20 });
  // To make a format costs more than to draw the cell it is for: each is made once.
  const byPlaces = keeping((places) => new Intl.NumberFormat(culture, { minimumFractionDigits: places, maximumFractionDigits: 20 }));
  const signedByPlaces = keeping((places) => new Intl.NumberFormat(culture, { minimumFractionDigits: places, maximumFractionDigits: 20, signDisplay: "exceptZero" }));
  const moneyFormat = new Intl.NumberFormat(culture, moneyStyle);
  const moneyPlaces = moneyFormat.resolvedOptions().maximumFractionDigits;
  const parts = new Intl.NumberFormat(culture).formatToParts(-12345.6);
  const separators = { group: partOf(parts, "group", ","), decimal: partOf(parts, "decimal", ".") };
  const dates = (options) => new Intl.DateTimeFormat(culture, { timeZone, ...options });
  // "14:02", and "2:02 PM" where the culture counts to twelve: "02:02 PM" is nobody's.
  const hour = new Intl.DateTimeFormat(culture, { hour: "numeric" }).resolvedOptions().hour12 ? "numeric" : "2-digit";
  const clockFormat = dates({ hour, minute: "2-digit" });
  const dayFormat = dates({ day: "numeric", month: "short" });
  const dayYearFormat = dates({ day: "numeric", month: "short", year: "numeric" });
  const exactFormat = dates({ hour, minute: "2-digit", second: "2-digit" });
  const yearFormat = dates({ year: "numeric" });
  // Dates without a time have no zone: read and shown in UTC, or the day before appears west of Greenwich.
  const utcDay = new Intl.DateTimeFormat(culture, { timeZone: "UTC", day: "numeric", month: "short" });
  const utcDayYear = new Intl.DateTimeFormat(culture, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
  const isoYear = new Intl.DateTimeFormat("en", { timeZone, year: "numeric" });
  const listFormat = new Intl.ListFormat(language, { type: "conjunction" });

  const number = (value) => minus(plain.format(value));
  const yearOf = (at) => yearFormat.format(at);
  const dayOf = (at) => dayYearFormat.format(at);
  const day = (at, now) => (yearOf(at) === yearOf(now) ? dayFormat.format(at) : dayYearFormat.format(at));

  /** The sentence of `key`; a plural is chosen by `values.n`. A key that is not there is a developer's mistake: it raises. */
  function t(key, values = {}) {
    let entry = key.split(".").reduce((node, name) => node?.[name], strings);
    if (entry && typeof entry === "object") entry = entry[rules.select(values.n)] ?? entry.other;
    if (typeof entry !== "string") throw new Error(`No text for ${key} in the language file`);
    return entry.replace(/\{(\w+)\}/g, (_, name) => {
      if (!(name in values)) throw new Error(`The text ${key} needs a value for {${name}}`);
      return typeof values[name] === "number" ? number(values[name]) : String(values[name]);
    });
  }

  /** "14:02" today, "22 Nov, 18:12" this year, with the year before that. `at` and `now` in ms. */
  function moment(at, now) {
    const clock = clockFormat.format(at);
    return dayOf(at) === dayOf(now) ? clock : `${day(at, now)}, ${clock}`;
  }

  return {
    t,
    number,
    moment,
    separators,
    timeZone,
    /** Money as the store writes it, from an exact string such as "39.00". */
    money: (value) => minus(moneyFormat.format(value)),
    /** A decimal with the digits it was given: "12.50" stays "12.50". */
    decimal: (value) => {
      const places = /\.(\d+)$/.exec(String(value))?.[1].length ?? 0;
      return minus(byPlaces(places).format(value));
    },
    /** A difference with its sign, "+3.00", from an exact string; money keeps the currency's digits. */
    signed: (difference, isMoney = false) => {
      const places = isMoney ? moneyPlaces : (/\.(\d+)$/.exec(difference)?.[1].length ?? 0);
      return minus(signedByPlaces(places).format(difference));
    },
    /** "1 Dec", with the year where it is not this one. */
    date: (iso, now) => {
      const at = Date.parse(`${iso}T00:00:00Z`);
      if (Number.isNaN(at)) return iso;
      return (iso.slice(0, 4) === isoYear.format(now) ? utcDay : utcDayYear).format(at);
    },
    datetime: (iso, now) => `${day(Date.parse(iso), now)}, ${clockFormat.format(Date.parse(iso))}`,
    clock: (at) => clockFormat.format(at),
    /** The full time, for tooltips. */
    exact: (at) => `${dayYearFormat.format(at)}, ${exactFormat.format(at)}`,
    isToday: (at, now) => dayOf(at) === dayOf(now),
    /** "just now", "3 min ago", "at 14:02", "22 Nov, 18:12": fits behind "Synced". */
    when: (at, now) => {
      const minutes = Math.floor((now - at) / 60_000);
      if (minutes < 1) return t("time.now");
      if (minutes < 60) return t("time.minutes", { n: minutes });
      return dayOf(at) === dayOf(now) ? t("time.at", { clock: clockFormat.format(at) }) : moment(at, now);
    },
    /** "at 14:05" today, else "22 Nov, 18:12": fits into a sentence. */
    whenAt: (at, now) => (dayOf(at) === dayOf(now) ? t("time.at", { clock: clockFormat.format(at) }) : moment(at, now)),
    /** "9 s", "2 min 5 s"; under a second it still took one. */
    seconds: (seconds) => {
      const whole = Math.max(1, Math.round(seconds));
      return whole < 60 ? t("time.seconds", { s: whole }) : t("time.minutes_seconds", { m: Math.floor(whole / 60), s: whole % 60 });
    },
    /** "15 min", "1 hour", "day": a length that people choose. */
    span: (seconds) => {
      if (seconds < 60) return t("time.seconds", { s: seconds });
      if (seconds % 86_400 === 0) return t("time.span_days", { n: seconds / 86_400 });
      return seconds % 3600 === 0 ? t("time.span_hours", { n: seconds / 3600 }) : t("time.span_minutes", { n: Math.round(seconds / 60) });
    },
    names: (names) => listFormat.format(names),
    /** "Ana or Jonas": one of them will do. */
    either: (names) => new Intl.ListFormat(language, { type: "disjunction" }).format(names),
    /** What a row is called: its title, else where it stands. A row of stock has no title once Shopify has forgotten it. */
    called: (item) => item.title || t(item.row ? "place.row" : "place.table", { table: item.label, row: item.row }),
    /** Who began something, "An owner, Sync button", piece by piece. */
    by: (who) => (who ? who.split(", ").map((one) => strings.by?.[one] ?? one).join(", ") : who),
  };
}

/** "about 11 s": seconds rounded to 1 below 20, to 5 below 60, to 10 above. */
export function roughSeconds(seconds) {
  if (seconds < 20) return Math.max(1, Math.round(seconds));
  return seconds < 60 ? Math.round(seconds / 5) * 5 : Math.round(seconds / 10) * 10;
}

/** A count in a pill: "7", and "9,999+" above what fits. */
export function pill(count, f) {
  return count > 9999 ? `${f.number(9999)}+` : f.number(count);
}

/** `make(key)`, made once for each key. */
function keeping(make) {
  const kept = new Map();
  return (key) => {
    if (!kept.has(key)) kept.set(key, make(key));
    return kept.get(key);
  };
}

function partOf(parts, type, fallback) {
  return parts.find((part) => part.type === type)?.value ?? fallback;
}

function minus(text) {
  return text.replace(/-/g, "−");
}
