"""Turn ops into one request, and its answer into receipts. Nothing in here talks to anybody.

    request_for(mapping, ops, …)    → Request: document, variables, idempotency key, and which call carries which op
    outcome_of(request, answer, …)  → Outcome: a receipt for each op that is settled, the others to be sent again

    products    productUpdate with the changed fields only, tagsAdd and tagsRemove of the difference; several
                products a document, each mutation with an alias of its own (facts §5)
    variants    productVariantsBulkUpdate / Create / Delete, one call a product, several products a document
    inventory   inventorySetQuantities: only over the value we saw (changeFromQuantity), once (@idempotent) (facts §6)

The values in a receipt are read from the object that the mutation returns, since Shopify rewrites some of what it
is given (facts §12); a stock change returns none, but was written only because the old value stood there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from backend.core.model import Create, Delete, Field, Mapping, Op, Receipt, Refusal, Side, Update
from backend.core.values import UNREAD, LocalRef, Unfit, Value
from backend.errors import AccessError, OutcomeUnknown
from backend.shopify.answers import LOOKED_AT, Answer, Problem, denied
from backend.shopify.cures import cure_for
from backend.shopify.documents import fragment
from backend.shopify.known import Known
from backend.shopify.reading import row_maker

STOCK = {"available": "available", "onHand": "on_hand"}
"""Shopify's names of the quantities that can be set, by field."""

GONE_CODES = {"PRODUCT_DOES_NOT_EXIST", "PRODUCT_VARIANT_DOES_NOT_EXIST"}
NEVER_EMPTY = {"status": "", "inventoryPolicy": "", "price": "", "title": "", "weightUnit": "",
               "weight": " Type 0 for none.", "available": " Type 0 for none.", "onHand": " Type 0 for none."}
"""Fields that Shopify keeps no emptiness for, each with a hint."""

LARGEST: dict[str, int] = {"integer": 2**31, "decimal": 10**12, "money": 10**18}
"""From here on Shopify cannot even read a number, and would refuse its whole request."""

_TAGS = "tags"
_VARIANT_ERRORS = "userErrors { field message code }"
_PLAIN_ERRORS = "userErrors { field message }"


@dataclass(frozen=True, slots=True)
class Call:
    """One mutation of a request. `ops` are positions in the request's ops, in the order of the call's list."""

    alias: str
    verb: str
    ops: tuple[int, ...]


@dataclass(frozen=True)
class Request:
    """One request, complete: the same document, variables and key again mean the same write."""

    mapping: Mapping
    ops: tuple[Op, ...]
    document: str
    variables: dict[str, Any]
    calls: tuple[Call, ...]
    key: str = ""
    """The idempotency key, where the mutation takes one."""
    refused: dict[int, Receipt] = field(default_factory=dict)
    """What cannot be sent at all, by position."""


@dataclass
class Outcome:
    receipts: dict[int, Receipt] = field(default_factory=dict)
    """By position in the request's ops."""
    again: list[int] = field(default_factory=list)
    """Nothing happened to these because of another row in their call."""
    wait: bool = False
    """The same key is being worked on at this moment: send exactly this request again, a little later."""
    born: dict[str, str] = field(default_factory=dict)
    """Products made: the single variant that Shopify gave each."""


def request_for(mapping: Mapping, ops: Sequence[Op], known: Known, *, key: str, run: str, weight_unit: str) -> Request:
    """The request that carries these ops. Its document is a pure function of the mapping and of what is changed.

    `known` tells where variants and levels belong, `run` names the run in Shopify's stock history, `weight_unit` is
    the shop's. Stock ops must all set the same quantity. Raises TypeError for values that must never come this far.
    """
    build = _Build(mapping, known, weight_unit)
    refused: dict[int, Receipt] = {}
    good: list[int] = []
    for position, op in enumerate(ops):
        _assert_sendable(op)
        refusal = build.refusal(op)
        if refusal is not None:
            refused[position] = Receipt(op, refusal=refusal)
        else:
            good.append(position)
    if mapping.name == "products":
        for position in good:
            build.product(position, ops[position])
    elif mapping.name == "variants":
        build.variants(good, ops, refused)
    elif mapping.name == "inventory" and good:
        build.stock(good, ops, run, key)
    elif good:
        raise TypeError(f"{mapping.resource.label} are never written.")
    return Request(mapping, tuple(ops), build.document(), build.values, tuple(build.calls),
                   key if mapping.name == "inventory" else "", refused)


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
        elif call.verb.startswith("productVariantsBulk"):
            read.variants(call, payload, outcome)
        else:
            read.product(call, payload, outcome)
    carried = {position for call in request.calls for position in call.ops}
    for position, op in enumerate(request.ops):
        if position not in carried and position not in outcome.receipts:
            outcome.receipts[position] = Receipt(op, _key(op), _values(op))  # it asked for what stands there already
    return outcome


