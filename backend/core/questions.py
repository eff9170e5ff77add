"""Questions about pairs in the words that people and the store need: names instead of keys, and what a candidate shows.

    {"kind": "double", "witness": "sku", "values": ["WOO-1"], "rows": [{"row": 3, "title": "Wool scarf", "looks": "…"}],
     "things": [{"thing": "gid://…/7", "title": "Wool scarf", "note": "active"}, …], "about": {"alike": [[["sku"], …]]}}
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from backend.core.model import Key, Mapping, Question, Snapshot
from backend.core.values import UNREAD, Value, dump


def looks(mapped: Mapping, local: Snapshot, row: Key) -> str:
    """A digest of what an answer about the row is good for."""
    values = local.rows.get(row)
    places = sorted({mapped.index[name] for witness in mapped.match for name in witness.split("+")})
    seen = [] if values is None else [None if values[place] is UNREAD else dump(values[place]) for place in places]
    return hashlib.sha256(repr((local.marks.get(row), seen)).encode()).hexdigest()[:32]


def told(mapped: Mapping, local: Snapshot, remote: Snapshot, one: Question) -> dict[str, Any]:
    """A question as it is kept and shown: `store.pairing.OpenQuestion` says what is in it."""
    rows = [{"row": row, "title": local.titles.get(row, ""), "looks": looks(mapped, local, row)} for row in one.rows]
    things = [{"thing": thing, "title": remote.titles.get(thing, ""), "note": note(mapped, remote, thing)}
              for thing in one.things]
    about = {"thing": one.of or None, "title": remote.titles.get(one.of, ""), "row": one.holder,
             "alike": [[_alike(mapped, local.rows.get(row), remote.rows.get(thing)) for thing in one.things]
                       for row in one.rows]}
    return {"kind": one.kind, "rows": rows, "things": things, "witness": one.witness,
            "values": [dump(value) for value in one.values], "about": about}


def note(mapped: Mapping, snapshot: Snapshot, key: Key) -> str:
    """What state a thing is in, where its mapping has that: two of one name often differ in it."""
    row = snapshot.rows.get(key)
    if row is None or "status" not in mapped.index:
        return ""
    status = row[mapped.index["status"]]
    return status.lower() if isinstance(status, str) else ""


def name(one: Question) -> str:
    """The same question at the next run has the same name."""
    return hashlib.sha256(repr((one.kind, one.witness, one.rows, sorted(one.things), one.of)).encode()).hexdigest()[:32]


def _alike(mapped: Mapping, row: Sequence[Value] | None, thing: Sequence[Value] | None) -> list[str]:
    """The fields that name things and are the same on both sides: witnesses and the title."""
    if row is None or thing is None:
        return []
    names = dict.fromkeys([*(name for witness in mapped.match for name in witness.split("+")), mapped.resource.title])
    same = []
    for name in names:
        if name in mapped.index:
            one, other = row[mapped.index[name]], thing[mapped.index[name]]
            if one not in (None, UNREAD) and (one == other or _folded(one) == _folded(other)):
                same.append(name)
    return same


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value
