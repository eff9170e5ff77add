"""What waits for a person: conflicts, refused rows, deletions. And what was written: changes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from backend.core.merge import merged_value
from backend.core.model import FieldRule, Rule
from backend.core.values import LISTS, NUMBERS, UNREAD, Unfit, Value, dump, load
from backend.store import apart, runs, standing, waiting
from backend.store import changes as history
from backend.store.waiting import OpenConflict
from backend.web.answers import moment
from backend.web.values import SIDES, Cell, Tables


def conflicts(tx: sa.Connection, known: Tables, after: int, limit: int) -> dict[str, Any]:
    """A page of open conflicts, oldest first; `next` is the `after` of the next page."""
    page = waiting.conflict_page(tx, known.ids, after=after, limit=limit + 1)
    more, page = len(page) > limit, page[:limit]
    look_up(tx, known, page)
    since = runs.looked_before(tx, known.link_id, [one.seen_at for one in page])
    return {
        "conflicts": [{**conflict(known, one), "after": moment(since.get(one.seen_at))} for one in page],
        "total": waits(tx, known, "conflicts"), "apart": apart.count(tx, known.ids),
        "next": page[-1].id if more else None,
    }


def look_up(tx: sa.Connection, known: Tables, page: list[OpenConflict]) -> None:
    """The names and SKUs that `conflict` needs for these."""
    cells: list[Cell] = [(one.mapping_id, one.field, raw) for one in page for raw in (one.base, one.local, one.remote)]
    cells += [(one.mapping_id, edit["field"], edit[when]) for one in page for edit in one.edits
              for when in ("before", "after")]
    known.learn(tx, cells, [(one.mapping_id, one.remote_key) for one in page])


def conflict(known: Tables, one: OpenConflict) -> dict[str, Any]:
    """CONFLICT. `merge` is in it only where both changes can be taken together, `edits` only of a whole row."""
    described = known.described[one.mapping_id].resource.field(one.field) if one.field else None
    told = {
        "id": one.id, **known.head(one.mapping_id), "row": one.local_key, "title": one.title,
        "sku": known.skus.get((one.mapping_id, one.remote_key)), **known.describe(one.mapping_id, one.field),
        "choices": list(described.choices) if described and described.choices else None,
        "base": known.value(one.mapping_id, one.field, one.base) if one.field else None, **sides(known, one),
        "base_known": one.base_known, "whole_row": not one.field,
        "deleted": SIDES[one.deleted] if one.deleted else None, "reason": one.reason,
        "moved": _moved(known, one), "choice": _choice(known, one), "seen_at": moment(one.seen_at),
        "versions": one.versions,
    }
    if not one.field:
        told["edits"] = [{
            **known.describe(one.mapping_id, edit["field"]),
            **{when: known.value(one.mapping_id, edit["field"], edit[when]) for when in ("before", "after")},
        } for edit in one.edits]
    merged = merge(known, one)
    if merged is not UNREAD:
        told["merge"] = known.value(one.mapping_id, one.field, dump(merged))
    return told


def sides(known: Tables, one: OpenConflict) -> dict[str, Any]:
    """What Grist and Shopify hold, as shown: a choice is good for exactly these."""
    if one.field:
        return {"grist": known.value(one.mapping_id, one.field, one.local),
                "shopify": known.value(one.mapping_id, one.field, one.remote)}
    edited = known.edits(one.mapping_id, one.edits)
    return {"grist": None if one.deleted == "local" else edited, "shopify": None if one.deleted == "remote" else edited}


def _moved(known: Tables, one: OpenConflict) -> dict[str, Any] | None:
    """What a dropped choice was made on. Of a whole row only that it moved: its words were not kept."""
    if one.moved is None or not one.field:
        return None if one.moved is None else {}
    return {name: known.value(one.mapping_id, one.field, one.moved[side])
            for name, side in (("grist", "local"), ("shopify", "remote"))}


def merge(known: Tables, one: OpenConflict) -> Value:
    """Both changes together; UNREAD where that makes no sense: two prices, or stock below zero."""
    rule = rule_of(known, one)
    if rule is None or not _mergeable(rule):
        return UNREAD
    local, remote = load(rule.kind, one.local), load(rule.kind, one.remote)
    if isinstance(local, Unfit) or isinstance(remote, Unfit):
        return UNREAD
    # Two lists that never agreed are joined as if both had started empty.
    base = load(rule.kind, one.base) if one.base_known else None if rule.kind in LISTS else UNREAD
    merged = merged_value(rule, base, local, remote)
    if rule.kind in NUMBERS and merged is not UNREAD and merged < 0 <= min(local, remote):  # type: ignore[operator,type-var]
        return UNREAD
    return merged


def rule_of(known: Tables, one: OpenConflict) -> FieldRule | None:
    """The rule of a conflict's field; None for a whole row, and for a field that is not mapped any more."""
    mapping = known.described[one.mapping_id]
    return mapping.rule(one.field) if one.field in mapping.index else None


def _mergeable(rule: FieldRule) -> bool:
    """Differences add up for stock and for lists; for a price, a weight or a counted shelf they mean nothing."""
    return rule.kind in LISTS or (rule.kind in NUMBERS and Rule.MERGE in (rule.on_conflict, rule.field.rule))


