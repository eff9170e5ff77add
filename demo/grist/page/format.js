// How a cell is shown and edited, by its column's type and options. Pure: values in, plain descriptions out.

/** `{text}`, `{tokens}`, `{check}`, `{fault}` or `{misfit}` for a stored value, with `align` ("right", "middle" or ""). */
export function shown(value, column, names) {
  const type = pure(column.type);
  if (Array.isArray(value) && value[0] === "E") return { fault: `#${value[1]}` };
  if (Array.isArray(value) && value[0] === "C") return { text: "CENSORED" };
  if (value === null || value === "" || value === undefined) return { text: "", align: align(type) };
  if (type === "Bool" && typeof value === "boolean") return { check: value, align: "middle" };
  if ((type === "Numeric" || type === "Int") && typeof value === "number") return { text: number(value, column.options), align: "right" };
  if (type === "Date" && typeof value === "number") return { text: day(value) };
  if (type === "DateTime" && typeof value === "number") return { text: moment(value, column.type.split(":")[1]) };
  if (type === "Choice") return { tokens: [token(value, column.options)] };
  if (type === "ChoiceList" && isList(value)) return { tokens: value.slice(1).map((item) => token(item, column.options)) };
  if (type === "Ref" && typeof value === "number") return { text: value ? names[value] ?? `#Missing[${value}]` : "" };
  if (type === "RefList" && isList(value)) return { tokens: value.slice(1).map((row) => ({ text: names[row] ?? String(row) })) };
  if (type === "Any" || type === "Text") return { text: plain(value) };
  return { misfit: plain(value), align: align(type) };
}

/** The text that an editor starts with. */
export function typed(value, column, names) {
  const type = pure(column.type);
  if (value === null || value === undefined) return "";
  if (type === "Date" && typeof value === "number") return day(value);
  if (type === "DateTime" && typeof value === "number") return moment(value, column.type.split(":")[1]);
  if (type === "Ref" && typeof value === "number") return value ? names[value] ?? String(value) : "";
  if (type === "RefList" && isList(value)) return value.slice(1).map((row) => names[row] ?? row).join(", ");
  if (isList(value)) return value.slice(1).join(", ");
  return plain(value);
}

/** What typed text is sent as: references by the name of their row, everything else as text for Grist to read. */
export function meant(text, column, names) {
  const type = pure(column.type);
  if (type === "Ref") return text === "" ? 0 : rowNamed(text, names) ?? text;
  if (type === "RefList") {
    const rows = text.split(",").map((name) => rowNamed(name.trim(), names));
    return text.trim() === "" ? null : rows.every((row) => row) ? ["L", ...rows] : text;
  }
  return text === "" && ["Numeric", "Int", "Date", "DateTime"].includes(type) ? null : text;
}

/** What the editor suggests: the choices, or the names of the rows that can be referred to. */
export function suggestions(column, names) {
  const type = pure(column.type);
  if (type === "Choice") return column.options.choices ?? [];
  return type === "Ref" ? Object.values(names).slice(0, 500) : [];
}

export function pure(type) {
  return type.split(":")[0];
}

function align(type) {
  return type === "Numeric" || type === "Int" ? "right" : "";
}

function isList(value) {
  return Array.isArray(value) && value[0] === "L";
}

function rowNamed(text, names) {
  const found = Object.entries(names).find(([, name]) => name === text);
  return found ? Number(found[0]) : null;
}

function number(value, options) {
  const digits = { minimumFractionDigits: options.decimals ?? 0, maximumFractionDigits: options.maxDecimals ?? Math.max(options.decimals ?? 0, 10) };
  if (options.numMode === "currency") {
    const money = { style: "currency", currency: options.currency ?? "USD" };
    if (options.decimals !== undefined) money.minimumFractionDigits = options.decimals;
    return new Intl.NumberFormat("en-US", money).format(value);
  }
  if (options.numMode === "percent") return new Intl.NumberFormat("en-US", { ...digits, style: "percent" }).format(value);
  return new Intl.NumberFormat("en-US", { ...digits, useGrouping: options.numMode === "decimal" }).format(value);
}

function day(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function moment(seconds, timeZone = "UTC") {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: timeZone || "UTC", dateStyle: "short", timeStyle: "medium" });
  return parts.format(new Date(seconds * 1000));
}

function token(text, options) {
  const style = options.choiceOptions?.[text] ?? {};
  const known = !options.choices || options.choices.includes(text);
  return { text: String(text), fill: style.fillColor, color: style.textColor, unknown: !known };
}

function plain(value) {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