def receipts_from(request: Request, answer: Answer, decimals: int) -> list[Receipt]:
    """One receipt an op, from this answer alone: an op that nothing happened to is to be planned anew."""
    outcome = outcome_of(request, answer, decimals)
    return [outcome.receipts.get(i) or Receipt(op, _key(op), stale=True) for i, op in enumerate(request.ops)]


def refusal_of(op: Op, message: str, *, label: str, cure: str = "", name: str = "") -> Refusal:
    """`label` is what Shopify refused, in the words of the table: Price, Handle, Product."""
    return Refusal(Side.REMOTE, _refusal_key(op), f"Shopify refused {label}: {message.rstrip('.')}.",
                   cure or cure_for(message), field=name, title=op.title)


# --- from ops to a document ---------------------------------------------------------------------


class _Build:
    """Collects variables and mutations of one document."""

    def __init__(self, mapping: Mapping, known: Known, weight_unit: str) -> None:
        self.values: dict[str, Any] = {}
        self.calls: list[Call] = []
        self._mapping = mapping
        self._known = known
        self._weight_unit = weight_unit
        self._types: list[str] = []
        self._lines: list[str] = []

    def document(self) -> str:
        if not self._lines:
            return ""
        stored = f"\n{fragment(self._mapping)}" if any("...Stored" in line for line in self._lines) else ""
        return (f"mutation Write_{self._mapping.name}({', '.join(self._types)}) {{\n  "
                + "\n  ".join(self._lines) + f"\n}}{stored}")

    def refusal(self, op: Op) -> Refusal | None:
        """Why this op cannot be sent, where that is known beforehand: one bad value would stop its whole request."""
        if isinstance(op, Delete):
            if self._mapping.resource.deletable:
                return None
            return self._refuse(op, "", f"{self._mapping.resource.label} cannot be deleted from here",
                                "Remove it in Shopify's admin.")
        if isinstance(op, Create) and not self._mapping.resource.creatable:
            return self._refuse(op, "", f"{self._mapping.resource.label} cannot be created from here",
                                "Shopify makes a row for each variant and location: activate the variant at the "
                                "location in Shopify's admin, and the row appears here."
                                if self._mapping.name == "inventory" else "Make it in Shopify's admin.")
        values = op.values if isinstance(op, Create | Update) else {}
        for name, value in values.items():
            rule = self._mapping.rule(name)
            refusal = self._bad_value(op, rule.field, value)
            if refusal:
                return refusal
        if self._mapping.name == "inventory":
            return self._bad_level(op, values)
        return None

    def _bad_value(self, op: Op, about: Field, value: Value) -> Refusal | None:
        creates = isinstance(op, Create)
        if value is None:
            if not (about.required if creates else about.name in NEVER_EMPTY):
                return None
            return self._refuse(op, about.name, f"{about.label} cannot be empty in Shopify",
                                f"Fill in the cell.{NEVER_EMPTY.get(about.name, '')}")
        if isinstance(value, int | Decimal) and abs(value) >= LARGEST.get(about.kind, LARGEST["money"]):
            return self._refuse(op, about.name, f"{about.label} is larger than Shopify can keep",
                                "Type a smaller number.")
        if about.choices and value not in about.choices:
            return self._refuse(op, about.name, f"{value!r} is not one of {', '.join(about.choices)}",
                                "Type one of these.")
        if about.name == "countryCodeOfOrigin" and not (isinstance(value, str) and len(value) == 2 and value.isalpha()):
            return self._refuse(op, about.name, f"{value!r} is not a country's two letters",
                                "Type the two letters of the country, like DE.")
        return None

    def _bad_level(self, op: Op, values: Any) -> Refusal | None:
        level = self._known.levels.get(str(_key(op)))
        if len(values) > 1:
            return self._refuse(op, "", "available and on hand move together in Shopify, and both were changed",
                                "Map one of the two for writing, and let the other only come from Shopify.")
        if level is None:
            return self._refuse(op, "", "this stock level is no longer there",
                                "The next sync shows it as deleted.")
        if not level.active:
            return self._refuse(op, next(iter(values), ""), "the item is not stocked at this location",
                                "Stock the variant at the location in Shopify's admin, then sync again.")
        return None

    def _refuse(self, op: Op, name: str, message: str, cure: str) -> Refusal:
        return Refusal(Side.REMOTE, _refusal_key(op), f"{message[:1].upper()}{message[1:]}.", cure, field=name,
                       title=op.title)

    # products

    def product(self, position: int, op: Op) -> None:
        n = len(self._lines)
        if isinstance(op, Delete):
            self._var(f"p{n}", "ProductDeleteInput!", {"id": op.key})
            self._line("productDelete", [position], f"input: $p{n}", f"deletedProductId {_PLAIN_ERRORS}")
        elif isinstance(op, Create):
            given: dict[str, Value] = {name: value for name, value in op.values.items() if value is not None}
            # A half-filled row must not appear in the shop; the owner publishes by setting the status.
            data = {"status": "DRAFT", **self._input(given)}
            if given.get(_TAGS):
                data["tags"] = sorted(_tokens(given[_TAGS]))
            self._var(f"p{n}", "ProductCreateInput!", data)
            self._line("productCreate", [position], f"product: $p{n}",
                       f"product {{ ...Stored variants(first: 1) {{ nodes {{ id }} }} }} {_PLAIN_ERRORS}")
        elif isinstance(op, Update):
            data = self._input({name: value for name, value in op.values.items() if name != _TAGS})
            if data:
                self._var(f"p{n}", "ProductUpdateInput!", {"id": op.key, **data})
                self._line("productUpdate", [position], f"product: $p{n}", f"product {{ ...Stored }} {_PLAIN_ERRORS}")
            if _TAGS in op.values:
                before, after = _tokens(op.before[_TAGS]), _tokens(op.values[_TAGS])
                # Removed first: Shopify takes red for Red, and would drop the new spelling as a double.
                self._tags(position, op, "tagsRemove", sorted(before - after))
                self._tags(position, op, "tagsAdd", sorted(after - before))

    def _tags(self, position: int, op: Update, verb: str, tags: list[str]) -> None:
        if not tags:
            return
        n = len(self._lines)
        self._var(f"p{n}", "ID!", op.key)
        self._var(f"t{n}", "[String!]!", tags)
        self._line(verb, [position], f"id: $p{n}, tags: $t{n}", f"node {{ ...Stored }} {_PLAIN_ERRORS}")

    # variants

    def variants(self, good: Sequence[int], ops: Sequence[Op], refused: dict[int, Receipt]) -> None:
        updates: dict[str, list[int]] = {}
        creates: dict[str, list[int]] = {}
        deletes: dict[str, list[int]] = {}
        for position in good:
            op = ops[position]
            if isinstance(op, Create):
                creates.setdefault(str(op.values.get("product")), []).append(position)
                continue
            product = self._known.products.get(str(_key(op)))
            if product is None:  # it was asked for and is not there
                refused[position] = Receipt(op, _key(op), stale=True)
            else:
                (deletes if isinstance(op, Delete) else updates).setdefault(product, []).append(position)
        for product, positions in updates.items():
            self._update_variants(product, positions, ops)
        for product, positions in creates.items():
            self._create_variants(product, positions, ops, refused)
        for product, positions in deletes.items():
            n = len(self._lines)
            self._var(f"p{n}", "ID!", product)
            self._var(f"v{n}", "[ID!]!", [_key(ops[i]) for i in positions])
            self._line("productVariantsBulkDelete", positions, f"productId: $p{n}, variantsIds: $v{n}",
                       _VARIANT_ERRORS)

    def _update_variants(self, product: str, positions: Sequence[int], ops: Sequence[Op]) -> None:
        rows = [{"id": _key(op), **self._variant(op)} for op in (ops[i] for i in positions)]
        self._variant_call("productVariantsBulkUpdate", product, positions, rows, "allowPartialUpdates: true")

    def _create_variants(
        self, product: str, positions: Sequence[int], ops: Sequence[Op], refused: dict[int, Receipt]
    ) -> None:
        options = self._known.options.get(product)
        rows: list[dict[str, Any]] = []
        taken: list[int] = []
        for position in positions:
            op = ops[position]
            if options is None:
                refused[position] = Receipt(op, refusal=self._refuse(
                    op, "product", "its product is no longer in Shopify", "Choose another product for this row."))
                continue
            chosen = self._option_values(op)
            if not any(chosen) and product in self._known.born and len(positions) == 1:
                # The product is new, and Shopify gave it its single variant: this row is that one.
                self._variant_call("productVariantsBulkUpdate", product, [position],
                                   [{"id": self._known.born[product], **self._variant(op)}],
                                   "allowPartialUpdates: true")
                return
            problem = _option_problem(options, chosen)
            if problem:
                refused[position] = Receipt(op, refusal=self._refuse(op, problem[0], problem[1], problem[2]))
                continue
            taken.append(position)
            rows.append({**self._variant(op), "optionValues": [
                {"optionName": name, "name": value} for name, value in zip(options, chosen, strict=False)]})
        if taken:
            # DEFAULT removes the single variant "Default Title" that a new product comes with. Of a product that
            # was there before, that variant has stock and orders: nobody asked to delete it.
            strategy = "DEFAULT" if product in self._known.born else "PRESERVE_STANDALONE_VARIANT"
            self._variant_call("productVariantsBulkCreate", product, taken, rows, f"strategy: {strategy}")

    def _variant_call(
        self, verb: str, product: str, positions: Sequence[int], rows: list[dict[str, Any]], more: str
    ) -> None:
        n = len(self._lines)
        self._var(f"p{n}", "ID!", product)
        self._var(f"v{n}", "[ProductVariantsBulkInput!]!", rows)
        self._line(verb, positions, f"productId: $p{n}, variants: $v{n}, {more}",
                   f"productVariants {{ ...Stored }} {_VARIANT_ERRORS}")

    def _variant(self, op: Op) -> dict[str, Any]:
        given = dict(op.values) if isinstance(op, Create | Update) else {}
        if isinstance(op, Create):
            given = {name: value for name, value in given.items() if value is not None}
        data = self._input(given)
        if "weight" in given or "weightUnit" in given:
            weight = data["inventoryItem"]["measurement"]["weight"]
            value, unit = self._known.weights.get(str(_key(op)), (0.0, self._weight_unit))
            weight.setdefault("value", value)
            weight.setdefault("unit", unit)
        return data

    def _option_values(self, op: Op) -> list[str]:
        """The option values of a new variant, in order, "" where a cell is empty."""
        values = op.values if isinstance(op, Create) else {}
        by_place = {rule.field.on_create: values.get(rule.name) for rule in self._mapping.fields}
        return [str(by_place.get(f"optionValues.{place}") or "") for place in range(3)]

    # stock

    def stock(self, good: Sequence[int], ops: Sequence[Op], run: str, key: str) -> None:
        names = {name for i in good for name in _values(ops[i])}
        if len(names) != 1 or not names <= STOCK.keys():
            raise TypeError(f"One call sets one quantity, not {sorted(names)}.")
        name = names.pop()
        rows = []
        for position in good:
            op = ops[position]
            if not isinstance(op, Update):
                raise TypeError(f"Stock is only ever updated, not {op!r}.")
            level = self._known.levels[str(op.key)]
            # Never null, which would write over whatever stands there. A level without a quantity holds none: 0.
            rows.append({"inventoryItemId": level.item, "locationId": level.location, "quantity": op.values[name],
                         "changeFromQuantity": op.before[name] if op.before[name] is not None else 0})
        self._var("input", "InventorySetQuantitiesInput!", {
            "name": STOCK[name], "reason": "correction", "referenceDocumentUri": f"gid://shopify-grist-sync/Run/{run}",
            "quantities": rows})
        self._var("key", "String!", key)
        alias = f"m{len(self._lines)}"
        self.calls.append(Call(alias, "inventorySetQuantities", tuple(good)))
        self._lines.append(f"{alias}: inventorySetQuantities(input: $input) @idempotent(key: $key) "
                           f"{{ inventoryAdjustmentGroup {{ id }} {_VARIANT_ERRORS} }}")

    # what they share

    def _input(self, values: dict[str, Value]) -> dict[str, Any]:
        """The input object of these fields: `inventoryItem.cost` is a `cost` inside an `inventoryItem`."""
        data: dict[str, Any] = {}
        for name, value in values.items():
            about = self._mapping.rule(name).field
            if not about.write or name == _TAGS:
                continue
            *outer, last = about.write.split(".")
            place = data
            for step in outer:
                place = place.setdefault(step, {})
            place[last] = _as_input(about, value)
        return data

    def _var(self, name: str, type_name: str, value: Any) -> None:
        self._types.append(f"${name}: {type_name}")
        self.values[name] = value

    def _line(self, verb: str, positions: Sequence[int], arguments: str, selected: str) -> None:
        alias = f"m{len(self._lines)}"
        self.calls.append(Call(alias, verb, tuple(positions)))
        self._lines.append(f"{alias}: {verb}({arguments}) {{ {selected} }}")