def _choice(known: Tables, one: OpenConflict) -> dict[str, Any] | None:
    if one.choice is None:
        return None
    keep = one.choice["keep"]
    if keep in ("grist", "shopify"):
        value = sides(known, one)[keep]
    else:
        value = known.value(one.mapping_id, one.field, one.base if keep == "base" else one.choice.get("value"))
    return {"keep": keep, "value": value, "by": one.choice.get("by", "")}


def waits(tx: sa.Connection, known: Tables, what: str) -> int:
    """How many conflicts, deletions or refusals the active mappings of a link have. `what` is named in `counts`."""
    link_id = known.link_id
    return sum(numbers[what] for mapping_id, numbers in waiting.counts(tx, link_id).items()
               if mapping_id in known.described)


def refused(tx: sa.Connection, known: Tables, limit: int) -> dict[str, Any]:
    """Rows that were left alone: refused ones first, then those that only wait."""
    page = [one for one in waiting.refusals(tx, known.link_id, limit=limit) if one.mapping_id in known.described]
    known.learn(tx, things=[(one.mapping_id, one.key) for one in page if one.side == "remote"])
    return {
        "refused": [{
            "id": one.id, **known.head(one.mapping_id), "row": _row(known, one), "title": one.title,
            "side": SIDES[one.side], "field_label": known.describe(one.mapping_id, one.field)["field_label"],
            "message": one.message, "cure": one.cure, "tries": one.tries, "at": moment(one.seen_at),
            "waits": one.waits,
        } for one in page],
        "total": waiting.count_refusals(tx, known.link_id),
    }


def deletions(tx: sa.Connection, known: Tables, limit: int) -> dict[str, Any]:
    """What is gone on one side and would be deleted on the other, `in`, if somebody says so. `may_put_back`: what is
    gone could be made again out of what is left."""
    page = [one for one in waiting.deletions(tx, known.link_id, limit=limit) if one.mapping_id in known.described]
    things = [(one.mapping_id, one.partner if one.side == "local" else one.key) for one in page]
    known.learn(tx, things=things)
    return {
        "deletions": [{
            "id": one.id, **known.head(one.mapping_id), "row": int(one.key) if one.side == "local" else None,
            "title": one.title, "sku": known.skus.get(thing), "in": SIDES[one.side], "seen_at": moment(one.seen_at),
            "may_put_back": one.side == "remote" or known.described[one.mapping_id].resource.creatable,
        } for one, thing in zip(page, things, strict=True)],
        "total": waits(tx, known, "deletions"),
    }


def kept_apart(tx: sa.Connection, known: Tables, limit: int) -> dict[str, Any]:
    """Cells, and rows whose other half is gone, that take no part in the sync; with what both sides held when they were
    taken out of it."""
    page = apart.page(tx, known.ids, limit=limit)
    known.learn(tx, [(one.mapping_id, one.field, raw) for one in page for raw in (one.local, one.remote)],
                [(one.mapping_id, one.remote_key) for one in page])
    return {
        "apart": [{
            "id": one.id, **known.head(one.mapping_id), "row": _row_of(known, one),
            "title": one.title, "sku": known.skus.get((one.mapping_id, one.remote_key)),
            **known.describe(one.mapping_id, one.field), "whole_row": not one.field,
            "grist": known.value(one.mapping_id, one.field, one.local) if one.field else None,
            "shopify": known.value(one.mapping_id, one.field, one.remote) if one.field else None,
            "deleted": SIDES[one.gone] if one.gone else None, "by": one.by, "at": moment(one.at),
        } for one in page],
        "total": apart.count(tx, known.ids),
    }


def changes(tx: sa.Connection, known: Tables, before: int | None, limit: int, of: tuple[int, int] | None = None
            ) -> dict[str, Any]:
    """What was written, the newest first; with `of` to that row (mapping id, row). Changes of a table that is not
    mapped any more are not told."""
    only = standing.history(tx, *of) if of is not None else None
    page = history.page(tx, known.link_id, before=before, limit=limit + 1, only=only)
    more, page = len(page) > limit, page[:limit]
    shown = [one for one in page if one.mapping_id in known.described]
    known.learn(tx, [(one.mapping_id, one.field, raw) for one in shown for raw in (one.before, one.after)])
    return {
        "changes": [{
            "id": one.id, "run": one.run_id, "at": moment(one.at), "by": one.started_by,
            **known.head(one.mapping_id), "row": one.local_key, "title": one.title,
            **known.describe(one.mapping_id, one.field), "to": SIDES[one.side], "kind": one.kind,
            "before": known.value(one.mapping_id, one.field, one.before),
            "after": known.value(one.mapping_id, one.field, one.after), "why": one.why,
            # While the run that takes it back goes on, it has no time yet.
            "undone": {"at": moment(one.undone_at), "by": one.undone_by} if one.undone_run is not None else None,
        } for one in shown],
        "next": page[-1].id if more else None,
    }


def _row_of(known: Tables, one: Any) -> int | None:
    row = known.rows.get((one.mapping_id, one.remote_key), -1)
    return None if row < 0 or one.gone == "local" else row


def _row(known: Tables, one: Any) -> int | None:
    if one.side == "remote":
        return known.rows.get((one.mapping_id, one.key))
    return int(one.key) if one.key.isdigit() else None
