// What somebody types in place of a value, read in their culture as the API takes it. Pure.

/** Reads what somebody typed for a field of `type`: `{value}` as the API takes it, or `{message, cure}` in words. */
export function readTyped(conflict, text, f) {
  const { type, choices } = conflict;
  const typed = text.trim();
  const wrong = (key, values = {}) => ({ message: f.t(`typed.${key}`, { typed, ...values }), cure: f.t(`typed.${key}_cure`, values) });
  if (type === "text" || type === "html") return { value: text === "" ? null : text };
  if (type === "choice") return choices?.includes(typed) || !choices
    ? { value: typed }
    : { message: f.t("typed.choice", { typed, choices: choices.join(", ") }), cure: f.t("typed.choice_cure") };
  if (typed === "") return { value: null };
  if (type === "list") return { value: [...new Set(typed.split(/[,;\n]/).map((item) => item.trim()).filter(Boolean))] };
  if (type === "boolean") {
    const yes = [f.t("value.yes").toLowerCase(), "yes", "true", "1"].includes(typed.toLowerCase());
    const no = [f.t("value.no").toLowerCase(), "no", "false", "0"].includes(typed.toLowerCase());
    return yes || no ? { value: yes } : wrong("boolean");
  }
  if (type === "date") return isDay(typed) ? { value: typed } : wrong("date");
  if (type === "datetime") {
    const value = readMoment(typed, f.timeZone);
    return value ? { value } : wrong("datetime");
  }
  const plain = plainNumber(typed, f.separators);
  if (plain === null) return wrong(type === "money" ? "money" : "number");
  if (type === "integer") return Number.isSafeInteger(Number(plain)) ? { value: Number(plain) } : wrong("integer");
  return { value: plain };
}

/** "1,250.00" in the person's culture to "1250.00"; null where it is not a number. */
function plainNumber(text, { group, decimal }) {
  let plain = text.replace(/−/g, "-").replace(/[\s\u00a0\u202f]/g, "");
  // Grouping only where it groups by three, so that "40,00" typed by habit is refused, not read as 4000.
  const grouped = new RegExp(`^-?\\d{1,3}(${escaped(group)}\\d{3})+(${escaped(decimal)}\\d+)?$`);
  if (group.trim() && grouped.test(plain)) plain = plain.split(group).join("");
  if (decimal !== ".") plain = plain.replace(decimal, ".");
  return /^-?\d+(\.\d+)?$/.test(plain) ? plain : null;
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function isDay(text) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** "2026-12-01 14:00" in the document's time zone, or an ISO time with its own, as ISO in UTC; null if neither. */
function readMoment(text, timeZone) {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?(Z|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (!match || !isDay(match[1])) return null;
  const [, date, clock, second = ":00", zone] = match;
  const at = Date.parse(`${date}T${clock}${second}${zone ?? "Z"}`);
  if (Number.isNaN(at)) return null;
  const inUtc = zone ? at : at - offset(at - offset(at, timeZone), timeZone);
  return new Date(inUtc).toISOString().replace(".000Z", "Z");
}

/** How many ms the zone's clock is ahead of UTC at `at`. */
function offset(at, timeZone) {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - at;
}
