// Actions on the order or draft that is chosen in Grist: what may be done to it, what somebody is about to do, and what
// became of earlier ones. A yes carries `seen`: it is good only for what was shown. Pure.

const ACTABLE = ["orders", "draft_orders"];

const nothing = {
  of: null, // which row this is about: {resource, table, row}
  row: null, // what the service says of it: title, may, lines, seen
  looking: false, trouble: null,
  action: null, options: {}, quantities: {},
  asked: null, // {effect, final, seen}: the question that waits for a yes
};

export const initial = { ...nothing, list: { items: null, maybe: 0 } };

export function reduce(part, event) {
  switch (event.type) {
    case "looking": return { ...(isSame(part.of, event.of) ? part : { ...part, ...nothing }), of: event.of, looking: true, trouble: null };
    case "looked": return isSame(part.of, event.of) ? looked(part, event.row) : part;
    case "trouble": return isSame(part.of, event.of) ? { ...part, looking: false, trouble: event.trouble, asked: null } : part;
    case "choose": return { ...part, action: part.action === event.action ? null : event.action, options: {}, quantities: {}, asked: null, trouble: null };
    case "option": return { ...part, options: { ...part.options, ...event.values }, asked: null };
    case "quantity": return { ...part, quantities: { ...part.quantities, [event.line]: event.text }, asked: null };
    case "asked": return isSame(part.of, event.of) ? { ...part, looking: false, asked: event.asked, trouble: null } : part;
    case "unask": return { ...part, asked: null };
    case "sent": return { ...part, action: null, options: {}, quantities: {}, asked: null };
    case "list": return { ...part, list: { items: event.items, maybe: event.maybe } };
    default: throw new Error(`deeds.js does not know the event ${event.type}`);
  }
}

/** The row chosen in Grist as `{resource, table, row}`, null where it is no order and no draft. */
export function actableRow(state) {
  const { cursor, server } = state;
  const mapping = cursor && (server?.mappings ?? []).find((one) => one.table === cursor.table && ACTABLE.includes(one.resource));
  return mapping ? { resource: mapping.resource, table: mapping.table, row: cursor.row } : null;
}

/** Whether there is anything to show: a row to act on, or something that nobody is sure of. */
export function hasDeeds(state) {
  return state.tab === "actions" || actableRow(state) !== null || state.deeds.list.maybe > 0;
}

/** What is wrong with a typed quantity: "" where it is a whole number from 0 to what is left. */
export function wrongQuantity(line, text) {
  return text === undefined || (/^\d+$/.test(text.trim()) && Number(text) <= line.remaining) ? "" : "wrong";
}

/** The options as the service takes them: only lines that are sent, only tracking that was typed. */
export function optionsOf(part) {
  const { tracking = {}, ...options } = part.options;
  if (part.action !== "fulfil") return options;
  const lines = (part.row?.lines ?? []).map((line) => ({ line: line.line, quantity: Number(part.quantities[line.line] ?? line.remaining) })).filter((one) => one.quantity > 0);
  const typed = Object.fromEntries(Object.entries(tracking).filter(([, text]) => text.trim()).map(([name, text]) => [name, text.trim()]));
  return { ...options, lines, ...(Object.keys(typed).length ? { tracking: typed } : {}) };
}

/** Why the question cannot be asked yet, as a key of the words; null where it can. */
export function notReady(part) {
  if (part.action === null) return "choose_first";
  if (part.action !== "fulfil") return null;
  if (part.row.lines.some((line) => wrongQuantity(line, part.quantities[line.line]))) return "wrong_quantity";
  return optionsOf(part).lines.length ? null : "no_lines";
}

/** A fresh look keeps what is being filled in, unless the thing itself moved. */
function looked(part, row) {
  const moved = part.row !== null && part.row.seen !== row.seen;
  const next = { ...part, row, looking: false };
  return moved ? { ...next, action: null, options: {}, quantities: {}, asked: null } : next;
}

function isSame(a, b) {
  return a !== null && b !== null && a.resource === b.resource && a.table === b.table && a.row === b.row;
}
