"""How far both sides have been looked at: moved at the end of a run, together with what it leaves for the next one.

    what each side said of itself when the run began → the checkpoint, moved over what this run wrote itself
    what could not be read, and new rows that rest   → hints for the next run, rows that were not shown among them
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from backend.core.model import Side
from backend.gather import Gathered, settings_of, ways_of
from backend.session import Session
from backend.store import inbox, links
from backend.store.db import Transaction
from backend.work import Work

NAMED_AT_ONCE = 5_000
"""Rows made in one run beyond which they are not named one by one: they stay hinted at as a whole."""


def move_on(tx: Transaction, session: Session, gathered: Gathered, work: Sequence[Work],
            unsure: Set[tuple[str, int]] = frozenset()) -> None:
    """Move the checkpoints to where this run began, and keep on the list what it could not deal with. A run over some
    fields moves nothing: it has not looked at the others. `work` is empty where nothing had changed. `unsure` are rows,
    by (resource, row), that were looked for and not shown: hidden, or gone without proof. Their changes are behind the
    checkpoint, so nothing else would bring the next run to them."""
    if not all(mapping.whole for mapping in session.mappings) or not gathered.checkpoints:
        return
    known = gathered.checkpoints["mappings"]
    ran = {one.mapping.name: one for one in work}
    for mapping in session.mappings if work else ():
        one = ran.get(mapping.name)
        if one is None or one.mapping.names != mapping.names:
            known.pop(mapping.name, None)  # a part of it is paused: when that is over all of it is looked at
            continue
        known[mapping.name] = {"settings": settings_of(mapping), "ways": ways_of(mapping),
                               "rows_known": one.scope.rows_known, "things_known": one.scope.things_known}
        inbox.note(tx, session.link_id, Side.REMOTE, [(mapping.name, thing) for thing in one.again | one.unread])
        inbox.note(tx, session.link_id, Side.LOCAL, [(mapping.name, row) for row in one.resting])
        hidden = sorted(row for name, row in unsure if name == mapping.name and row > 0)
        if len(hidden) > NAMED_AT_ONCE:
            inbox.note_whole(tx, session.link_id, Side.LOCAL, mapping.name)
        else:
            inbox.note(tx, session.link_id, Side.LOCAL, [(mapping.name, row) for row in hidden])
    told = True
    for name, connector in (("grist", session.local), ("shopify", session.remote)):
        gathered.checkpoints[name], all_told = connector.settled(gathered.checkpoints[name])
        told = all_told if connector is session.local else told
    _keep_made_rows(tx, session.link_id, work, told=told)
    links.set_checkpoints(tx, session.link_id, gathered.checkpoints)
    inbox.done(tx, gathered.hints)


def narrow(tx: Transaction, session: Session) -> None:
    """Before a run writes: where a field may no longer go is remembered at once, for what this run leaves different
    there is no agreement once it may go there again, also where the run does not come to its end."""
    kept = links.checkpoints(tx, session.link_id)
    known = kept.get("mappings", {})
    narrower = False
    for mapping in session.mappings:
        before = known.get(mapping.name, {}).get("ways", {})
        for name, sides in ways_of(mapping).items():
            both = [side for side in before.get(name, ()) if side in sides]
            if both != before.get(name, both):
                before[name], narrower = both, True
    if narrower:
        links.set_checkpoints(tx, session.link_id, kept)


def _keep_made_rows(tx: Transaction, link_id: int, work: Sequence[Work], *, told: bool) -> None:
    """Rows that were made after the checkpoint are looked at by the next run: the history since then says nothing of
    one that is made and deleted."""
    for one in work:
        if one.made_hint and (told or len(one.made_rows) <= NAMED_AT_ONCE):
            inbox.done(tx, [one.made_hint])
            rows = () if told else one.made_rows
            inbox.note(tx, link_id, Side.LOCAL, [(one.mapping.name, row) for row in rows])