def _as_input(about: Field, value: Value) -> Any:
    """A canonical value as Shopify's input takes it. Text is cleared by "", everything else by null."""
    if value is None:
        return "" if about.kind in ("text", "html") and not about.name.endswith("CodeOfOrigin") else None
    if isinstance(value, Decimal):
        return format(value, "f") if about.kind == "money" else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if about.name.endswith("CodeOfOrigin"):
        return str(value).upper()
    return list(value) if isinstance(value, tuple) else value


def _option_problem(options: Sequence[str], chosen: Sequence[str]) -> tuple[str, str, str] | None:
    """(field, message, cure) where the option values do not fit the product's options."""
    if tuple(options) == ("Title",) and not any(chosen):
        return "option1", "the product has its single variant already", \
            "Use the row of that variant, or fill in an option value to make another one."
    for place, value in enumerate(chosen):
        name = f"option{place + 1}"
        if place < len(options) and not value:
            return name, f"the product has the option {options[place]!r}, and no value is given for it", \
                f"Fill in a value for {options[place]!r}."
        if place >= len(options) and value:
            return name, f"the product has only {len(options)} option(s): {', '.join(options)}", \
                "Empty the cell, or add the option to the product in Shopify first."
    return None


def _assert_sendable(op: Op) -> None:
    for name, value in _values(op).items():
        if value is UNREAD or isinstance(value, Unfit | LocalRef):
            raise TypeError(f"{value!r} of {name} must never be written.")
    if isinstance(op, Update) and _TAGS in op.values and op.before[_TAGS] is UNREAD:
        raise TypeError("Tags are written as a difference, so they must have been read.")


