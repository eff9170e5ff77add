"""Read the answer to a request as receipts, one for each op. Nothing in here talks to anybody.

    outcome_of(request, answer, …)     → Outcome: a receipt for each op that is settled, the others to be sent again
    receipts_from(request, answer, …)  → the same, where those others are to be planned anew

The values in a receipt are read from the object that the mutation returns, since Shopify rewrites some of what it
is given (facts §12); a stock change returns none, but was written only because the old value stood there.
Errors are given to their rows by the index in their path; where there is none they blame the whole call (facts §2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Create, Delete, Field, Op, Receipt, Refusal, Side
from backend.core.values import UNREAD, Value, canonical
from backend.errors import AccessError, OutcomeUnknown
from backend.shopify.answers import LOOKED_AT, Answer, Problem, denied
from backend.shopify.cures import cure_for
from backend.shopify.documents import dig, steps
from backend.shopify.extras import values_of
from backend.shopify.metafields import raw_of
from backend.shopify.reading import row_maker
from backend.shopify.resource import METAFIELD, shape
from backend.shopify.writes import TAGS, Call, Request, key_of, refusal_key

DIGEST_CODES = {"STALE_OBJECT", "INVALID_COMPARE_DIGEST"}
"""Another value stands there than the one whose digest was sent (facts §7)."""
GONE_CODES = {"PRODUCT_DOES_NOT_EXIST", "PRODUCT_VARIANT_DOES_NOT_EXIST"}


@dataclass
class Outcome:
    receipts: dict[int, Receipt] = field(default_factory=dict)
    """By position in the request's ops."""
    again: list[int] = field(default_factory=list)
    """Nothing happened to these because of another row in their call."""
    wait: bool = False
    """The same key is being worked on at this moment: send exactly this request again, a little later."""
    born: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Products made: the single variant that Shopify gave each, with its option values."""
    nodes: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By position: the thing as the last mutation returned it."""


def outcome_of(request: Request, answer: Answer, decimals: int) -> Outcome:
    """What became of each op. Raises OutcomeUnknown where Shopify does not say, AccessError where all was denied."""
    outcome = Outcome(receipts=dict(request.refused))
    read = _Read(request, answer, decimals)
    _raise_for_all(request, answer)
    for call in request.calls:
        payload = answer.data.get(call.alias, UNREAD)
        if not isinstance(payload, dict):
            read.failed(call, outcome)
        elif call.verb == "inventorySetQuantities":
            read.stock(call, payload, outcome)
        elif call.verb.startswith("metafields"):
            read.metafields(call, payload, outcome)
        elif call.verb.startswith("productVariantsBulk"):
            read.variants(call, payload, outcome)
        else:
            read.one(call, payload, outcome)
    carried = {position for call in request.calls for position in call.ops}
    for position, op in enumerate(request.ops):
        if position not in carried and position not in outcome.receipts:
            # It asked for what stands there already.
            outcome.receipts[position] = Receipt(op, key_of(op), values_of(op))
    return outcome


def receipts_from(request: Request, answer: Answer, decimals: int) -> list[Receipt]:
    """One receipt an op, from this answer alone: an op that nothing happened to is to be planned anew."""
    outcome = outcome_of(request, answer, decimals)
    return [outcome.receipts.get(i) or Receipt(op, key_of(op), stale=True) for i, op in enumerate(request.ops)]


def refusal_of(op: Op, message: str, *, label: str, cure: str = "", name: str = "") -> Refusal:
    """`label` is what Shopify refused, in the words of the table: Price, Handle, Product."""
    return Refusal(Side.REMOTE, refusal_key(op), f"Shopify refused {label}: {message.rstrip('.')}.",
                   cure or cure_for(message), field=name, title=op.title)


