// What only the lists ask of the state: Conflicts and Changes, which come when somebody looks at them. Pure.

import { same } from "./same.js";
import { groupKey, isCursor, readyChoices } from "./state.js";

const MOST_AT_ONCE = 1_000; // that the service takes in one request
const MOST_BYTES = 500_000;

/** Which sides moved since somebody chose, as `[{side, was}]`; none where it cannot be told. */
export function movedSides(item, moved) {
  return ["grist", "shopify"].filter((side) => side in moved && !same(moved[side], item[side])).map((side) => ({ side, was: moved[side] }));
}

/** The field `steps` away from the current one in `lines`; by whole groups where `byGroup`. */
export function neighbour(lines, current, steps, byGroup = false) {
  const fields = lines.filter((line) => line.kind === "field").map((line) => line.item);
  if (!fields.length) return null;
  const at = fields.findIndex((item) => item.id === current?.id);
  if (at < 0) return fields[0].id;
  if (!byGroup) return fields[Math.min(Math.max(at + steps, 0), fields.length - 1)].id;
  const groups = [...new Set(fields.map(groupKey))];
  const wanted = Math.min(Math.max(groups.indexOf(groupKey(fields[at])) + steps, 0), groups.length - 1);
  return fields.find((item) => groupKey(item) === groups[wanted]).id;
}

/** The changes that the look (filters) lets through. */
export function visibleChanges(state, text) {
  const { table, field, to, text: wanted, row } = state.look;
  const needle = wanted.trim().toLowerCase();
  return (state.lists.changes.items ?? []).filter((item) => (table === null || item.resource === table)
    && (field === null || item.field_label === field)
    && (to === null || item.to === to)
    && (!row || state.lists.changes.of || isCursor(item, state.cursor))
    && (!needle || text(item).toLowerCase().includes(needle)));
}

/** Where each line of a list begins, in px, and where the last one ends. */
export function offsetsOf(heights) {
  const offsets = [0];
  for (let at = 0; at < heights.length; at += 1) offsets.push(offsets[at] + heights[at]);
  return offsets;
}

/** Which lines of a windowed list to mount: those between `top` and `bottom` px, and `also` (the focused one). */
export function windowOf(offsets, top, bottom, also = -1) {
  const last = offsets.length - 2;
  let [low, high] = [0, last];
  while (low < high) { // the first line that ends at or below `top`
    const middle = (low + high) >> 1;
    if (offsets[middle + 1] < top) low = middle + 1;
    else high = middle;
  }
  const shown = also >= 0 && also < low ? [also] : [];
  for (let at = low; at <= last && offsets[at] <= bottom; at += 1) shown.push(at);
  if (also > (shown[shown.length - 1] ?? -1)) shown.push(also);
  return shown;
}

/** The body of POST choices. Each choice carries the values it was made on, so it applies to nothing else. */
export function choicesBody(state) {
  return readyChoices(state).map((id) => {
    const { keep, value, seen } = state.choices[id];
    return keep === "value" ? { conflict: id, keep, value, seen } : { conflict: id, keep, seen };
  });
}

/** `items` in parts that the service takes: few enough of them, and none too long unless one alone is. */
export function partsOf(items) {
  const parts = [];
  let bytes = 0;
  for (const item of items) {
    const size = 3 * JSON.stringify(item).length; // a character is at most three bytes, or two of these
    const last = parts[parts.length - 1];
    if (!last || last.length >= MOST_AT_ONCE || bytes + size > MOST_BYTES) {
      parts.push([item]);
      bytes = size;
    } else {
      last.push(item);
      bytes += size;
    }
  }
  return parts;
}

/** What can be taken back, once: changed cells, and rows of Grist. What was made or deleted in Shopify cannot. */
export function canUndo(change) {
  return (change.kind === "update" || change.to === "grist") && !change.undone;
}

/** The lines of the history that these runs wrote for these cells ({resource, row, field}): what an undo of choices takes back. */
export function linesOf(changes, runs, cells) {
  const name = (one) => JSON.stringify([one.resource, one.row, one.field]);
  const wanted = new Set(cells.map(name));
  return changes.filter((one) => runs.includes(one.run) && canUndo(one) && wanted.has(name(one))).map((one) => one.id);
}
