"""What a stretch of history changed: one bundle as a summary, and summaries joined into one.

The shape is that of Grist's comparison: renames of tables and columns as pairs `[before, after]`, and for each table
the added, changed and removed rows with their cells as `[[before], [after]]` (null where the cell was not there, "?"
where it is not known). The joining keeps Grist's oddities, which a sync must be able to meet: a change and its
reversal still shows, a row id given away again stands in both lists, big bulk actions keep only sample rows.
Facts: the recordings `compare`, `identity`, `inline`, `apply`.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from demo.grist.schema import is_metadata
from demo.grist.tables import DocAction, bulk

SAMPLE_ROWS = 10
Renames = list[list[str | None]]
Cells = dict[int, list[Any]]
Delta = dict[str, Any]


def summarise(stored: list[DocAction], undo: list[DocAction], max_rows: int | None = SAMPLE_ROWS) -> Delta:
    """One bundle as a summary. Of a bulk action on more than `max_rows` rows only samples keep cells; None: all do."""
    summary: Delta = {"tableRenames": [], "tableDeltas": {}}
    for action in stored:
        _forward(summary, action, max_rows)
    for action in reversed(undo):
        _backward(summary, action, max_rows)
    deltas = summary["tableDeltas"]
    _rename_keys(deltas, summary["tableRenames"])
    for delta in deltas.values():
        _rename_keys(delta["columnDeltas"], delta["columnRenames"])
        for rows in ("addRows", "updateRows", "removeRows"):
            delta[rows] = list(dict.fromkeys(delta[rows]))
    return summary


def join(first: Delta, second: Delta) -> Delta:
    """Two summaries, one after the other, as one. Uses up both."""
    names = _Names(first["tableRenames"], second["tableRenames"])
    return {"tableRenames": names.merged,
            "tableDeltas": names.join(first["tableDeltas"], second["tableDeltas"], _join_tables)}


def gone(name: str) -> str:
    """The key of a removed table or column, which must not clash with a new one of its name."""
    return f"-{name}"


def _forward(summary: Delta, action: DocAction, max_rows: int | None) -> None:
    verb, table_id, *rest = bulk(action)
    if verb == "AddTable":
        summary["tableRenames"].append([None, table_id])
        _table(summary, table_id)["columnRenames"].extend([None, info["id"]] for info in rest[0])
    elif verb == "RenameTable":
        _once(summary["tableRenames"], [table_id, rest[0]])
    elif verb == "RenameColumn":
        _once(_table(summary, table_id)["columnRenames"], rest)
    elif verb == "AddColumn":
        _table(summary, table_id)["columnRenames"].append([None, rest[0]])
    elif verb == "RemoveColumn":
        _table(summary, table_id)["columnRenames"].append([rest[0], None])
    elif verb in ("BulkAddRecord", "BulkUpdateRecord"):
        delta = _table(summary, table_id)
        delta["addRows" if verb == "BulkAddRecord" else "updateRows"].extend(rest[0])
        _note_cells(delta, rest[0], rest[1], 1, None if is_metadata(table_id) else max_rows)


def _backward(summary: Delta, action: DocAction, max_rows: int | None) -> None:
    """The same from an undo action: an AddTable there is a table that went."""
    verb, table_id, *rest = bulk(action)
    if verb == "AddTable":
        summary["tableRenames"].append([table_id, None])
        _table(summary, table_id)["columnRenames"].extend([info["id"], None] for info in rest[0])
    elif verb == "RenameTable":
        _once(summary["tableRenames"], [rest[0], table_id])
    elif verb == "RenameColumn":
        _once(_table(summary, table_id)["columnRenames"], [rest[1], rest[0]])
    elif verb in ("BulkAddRecord", "BulkUpdateRecord"):
        delta = _table(summary, table_id)
        if verb == "BulkAddRecord":
            delta["removeRows"].extend(rest[0])
        elif len(rest[0]) > 1:
            delta["updateRows"].extend(rest[0])
        _note_cells(delta, rest[0], rest[1], 0, None if is_metadata(table_id) else max_rows)


def _note_cells(delta: Delta, rows: list[int], values: dict[str, list[Any]], side: int, limit: int | None) -> None:
    picked: Iterable[int] = range(len(rows))
    if limit is not None and len(rows) > limit:
        delta["mayBeIncomplete"] = True
        picked = [*range(limit - 1), len(rows) - 1]
    for col_id, cells in values.items():
        column = delta["columnDeltas"].setdefault(col_id, {})
        for index in picked:
            column.setdefault(rows[index], [None, None])[side] = [cells[index]]


def _table(summary: Delta, table_id: str) -> Delta:
    delta: Delta = summary["tableDeltas"].setdefault(
        table_id, {"updateRows": [], "removeRows": [], "addRows": [], "columnDeltas": {}, "columnRenames": []})
    return delta


def _once(renames: Renames, rename: list[Any]) -> None:
    if list(rename) not in renames:
        renames.append(list(rename))


def _rename_keys(entries: dict[str, Any], renames: Renames) -> None:
    for before, after in renames:
        if before is not None and before in entries:
            entries[gone(before) if after is None else after] = entries.pop(before)


class _Names:
    """How the names of two stretches fit together: `merged` renames, and which keys die or change in each."""

    def __init__(self, first: Renames, second: Renames) -> None:
        self._dead: tuple[set[str], set[str]] = (set(), set())
        self._moved: dict[str, str] = {}
        merged: Renames = []
        later: dict[str | None, str | None] = {pair[0]: pair[1] for pair in second}
        for before, after in first:
            if after is None:
                self._dead[0].add(before or "")
                merged.append([before, None])
            elif after not in later:
                merged.append([before, after])
            elif later[after] is None:
                self._removed_later(before, after, merged)
            else:
                self._moved[after] = later[after] or ""
                merged.append([before, later[after]])
        known = {after for _, after in first}
        for before, after in second:
            if before is not None and before in known:
                continue
            merged.append([before, after])
            if before is not None and after is not None:
                self._moved[before] = after
        self.merged = sorted(merged, key=lambda pair: (pair[0] or "", pair[1] or ""))

    def _removed_later(self, before: str | None, after: str, merged: Renames) -> None:
        self._dead[1].add(after)
        if before is None:  # made and removed within the stretch: nothing of it shows
            self._dead[0].add(after)
            self._dead[1].add(gone(after))
        else:
            self._dead[0].add(before)
            merged.append([before, None])

    def join(self, first: dict[str, Any], second: dict[str, Any], both: Callable[[Any, Any], Any]) -> dict[str, Any]:
        earlier = {key: entry for key, entry in first.items() if key not in self._dead[0]}
        moved = {key: earlier.pop(key) for key in self._moved if key in earlier}
        earlier.update({self._moved[key]: entry for key, entry in moved.items()})
        result = {key: entry for key, entry in second.items() if key not in self._dead[1]}
        for key, entry in earlier.items():
            result[key] = both(entry, result[key]) if key in result else entry
        return result


def _join_tables(first: Delta, second: Delta) -> Delta:
    names = _Names(first["columnRenames"], second["columnRenames"])
    columns = names.join(first["columnDeltas"], second["columnDeltas"],
                         lambda one, two: _join_columns(first, second, one, two))
    added, removed = set(first["addRows"]), set(second["removeRows"])
    for row in added & removed:  # came and went within the stretch
        for cells in columns.values():
            cells.pop(row, None)
    joined: Delta = {
        "updateRows": _union((row for row in first["updateRows"] if row not in removed),
                             (row for row in second["updateRows"] if row not in added)),
        "removeRows": _union((row for row in second["removeRows"] if row not in added), first["removeRows"]),
        "addRows": _union(second["addRows"], (row for row in first["addRows"] if row not in removed)),
        "columnDeltas": columns,
        "columnRenames": names.merged,
    }
    if first.get("mayBeIncomplete") or second.get("mayBeIncomplete"):
        joined["mayBeIncomplete"] = True
    return joined


def _join_columns(first: Delta, second: Delta, one: Cells, two: Cells) -> Cells:
    rows_1, rows_2 = _row_sets(first), _row_sets(second)
    for row in dict.fromkeys([*first["addRows"], *first["removeRows"], *first["updateRows"]]):
        earlier, later = one.get(row), two.get(row)
        if earlier is None and later is None:
            continue
        if row in rows_1["addRows"] and row in rows_2["removeRows"]:
            two.pop(row, None)
            continue
        untouched_1 = earlier is None and not first.get("mayBeIncomplete")
        untouched_2 = later is None and not second.get("mayBeIncomplete")
        earlier = earlier or _unknown(rows_1, row)
        later = later or _unknown(rows_2, row)
        if later is None:
            two[row] = one[row]
        elif not earlier or not earlier[1]:
            # The row was removed before; where its id was given away again, the old value stays as "before".
            if earlier and row in rows_1["removeRows"] and later[1]:
                two[row] = [earlier[0], later[1]]
        else:
            before = later[0] if untouched_1 and earlier[0] == "?" else earlier[0]
            after = earlier[1] if untouched_2 and later[1] == "?" else later[1]
            two[row] = [before, after]
    return two


def _row_sets(delta: Delta) -> dict[str, set[int]]:
    # Built once for each summary, however many columns it has.
    cached: dict[str, set[int]] | None = delta.get("_sets")
    if cached is None:
        cached = delta["_sets"] = {rows: set(delta[rows]) for rows in ("addRows", "removeRows", "updateRows")}
    return cached


def _unknown(rows: dict[str, set[int]], row: int) -> list[Any] | None:
    updated = row in rows["updateRows"]
    if not (updated or row in rows["addRows"] or row in rows["removeRows"]):
        return None
    return ["?" if updated or row in rows["removeRows"] else None,
            "?" if updated or row in rows["addRows"] else None]


def _union(*parts: Iterable[int]) -> list[int]:
    return sorted({row for part in parts for row in part})