class _Read:
    def __init__(self, request: Request, answer: Answer, decimals: int) -> None:
        self._request = request
        self._answer = answer
        self._mapping = request.mapping
        self._decimals = decimals
        self._row = row_maker(request.mapping, decimals)

    def failed(self, call: Call, outcome: Outcome) -> None:
        """The mutation has no payload: a top-level error stands in its place, and it did nothing (facts §2). An error
        from within the payload says nothing of the kind: it was written, and only what it shows climbed to null."""
        problem = self._answer.problem_at(call.alias)
        if problem is None or problem.is_outage:
            raise OutcomeUnknown("Shopify failed while it took a change, which may have happened.", cure=LOOKED_AT)
        if problem.is_within:
            raise _unsaid()
        for position in call.ops:
            op = self._request.ops[position]
            if problem.is_denial:
                error = denied(problem, self._mapping.resource.label)
                refusal = Refusal(Side.REMOTE, refusal_key(op), error.message, error.cure, title=op.title)
            else:
                refusal = refusal_of(op, problem.message, label=self._mapping.resource.label)
            self._refuse(position, refusal, outcome)

    def one(self, call: Call, payload: dict[str, Any], outcome: Outcome) -> None:
        position = call.ops[0]
        op = self._request.ops[position]
        errors = payload.get("userErrors") or []
        resource = shape(self._mapping)
        if any(_is_gone(error, resource.type) for error in errors) and not isinstance(op, Create):
            # Gone is what a deletion wanted; anything else is to be planned anew without it.
            outcome.receipts[position] = Receipt(op, key_of(op), stale=not isinstance(op, Delete))
        elif errors:
            self._refuse(position, self._refusal(op, errors, call), outcome)
        elif isinstance(op, Delete):
            if resource.remove is None or payload.get(resource.remove.returns) != op.key:
                raise _unsaid()
            outcome.receipts[position] = Receipt(op, op.key)
        else:
            verb = resource.make if isinstance(op, Create) else resource.update
            if call.returns:
                node = dig(payload, call.returns)
            else:
                node = payload.get("node") if call.verb.startswith("tags") or verb is None else payload.get(
                    verb.returns)
            if not isinstance(node, dict) or not node.get("id"):
                raise _unsaid()
            if call.wraps:
                node = {"id": op.key if not isinstance(op, Create) else "", call.wraps: node}
            if isinstance(op, Create) and resource.make and resource.make.also:
                variants = (node.get("variants") or {}).get("nodes") or []
                if len(variants) == 1:
                    outcome.born[node["id"]] = variants[0]
            self._done(position, node, outcome)

    def variants(self, call: Call, payload: dict[str, Any], outcome: Outcome) -> None:
        by_place, whole = _sort_errors(payload, "variantsIds" if call.verb.endswith("Delete") else "variants", call)
        if whole:
            for position in call.ops:
                self._blame(position, whole, call, outcome)
            return
        for place, errors in by_place.items():
            self._blame(call.ops[place], errors, call, outcome)
        clean = [position for place, position in enumerate(call.ops) if place not in by_place]
        if call.verb.endswith("Delete"):
            for position in clean:
                if by_place:
                    outcome.again.append(position)
                else:
                    outcome.receipts[position] = Receipt(self._request.ops[position],
                                                         key_of(self._request.ops[position]))
            return
        nodes = [node for node in payload.get("productVariants") or [] if isinstance(node, dict) and node.get("id")]
        if call.verb.endswith("Create"):
            self._created(clean, nodes, bool(by_place), outcome)
        else:
            self._updated(clean, nodes, outcome)

    def _updated(self, clean: list[int], nodes: list[dict[str, Any]], outcome: Outcome) -> None:
        by_id = {node["id"]: node for node in nodes}
        for position in clean:
            op = self._request.ops[position]
            # A new row that took the single variant of a new product is alone in its call.
            node = by_id.get(key_of(op)) if not isinstance(op, Create) else next(iter(nodes), None)
            if node is None:
                outcome.again.append(position)
            else:
                self._done(position, node, outcome)

    def _created(self, clean: list[int], nodes: list[dict[str, Any]], refused: bool, outcome: Outcome) -> None:
        if len(nodes) == len(clean):
            for position, node in zip(clean, nodes, strict=True):
                self._done(position, node, outcome)
        elif refused and not nodes:
            outcome.again += clean  # one bad row, and none is made
        elif clean:
            raise _unsaid()

    def metafields(self, call: Call, payload: dict[str, Any], outcome: Outcome) -> None:
        """All or nothing: an error of one row leaves the others of the call to be sent again."""
        by_place, whole = _sort_errors(payload, "metafields", call)
        if whole and len(set(call.ops)) > 1:
            # Without a row's number nobody knows which: `again` halves them until it stands alone.
            outcome.again += dict.fromkeys(call.ops)
            return
        blamed = {call.ops[place]: errors for place, errors in by_place.items()} or dict.fromkeys(call.ops, whole)
        owners = {} if by_place or whole or call.verb == "metafieldsDelete" else self._owners(call, payload)
        for position in dict.fromkeys(call.ops):
            op = self._request.ops[position]
            errors = blamed.get(position) or []
            if any(error.get("code") in DIGEST_CODES for error in errors):
                outcome.receipts[position] = Receipt(op, key_of(op), stale=True)
            elif errors:
                self._blame(position, errors, call, outcome)
            elif by_place or whole:
                outcome.again.append(position)
            elif call.verb == "metafieldsDelete":
                # Its answer shows no values: what is deleted is empty now.
                emptied = {name: value for name, value in values_of(op).items()
                           if name.startswith(METAFIELD) and value is None}
                earlier = outcome.receipts.get(position)
                outcome.receipts[position] = Receipt(op, key_of(op), {**(earlier.stored if earlier else {}), **emptied})
            else:
                self._done(position, owners[position], outcome)

    def _owners(self, call: Call, payload: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """By position: the thing with its metafields as they are stored, of a call that wrote them all. Shopify shows
        them in the order in which they were sent [facts §7]. Should one hold what another one was given, that order is
        no order, and nothing is taken from it."""
        sent = self._request.variables[f"f{call.alias.removeprefix('m')}"]
        shown = payload.get("metafields") or []
        if len(shown) != len(sent):
            raise _unsaid()
        owners: dict[int, dict[str, Any]] = {}
        for position, row, found in zip(call.ops, sent, shown, strict=True):
            name = f"{METAFIELD}{row['namespace']}.{row['key']}"
            node = owners.setdefault(position, {"id": key_of(self._request.ops[position])})
            if self._is_of_another(name, row, found, sent):
                continue
            (alias,) = steps(self._mapping.rule(name).field.path)
            node[str(alias)] = found
        return owners

    def _is_of_another(self, name: str, row: dict[str, Any], found: Any, sent: list[dict[str, Any]]) -> bool:
        """Whether what is shown in the place of one metafield holds another's value."""
        if not isinstance(found, dict) or found.get("key") != row["key"]:
            return True
        kind = self._mapping.rule(name).kind

        def meant(text: str) -> Value:
            return canonical(kind, raw_of({"value": text, "type": found["type"]}), decimals=self._decimals)

        now = meant(found["value"])
        return now != meant(row["value"]) and any(
            now == meant(other["value"]) for other in sent if other["key"] == row["key"])

    def stock(self, call: Call, payload: dict[str, Any], outcome: Outcome) -> None:
        codes = {str(error.get("code")) for error in payload.get("userErrors") or []}
        if "IDEMPOTENCY_CONCURRENT_REQUEST" in codes:
            outcome.wait = True
            return
        if "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" in codes:
            outcome.again += call.ops
            return
        if "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" in codes:
            raise OutcomeUnknown("Shopify knows this stock change by its key, but with other figures.", cure=LOOKED_AT)
        by_place, whole = _sort_errors(payload, "quantities", call)
        for place, position in enumerate(call.ops):
            op = self._request.ops[position]
            errors = whole or by_place.get(place)
            if errors and any(error.get("code") == "CHANGE_FROM_QUANTITY_STALE" for error in errors):
                # Without a row's number nobody knows which: each is looked at again.
                if whole:
                    outcome.again.append(position)
                else:
                    outcome.receipts[position] = Receipt(op, key_of(op), stale=True)
            elif errors:
                self._blame(position, errors, call, outcome)
            elif by_place:
                outcome.again.append(position)
            else:
                outcome.receipts[position] = Receipt(op, key_of(op), stored=values_of(op))

    def _done(self, position: int, node: dict[str, Any], outcome: Outcome) -> None:
        op = self._request.ops[position]
        stored = self._mapping.values(self._row(node))
        outcome.nodes[position] = node
        earlier = outcome.receipts.get(position)
        if earlier is not None and not earlier.done:
            # Another call of the same op was refused: what this one stored is told along with that.
            stored = {**earlier.stored, **stored}
            outcome.receipts[position] = Receipt(op, earlier.key, stored, earlier.refusal, earlier.stale)
        else:
            # What one mutation shows of a part only is kept beside what another shows of the whole.
            outcome.receipts[position] = Receipt(op, node["id"], {**(earlier.stored if earlier else {}), **stored})

    def _blame(self, position: int, errors: list[dict[str, Any]], call: Call, outcome: Outcome) -> None:
        op = self._request.ops[position]
        if any(_is_gone(error, shape(self._mapping).type) for error in errors) and not isinstance(op, Create):
            outcome.receipts[position] = Receipt(op, key_of(op), stale=True)
        else:
            self._refuse(position, self._refusal(op, errors, call), outcome)

    def _refuse(self, position: int, refusal: Refusal, outcome: Outcome) -> None:
        op, earlier = self._request.ops[position], outcome.receipts.get(position)
        outcome.receipts[position] = Receipt(op, key_of(op), earlier.stored if earlier else {}, refusal)

    def _refusal(self, op: Op, errors: list[dict[str, Any]], call: Call) -> Refusal:
        message = "; ".join(dict.fromkeys(str(error.get("message")).rstrip(".") for error in errors))
        about = self._field_of(op, errors[0], call)
        return refusal_of(op, message, label=about.label if about else self._mapping.resource.label,
                          name=about.name if about else "")

    def _field_of(self, op: Op, error: dict[str, Any], call: Call) -> Field | None:
        """The field that an error's path ends in: `variants.1.inventoryItem.cost` is the cost."""
        if call.verb.startswith("tags"):
            return self._mapping.rule(TAGS).field
        if call.fields:
            return next((self._mapping.rule(name).field for name in call.fields if self._mapping.rule(
                name).field.write.split(".")[-1] in (error.get("field") or [])), self._mapping.rule(
                    call.fields[0]).field)
        path = [str(step) for step in error.get("field") or []]
        if call.verb.startswith("metafields"):
            changed = [name for name in values_of(op) if name.startswith(METAFIELD)]
            return self._mapping.rule(changed[0]).field if len(changed) == 1 else None
        written = [self._mapping.rule(name).field for name in values_of(op)]
        if path and path[-1] == "customProductType":  # what Shopify calls the product type here
            path = ["productType"]
        for about in written:
            if path and (about.write.split(".")[-1] == path[-1] or about.on_create == path[-1]):
                return about
        if call.verb == "inventorySetQuantities":
            return next(iter(written), None)
        return None


def _sort_errors(
    payload: dict[str, Any], argument: str, call: Call
) -> tuple[dict[int, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Errors by place in the call's list, and those that blame the whole call."""
    by_place: dict[int, list[dict[str, Any]]] = {}
    whole: list[dict[str, Any]] = []
    for error in payload.get("userErrors") or []:
        path = [str(step) for step in error.get("field") or []]
        at = path.index(argument) + 1 if argument in path else len(path)
        if at < len(path) and path[at].isdigit() and int(path[at]) < len(call.ops):
            by_place.setdefault(int(path[at]), []).append(error)
        else:
            whole.append(error)
    return by_place, whole


def _is_gone(error: dict[str, Any], type_name: str) -> bool:
    """Whether the thing itself is not there: `Order does not exist`, `Customer can't be found`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ?", type_name)
    return error.get("code") in GONE_CODES or (error.get("field") or ["id"])[-1] == "ownerId" or bool(
        re.fullmatch(rf"{words} (does not exist|can't be found)\.?", str(error.get("message")), re.IGNORECASE))


def _raise_for_all(request: Request, answer: Answer) -> None:
    """Where every call was denied, a right is missing and not one row is wrong."""
    if not request.calls:
        return
    problems: list[Problem] = []
    for call in request.calls:
        problem = answer.problem_at(call.alias)
        if problem is None or not problem.is_denial or problem.is_within or isinstance(
                answer.data.get(call.alias), dict):
            return
        problems.append(problem)
    error: AccessError = denied(problems[0], f"writing {request.mapping.resource.label}")
    raise error


def _unsaid() -> OutcomeUnknown:
    return OutcomeUnknown("Shopify took a change but did not show what it stored.", cure=LOOKED_AT)
