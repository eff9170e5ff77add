"""After a sync: tell in the document itself what was written and which rows wait, where the link's owner wants that.

The sync is done and remembered by then, so whatever stands in the way here is a note in its report and nothing more.
"""

from __future__ import annotations

from typing import Any

from backend.core.model import Side
from backend.errors import SyncError
from backend.grist.connector import GristConnector
from backend.grist.telling import LINES_A_RUN, Line, statuses
from backend.report import Report
from backend.session import Session
from backend.store import base, changes, links, waiting
from backend.store.db import Transaction
from backend.store.links import Link
from backend.store.options import of

SIDES = {Side.LOCAL.value: "Grist", Side.REMOTE.value: "Shopify"}
WAITING_MOST = 2_000
"""So many waiting conflicts, refusals and deletions are told of in rows."""


def tell(session: Session, link: Link, report: Report) -> None:
    """Write the log and the statuses; keep that these are our own writes. Adds to `report.notes`."""
    want, local = of(link), session.local
    if not (want.sync_log or want.status_column) or not isinstance(local, GristConnector):
        return
    writes = local.usage.writes
    try:
        if want.sync_log:
            with session.database.read() as tx:
                lines = lines_of(tx, session)
            report.notes += local.log_run(lines)
        if want.status_column and report.way:
            with session.database.read() as tx:
                waits = waits_of(tx, session)
            report.notes += local.set_status(waits)
    except SyncError as error:
        report.notes.append(f"The sync is done, but it could not be told in the document: {error}")
    if local.usage.writes > writes:
        with session.write() as tx:
            kept = links.checkpoints(tx, session.link_id)
            if kept.get("grist"):
                moved, _ = local.settled(kept["grist"])
                links.set_checkpoints(tx, session.link_id, kept | {"grist": moved})
    report.used(local.usage, session.remote.usage)


def lines_of(tx: Transaction, session: Session) -> list[Line]:
    """What this run has written, in order; one more than the log takes where there is more."""
    names = {one.id: one for one in session.mappings}
    lines = []
    for row in changes.of_run(tx, session.run_id, LINES_A_RUN + 1):
        mapping = names.get(row.mapping_id)
        if mapping is None:
            continue
        described = mapping.resource.field(row.field)
        field = described.label if described else {"create": "(new)", "delete": "(deleted)"}.get(row.kind, row.field)
        lines.append(Line(row.at, session.run_id, SIDES[row.side], mapping.table, row.title, field,
                          _text(row.before), _text(row.after)))
    return lines


def waits_of(tx: Transaction, session: Session) -> dict[str, dict[int, str]]:
    """By resource and row: why it waits for somebody. A mapping in which nothing waits is there, empty."""
    told: dict[str, list[tuple[int, str]]] = {mapping.name: [] for mapping in session.mappings}
    by_id = {mapping.id: mapping for mapping in session.mappings}
    for conflict in waiting.conflicts(tx, session.link_id, limit=WAITING_MOST):
        mapping = by_id.get(conflict.mapping_id)
        if mapping is not None:
            described = mapping.resource.field(conflict.field)
            text = f"{described.label if described else conflict.field}: changed on both sides." if conflict.field \
                else "Deleted on one side, changed on the other."
            told[mapping.name].append((conflict.local_key, text))
    for refusal in waiting.refusals(tx, session.link_id, limit=WAITING_MOST):
        mapping = by_id.get(refusal.mapping_id)
        if mapping is not None:
            row = _row(tx, mapping.id, refusal.side, refusal.key)
            told[mapping.name] += [(row, refusal.message)] if row else []
    for deletion in waiting.deletions(tx, session.link_id, limit=WAITING_MOST):
        mapping = by_id.get(deletion.mapping_id)
        if mapping is not None and deletion.side == Side.LOCAL.value:
            told[mapping.name].append((int(deletion.key), "Gone from Shopify. Delete or keep it in the widget."))
    return {name: statuses(waits) for name, waits in told.items()}


def _row(tx: Transaction, mapping_id: int, side: str, key: str) -> int | None:
    """The row of a thing, or the row itself."""
    if side == Side.LOCAL.value and str(key).isdigit():
        return int(key)
    row = next((row for row, _ in base.places(tx, mapping_id, (), {str(key)})), None)
    return row if row and row > 0 else None


def _text(value: Any) -> str:
    """A value of the history as a cell of text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dict):
        if "unfit" in value:
            return str(value["unfit"])
        if value.keys() == {"resource", "row"}:
            return f"row {value['row']} of {value['resource']}"
        return "; ".join(f"{name}: {_text(one)}" for name, one in value.items())
    return str(value)