def _values(op: Op) -> dict[str, Value]:
    return dict(op.values) if isinstance(op, Create | Update) else {}


def _tokens(value: Value) -> set[str]:
    return set(value) if isinstance(value, tuple) else set()


def _key(op: Op) -> Any:
    return None if isinstance(op, Create) else op.key


def _refusal_key(op: Op) -> Any:
    """A refused create has no key here: its row on the other side is what a person sees."""
    return op.source if isinstance(op, Create) else op.key


# --- from an answer to receipts -----------------------------------------------------------------


class _Read:
    def __init__(self, request: Request, answer: Answer, decimals: int) -> None:
        self._request = request
        self._answer = answer
        self._mapping = request.mapping
        self._row = row_maker(request.mapping, decimals)

    def failed(self, call: Call, outcome: Outcome) -> None:
        """The mutation has no payload: a top-level error stands in its place, and it did nothing (facts §2)."""
        problem = self._answer.problem_at(call.alias)
        if problem is None or problem.is_outage:
            raise OutcomeUnknown("Shopify failed while it took a change, which may have happened.", cure=LOOKED_AT)
        for position in call.ops:
            op = self._request.ops[position]
            if problem.is_denial:
                error = denied(problem, self._mapping.resource.label)
                refusal = Refusal(Side.REMOTE, _refusal_key(op), error.message, error.cure, title=op.title)
            else:
                refusal = refusal_of(op, problem.message, label=self._mapping.resource.label)
            self._refuse(position, refusal, outcome)

    def product(self, call: Call, payload: dict[str, Any], outcome: Outcome) -> None:
        position = call.ops[0]
        op = self._request.ops[position]
        errors = payload.get("userErrors") or []
        if any(_is_gone(error) for error in errors):
            # Gone is what a deletion wanted; anything else is to be planned anew without it.
            outcome.receipts[position] = Receipt(op, _key(op), stale=not isinstance(op, Delete))
        elif errors:
            self._refuse(position, self._refusal(op, errors, call), outcome)
        elif isinstance(op, Delete):
            if payload.get("deletedProductId") != op.key:
                raise _unsaid()
            outcome.receipts[position] = Receipt(op, op.key)
        else:
            node = payload.get("product", payload.get("node"))
            if not isinstance(node, dict) or not node.get("id"):
                raise _unsaid()
            if call.verb == "productCreate":
                variants = (node.get("variants") or {}).get("nodes") or []
                if len(variants) == 1:
                    outcome.born[node["id"]] = variants[0]["id"]
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
                                                         _key(self._request.ops[position]))
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
            node = by_id.get(_key(op)) if not isinstance(op, Create) else next(iter(nodes), None)
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
                    outcome.receipts[position] = Receipt(op, _key(op), stale=True)
            elif errors:
                self._blame(position, errors, call, outcome)
            elif by_place:
                outcome.again.append(position)
            else:
                outcome.receipts[position] = Receipt(op, _key(op), stored=_values(op))

    def _done(self, position: int, node: dict[str, Any], outcome: Outcome) -> None:
        op = self._request.ops[position]
        stored = self._mapping.values(self._row(node))
        earlier = outcome.receipts.get(position)
        if earlier is not None and not earlier.done:
            # Another call of the same op was refused: what this one stored is told along with that.
            outcome.receipts[position] = Receipt(op, earlier.key, stored, earlier.refusal, earlier.stale)
        else:
            outcome.receipts[position] = Receipt(op, node["id"], stored)

    def _blame(self, position: int, errors: list[dict[str, Any]], call: Call, outcome: Outcome) -> None:
        op = self._request.ops[position]
        if any(_is_gone(error) for error in errors) and not isinstance(op, Create):
            outcome.receipts[position] = Receipt(op, _key(op), stale=True)
        else:
            self._refuse(position, self._refusal(op, errors, call), outcome)

    def _refuse(self, position: int, refusal: Refusal, outcome: Outcome) -> None:
        op, earlier = self._request.ops[position], outcome.receipts.get(position)
        outcome.receipts[position] = Receipt(op, _key(op), earlier.stored if earlier else {}, refusal)

    def _refusal(self, op: Op, errors: list[dict[str, Any]], call: Call) -> Refusal:
        message = "; ".join(dict.fromkeys(str(error.get("message")).rstrip(".") for error in errors))
        about = self._field_of(op, errors[0], call)
        return refusal_of(op, message, label=about.label if about else self._mapping.resource.label,
                          name=about.name if about else "")

    def _field_of(self, op: Op, error: dict[str, Any], call: Call) -> Field | None:
        """The field that an error's path ends in: `variants.1.inventoryItem.cost` is the cost."""
        if call.verb.startswith("tags"):
            return self._mapping.rule(_TAGS).field
        path = [str(step) for step in error.get("field") or []]
        written = [self._mapping.rule(name).field for name in _values(op)]
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


def _is_gone(error: dict[str, Any]) -> bool:
    return error.get("code") in GONE_CODES or str(error.get("message")) in {
        "Product does not exist", "Product variant does not exist"}


def _raise_for_all(request: Request, answer: Answer) -> None:
    """Where every call was denied, a right is missing and not one row is wrong."""
    if not request.calls:
        return
    problems: list[Problem] = []
    for call in request.calls:
        problem = answer.problem_at(call.alias)
        if problem is None or not problem.is_denial or isinstance(answer.data.get(call.alias), dict):
            return
        problems.append(problem)
    error: AccessError = denied(problems[0], f"writing {request.mapping.resource.label}")
    raise error


def _unsaid() -> OutcomeUnknown:
    return OutcomeUnknown("Shopify took a change but did not show what it stored.", cure=LOOKED_AT)
