"""What a write moves besides: what Shopify computes of a thing's relatives, what formulas in Grist make of it.

    Shopify   a product's total follows its stock, a variant's name its product  → known by who refers to whom
    Grist     a formula may look anything up anywhere                            → Grist says which rows changed

A run looks at these once more before it ends: they are added to `Work.again`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as Dict
from typing import Any

from backend.core.model import Side
from backend.session import Session
from backend.store import base
from backend.work import Work


class Ripples:
    """Of one run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: dict[str, Any] | None = None
        """How far Grist has said what changed, since this run began to write."""
        self._writes = session.local.usage.writes
        """Of Grist, by then."""

    def relatives(self, works: Sequence[Work], fields: Dict[tuple[str, str], Collection[str]]) -> None:
        """Writing a thing moves computed fields of its relatives: a product's total, a variant's display name. Adds
        what was written and its relatives, wherever a computed field is mapped. `fields` names those that were
        written, by (resource, thing), where only these were."""
        written = {one.mapping.name: set(one.written) for one in works}
        with self._session.database.read() as tx:
            for one in works:
                for place, target in one.references if one.computes else ():
                    above = {thing for thing in written.get(target, set())
                             if place != one.references[0][0] or one.shows(fields.get((target, thing)))}
                    one.again |= {str(key) for key, row in one.remote.rows.items() if row[place] in above}
                    if place == one.references[0][0] and above:
                        one.again |= base.children(tx, one.mapping.id, above)
            for one in reversed(works):
                here = written[one.mapping.name]
                for place, target in one.references if here else ():
                    up = {row[place] for key, row in one.remote.rows.items() if key in here}
                    if place == one.references[0][0]:
                        up |= base.parents(tx, one.mapping.id, here)
                    written.setdefault(target, set()).update(thing for thing in up if isinstance(thing, str))
        for one in works:
            one.again |= written[one.mapping.name] if one.computes else set()

    def formulas(self, works: Sequence[Work], checkpoints: Dict[str, Any]) -> None:
        """A formula that feeds Shopify may show something else where another table was written: Grist is asked which
        rows changed, for two requests. Where it does not tell, or so many did that a table is better read whole, the
        next run finds them. Raises RetryLater."""
        local = self._session.local
        fed = [one for one in works
               if any(rule.source_only and rule.may_write(Side.REMOTE) for rule in one.mapping.fields)]
        if not fed or local.usage.writes == self._writes:
            return
        self._writes = local.usage.writes
        changed = local.changed([one.mapping for one in works], self._told or checkpoints["grist"])
        self._told = changed.checkpoint
        for one in fed:
            if changed.keys is None or one.mapping.name in changed.audit:
                continue
            rows = {row for row in changed.keys.get(one.mapping.name, ()) if isinstance(row, int)}
            with self._session.database.read() as tx:
                one.again |= {thing for row, thing in base.places(tx, one.mapping.id, rows, ()) if row >= 0}
