"""Questions about pairs as the widget shows them, and its answers as the next run reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from typing import Any

from backend.core.model import Key, Side
from backend.core.pairing import NEW_ROW
from backend.grist.schema import ID_COLUMN
from backend.store.pairing import Answer, OpenQuestion
from backend.web.answers import moment
from backend.web.errors import Refused
from backend.web.values import Tables, in_words


def told(known: Tables, asked: Iterable[OpenQuestion], apart: Iterable[Answer]) -> dict[str, Any]:
    """{"questions", "apart"}"""
    return {
        "questions": [question(known, one) for one in asked],
        "apart": [{**known.head(one.mapping_id), "row": one.row, "title": one.title, "by": one.by} for one in apart],
    }


def question(known: Tables, one: OpenQuestion) -> dict[str, Any]:
    """One question: its rows and things, what they share, and which column holds the Shopify ID."""
    bound = known.stored[one.mapping_id].binding
    return {
        "id": one.id, **known.head(one.mapping_id), **shown(one.kind, one.rows, one.things, one.witness, one.values,
                                                            one.about, lambda name: label(known, one.mapping_id, name)),
        "id_column": bound.get("id_column", {}).get("colId", ID_COLUMN), "seen_at": moment(one.seen_at),
    }


def label(known: Tables, mapping_id: int, name: str) -> str:
    return str(known.describe(mapping_id, name)["field_label"])


def shown(kind: str, rows: Sequence[Any], things: Sequence[Any], witness: str, values: Sequence[Any],
          about: Dict[str, Any], labelled: Any) -> dict[str, Any]:
    """What every question says, kept or only in a preview. `alike` names, for each row and thing, what both share."""
    return {
        "kind": kind, "rows": list(rows), "things": list(things),
        "witness": [labelled(name) for name in witness.split("+")] if witness else [],
        "value": ", ".join(in_words(value) for value in values),
        "alike": [[[labelled(name) for name in names] for names in row] for row in about.get("alike", [])],
        "of": {"thing": about["thing"], "title": about.get("title", "")} if about.get("thing") else None,
        "holder": about.get("row"),
    }


def in_report(entries: list[dict[str, Any]], resources: Dict[str, Any]) -> list[dict[str, Any]]:
    """A preview's `pairing` with its questions as they are shown."""
    for entry in entries:
        resource = resources.get(entry["resource"])

        def labelled(name: str, resource: Any = resource) -> str:
            field = resource.field(name) if resource else None
            return field.label if field else name

        entry["doubles"] = {**entry["doubles"], "items": [
            {**shown(one["kind"], one["rows"], one["things"], one["witness"], one["values"], one["about"], labelled)}
            for one in entry["doubles"]["items"]]}
        for pair in entry["pairs"]["items"]:
            names = [] if pair["by"] in ("id", "you", "") else pair["by"].split("+")
            pair["labels"] = [labelled(name) for name in names]
    return entries


def answers(open_now: Dict[int, OpenQuestion], said: Sequence[Dict[str, Any]], by: str
            ) -> tuple[list[Answer], list[int]]:
    """What is kept, and the questions that nobody asks any more. A row that an answer leaves out, while it gives the
    thing to another row, is kept apart. Raises Refused (422) for a row or thing that the question does not show."""
    taken: list[Answer] = []
    gone: list[int] = []
    for one in said:
        asked = open_now.get(one["question"])
        if asked is None:
            gone.append(one["question"])
            continue
        rows = {row["row"]: row for row in asked.rows}
        things = {thing["thing"] for thing in asked.things} | {asked.about["thing"]} - {None}
        things |= {NEW_ROW} if asked.kind == "emptied" else set()
        chosen = {int(row): thing for row, thing in one["rows"].items()}
        given = [thing for thing in chosen.values() if thing is not None]
        if not chosen.keys() <= rows.keys() or not set(given) <= things or len(given) != len(set(given)):
            raise Refused(422, "answer", "This answer is about other rows than the question.",
                          "Look at the question again and choose once more.")
        if given or len(chosen) < len(rows):
            chosen = dict.fromkeys(rows, None) | chosen
        taken += [Answer(asked.mapping_id, row, thing, rows[row]["looks"], rows[row]["title"], by)
                  for row, thing in chosen.items()]
    return taken, gone


def rows_again(known: Tables, said: Sequence[Dict[str, Any]]) -> list[tuple[int, int]]:
    ids = {mapping.name: mapping_id for mapping_id, mapping in known.described.items()}
    return [(ids[one["resource"]], one["row"]) for one in said if one["resource"] in ids]


def hints(known: Tables, done: Iterable[OpenQuestion], again: Iterable[tuple[int, int]]
          ) -> dict[Side, list[tuple[str, Key]]]:
    """What the next run has to look at, for it looks only at what changed."""
    found: dict[Side, list[tuple[str, Key]]] = {Side.LOCAL: [], Side.REMOTE: []}
    for one in done:
        name = known.described[one.mapping_id].name
        found[Side.LOCAL] += [(name, row["row"]) for row in one.rows]
        found[Side.REMOTE] += [(name, thing["thing"]) for thing in one.things]
        if one.about["thing"]:
            found[Side.REMOTE].append((name, one.about["thing"]))
    found[Side.LOCAL] += [(known.described[mapping_id].name, row) for mapping_id, row in again]
    return found
