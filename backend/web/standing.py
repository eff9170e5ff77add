"""How the row that somebody has chosen in Grist stands, in one word and what belongs to it; nobody is asked.

    conflict   fields wait for a choice         apart     the row takes no part
    deletion   an answer is waited for          new       it is nothing in Shopify yet
    refused    with cause and cure              agreed    both sides held the same when they were compared last
    pair       which thing it is, is asked
    waits      for time, or for another row
    next       the next sync looks at it

The first that is true of it, in this order. Of what somebody may not read nothing is told: no count and no sentence.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from backend.store import standing
from backend.store.standing import Standing
from backend.web.answers import moment
from backend.web.sight import Sight
from backend.web.values import SIDES, Tables


def status(tx: sa.Connection, known: Tables, eyes: Sight, mapping_id: int, row: int, thing: str | None
           ) -> dict[str, Any]:
    """STATUS of a row that this person sees."""
    mapping = known.described[mapping_id]
    here = standing.of_row(tx, known.link_id, mapping_id, mapping.name, row, thing)
    head = {**known.head(mapping_id), "row": row}
    refusals = eyes.of([{**head, "title": one.title, **known.describe(mapping_id, one.field), "message": one.message,
                         "cure": one.cure, "waits": one.waits} for one in here.refusals])
    asked = [name for name in here.open if eyes.cell(mapping_id, row, name)]
    last = standing.last_change(tx, mapping_id, row, thing)
    state = _word(here, asked, refusals, thing is not None)
    why = next((one for one in refusals if one["waits"] == (state == "waits")), None)
    return {
        "state": state, "conflicts": len(asked), "apart": sum(name != "" for name in here.apart),
        "why": {name: why[name] for name in ("message", "cure")} if why and state in ("refused", "waits") else None,
        "creates": mapping.create_remote and mapping.resource.creatable,
        "last": {"run": last.run_id, "at": moment(last.at), "by": last.started_by, "to": SIDES[last.side],
                 "kind": last.kind, "field_label": known.describe(mapping_id, last.field)["field_label"]}
        if last is not None else None,
    }


def _word(here: Standing, asked: list[str], refusals: list[dict[str, Any]], is_pair: bool) -> str:
    found = {
        "conflict": bool(asked), "deletion": here.deletion == "open",
        "refused": any(not one["waits"] for one in refusals), "pair": here.pair == "open", "waits": bool(refusals),
        "next": bool(here.answered) or here.deletion == "answered" or here.pair == "answered" or here.noted,
        "apart": "" in here.apart or here.deletion == "kept" or here.pair == "apart", "new": not is_pair,
    }
    return next((word for word, is_so in found.items() if is_so), "agreed")
