"""Turn ops into one request: document, variables, idempotency key, and which call carries which op.

Nothing in here talks to anybody; `receipts` reads the answer.

    one         productUpdate, orderUpdate … with the changed fields only, tagsAdd and tagsRemove of the difference;
                several things a document, each mutation with an alias of its own (facts §5)
    variants    productVariantsBulkUpdate / Create / Delete, one call a product, several products a document
    stock       inventorySetQuantities: only over the value we saw (changeFromQuantity), once (@idempotent) (facts §6);
                a new row stocks its variant at its location: inventoryActivate, once (@idempotent)
    extras      channels, tracking, members, addresses: see there
    metafields  of any of them: metafieldsSet, only over the value we saw (compareDigest), 25 a call (facts §7)
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from backend.core.model import Create, Delete, Field, Mapping, Op, Receipt, Refusal, Side, Update
from backend.core.values import UNREAD, LocalRef, Unfit, Value, canonical
from backend.shopify import extras
from backend.shopify.documents import fragment
from backend.shopify.extras import Extra, values_of
from backend.shopify.known import Held, Known
from backend.shopify.metafields import raw_of, text_of
from backend.shopify.option_values import chosen_options, option_problem
from backend.shopify.resource import METAFIELD, Together, shape

STOCK = {"available": "available", "onHand": "on_hand"}
"""Shopify's names of the quantities that can be set, by field."""

NEVER_EMPTY = {"status": "", "inventoryPolicy": "", "price": "", "title": "", "weightUnit": "", "sortOrder": "",
               "locale": "", "weight": " Type 0 for none.",
               "available": " Type 0 for none.", "onHand": " Type 0 for none."}
"""Fields that Shopify keeps no emptiness for, each with a hint."""

LARGEST: dict[str, int] = {"integer": 2**31, "decimal": 10**12, "money": 10**18}
"""From here on Shopify cannot even read a number, and would refuse its whole request."""

COUNTRIES = ("countryCode", "countryCodeOfOrigin")
"""Names in the input that take the two letters of a country, and refuse the whole request for anything else."""

TAGS = "tags"
MARK = "@key"
"""Among the marks of a creation: the idempotency key that its mutation carries."""
BY_EXTRAS = ("category", "customAttributes")
"""What the input takes in another form than the cell holds it; see `extras`."""
METAFIELDS_PER_CALL = 25
_VARIANT_ERRORS = "userErrors { field message code }"
_PLAIN_ERRORS = "userErrors { field message }"


@dataclass(frozen=True, slots=True)
class Call:
    """One mutation of a request. `ops` are positions in the request's ops, in the order of the call's list."""

    alias: str
    verb: str
    ops: tuple[int, ...]
    returns: tuple[str, ...] = ()
    """Where the payload holds the thing, where the resource's own verbs do not say it."""
    fields: tuple[str, ...] = ()
    """The fields that it writes, where it writes some only."""
    wraps: str = ""
    """The name of the part of the thing that is returned, where it is not the thing itself."""


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
    decimals: int = 2
    """Of the shop's currency: how answers are read."""


@dataclass(frozen=True, slots=True)
class Money:
    """The shop's units, where a value needs one to be said."""

    currency: str = ""
    decimals: int = 2


def narrowed(mapping: Mapping, ops: Sequence[Op]) -> Mapping:
    """`mapping` with what these ops write, for nothing else needs to be shown of things that are known: objects in an
    answer cost points. Of a new thing everything is to be shown."""
    if any(isinstance(op, Create) for op in ops):
        return mapping
    names = {name for op in ops for name in values_of(op)}
    return mapping.with_fields(rule for rule in mapping.fields if rule.name in names)


def request_for(
    mapping: Mapping, ops: Sequence[Op], known: Known, *, key: str, run: str, weight_unit: str, money: Money = Money(),
    marks: Dict[int, Dict[str, Any]] | None = None,
) -> Request:
    """The request that carries these ops. Its document is a pure function of the mapping and of what is changed.

    `known` tells where variants and levels belong, `run` names the run in Shopify's stock history, `weight_unit` is
    the shop's. `marks`, by position, is what a new thing carries besides its values so that it is found again.
    Stock ops must all set the same quantity. Raises TypeError for values that must never come this far.
    """
    build = _Build(mapping, known, weight_unit, money, marks or {})
    refused: dict[int, Receipt] = {}
    good: list[int] = []
    for position, op in enumerate(ops):
        _assert_sendable(op)
        refusal = build.refusal(op)
        if refusal is not None:
            refused[position] = Receipt(op, refusal=refusal)
        else:
            good.append(position)
    writer = shape(mapping).writer
    # First, so that what the other mutations return shows the metafields as they are then.
    good = build.metafields(good, ops, refused)
    if writer == "variants":
        build.variants(good, ops, refused)
    elif writer == "stock":
        new = [position for position in good if isinstance(ops[position], Create)]
        for position in new:
            build.activate(position, ops[position])
        if rest := [position for position in good if position not in new]:
            build.stock(rest, ops, run, key)
    else:
        for position in good:
            build.one(position, ops[position])
    document = build.document(fragment(mapping, bare=not any(isinstance(op, Create) for op in ops)))
    return Request(mapping, tuple(ops), document, build.values, tuple(build.calls),
                   key if writer == "stock" else "", refused, money.decimals)


# --- from ops to a document ---------------------------------------------------------------------


class _Build:
    """Collects variables and mutations of one document."""

    def __init__(
        self, mapping: Mapping, known: Known, weight_unit: str, money: Money, marks: Dict[int, Dict[str, Any]]
    ) -> None:
        self.values: dict[str, Any] = {}
        self.calls: list[Call] = []
        self._mapping = mapping
        self._resource = shape(mapping)
        self._known = known
        self._weight_unit = weight_unit
        self._money = money
        self._marks = marks
        self._types: list[str] = []
        self._lines: list[str] = []

    def document(self, stored: str) -> str:
        if not self._lines:
            return ""
        stored = f"\n{stored}" if any("...Stored" in line for line in self._lines) else ""
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
                                "Make it in Shopify's admin.")
        values = op.values if isinstance(op, Create | Update) else {}
        for name, value in values.items():
            rule = self._mapping.rule(name)
            refusal = self._bad_value(op, rule.field, value)
            if refusal:
                return refusal
        if self._resource.writer == "stock":
            return self._bad_level(op, values)
        found = extras.trouble(self._mapping, self._known, op)
        return self._refuse(op, *found) if found else self._bad_whole(op, values)

    def _bad_whole(self, op: Op, values: Dict[str, Value]) -> Refusal | None:
        """An address of which we may not see a part cannot be sent as a whole without emptying that part."""
        for whole in self._resource.together:
            name = next((name for name in values if self._in_whole(name, whole)), None)
            held = self._known.wholes.get(whole.write, {}).get(str(key_of(op)), {})
            if name and UNREAD in held.values():
                return self._refuse(op, name, f"{self._mapping.rule(name).field.label} is part of something that "
                                    "Shopify takes only as a whole, and not all of that is shown to this app",
                                    "Give the app access to protected customer data, or change it in Shopify's admin.")
        return None

    def _in_whole(self, name: str, whole: Together) -> bool:
        return self._mapping.rule(name).field.write.startswith(f"{whole.write}.")

    def _bad_value(self, op: Op, about: Field, value: Value) -> Refusal | None:
        creates = isinstance(op, Create)
        if value is None:
            if not (about.required if creates else about.name in NEVER_EMPTY):
                return None
            return self._refuse(op, about.name, f"{about.label} cannot be empty in Shopify",
                                f"Fill in the cell.{NEVER_EMPTY.get(about.name, '')}")
        limit = LARGEST.get(about.kind, LARGEST["money"])
        if isinstance(value, int | Decimal) and not -limit < value < limit:
            return self._refuse(op, about.name, f"{about.label} is larger than Shopify can keep",
                                "Type a smaller number.")
        if about.choices and value not in about.choices:
            return self._refuse(op, about.name, f"{value!r} is not one of {', '.join(about.choices)}",
                                "Type one of these.")
        is_country = about.write.split(".")[-1] in COUNTRIES
        if is_country and not (isinstance(value, str) and len(value) == 2 and value.isalpha()):
            return self._refuse(op, about.name, f"{value!r} is not a country's two letters",
                                "Type the two letters of the country, like DE.")
        return None

    def _bad_level(self, op: Op, values: Any) -> Refusal | None:
        level = self._known.levels.get(str(key_of(op)))
        if len(values.keys() & STOCK.keys()) > 1:
            return self._refuse(op, "", "available and on hand move together in Shopify, and both were changed",
                                "Map one of the two for writing, and let the other only come from Shopify.")
        if isinstance(op, Create):
            return None if str(op.values.get("variant")) in self._known.items else self._refuse(
                op, "variant", "its variant is no longer in Shopify", "Choose another variant for this row.")
        if level is None:
            return self._refuse(op, "", "this stock level is no longer there",
                                "The next sync shows it as deleted.")
        if not level.active:
            return self._refuse(op, next(iter(values), ""), "the item is not stocked at this location",
                                "Stock the variant at the location in Shopify's admin, then sync again.")
        return None

    def _refuse(self, op: Op, name: str, message: str, cure: str) -> Refusal:
        return Refusal(Side.REMOTE, refusal_key(op), f"{message[:1].upper()}{message[1:]}.", cure, field=name,
                       title=op.title)

    # metafields

    def metafields(self, good: Sequence[int], ops: Sequence[Op], refused: dict[int, Receipt]) -> list[int]:
        """Add the calls for the metafields that are changed; returns the positions that are still good."""
        sets: list[tuple[int, dict[str, Any]]] = []
        drops: list[tuple[int, dict[str, Any]]] = []
        left = []
        for position in good:
            op = ops[position]
            changed = {name: value for name, value in values_of(op).items() if name.startswith(METAFIELD)}
            if isinstance(op, Update) and changed:
                held = {name: self._known.metafields.get((str(op.key), name)) for name in changed}
                if any(one is None or self._moved(op, name, one) for name, one in held.items()):
                    refused[position] = Receipt(op, op.key, stale=True)
                    continue
                for name, value in changed.items():
                    one = held[name]
                    assert one is not None
                    where = {"ownerId": op.key, **_place_of(name)}
                    if value is None:
                        drops.append((position, where))
                    else:
                        text = text_of(value, self._mapping.rule(name).kind, one, self._money.currency)
                        # null means: only where there is none yet.
                        sets.append((position, {**where, "value": text, "compareDigest": one.digest}))
            left.append(position)
        # Without their owners, each of which costs a point: they come in the order in which they were sent.
        self._metafield_calls("metafieldsSet", "MetafieldsSetInput", sets,
                              f"metafields {{ key value type compareDigest }} {_VARIANT_ERRORS}")
        self._metafield_calls("metafieldsDelete", "MetafieldIdentifierInput", drops,
                              f"deletedMetafields {{ ownerId }} {_PLAIN_ERRORS}")
        return left

    def _moved(self, op: Update, name: str, held: Held) -> bool:
        """Whether another value stands there than the plan was made on."""
        now = canonical(self._mapping.rule(name).kind,
                        raw_of({"value": held.value, "type": held.type}) if held.value is not None else None,
                        decimals=self._money.decimals)
        return now != op.before[name]

    def _metafield_calls(
        self, verb: str, type_name: str, rows: Sequence[tuple[int, dict[str, Any]]], selected: str
    ) -> None:
        for start in range(0, len(rows), METAFIELDS_PER_CALL):
            part = rows[start:start + METAFIELDS_PER_CALL]
            n = len(self._lines)
            self._var(f"f{n}", f"[{type_name}!]!", [row for _, row in part])
            self._line(verb, [position for position, _ in part], f"metafields: $f{n}", selected)

    # one thing a mutation

    def one(self, position: int, op: Op) -> None:
        n = len(self._lines)
        resource = self._resource
        if isinstance(op, Delete):
            if resource.remove is None:
                raise TypeError(f"{resource.label} are never deleted.")
            self._var(f"p{n}", resource.remove.type, {"id": op.key})
            self._line(resource.remove.name, [position], f"{resource.remove.argument}: $p{n}",
                       f"{resource.remove.returns} {_PLAIN_ERRORS}")
        elif isinstance(op, Create):
            if resource.make is None:
                raise TypeError(f"{resource.label} are never created.")
            given: dict[str, Value] = {name: value for name, value in op.values.items() if value is not None}
            data = {**dict(resource.given), **self._input(given),
                    **extras.input_parts(self._mapping, self._known, op), **self._marks.get(position, {})}
            if given.get(TAGS):
                data["tags"] = sorted(_tokens(given[TAGS]))
            metafields = [*data.get("metafields", ()), *self._new_metafields(given)]
            if metafields:
                data["metafields"] = metafields
            self._var(f"p{n}", resource.make.type, data)
            also = f" {resource.make.also}" if resource.make.also else ""
            arguments = f"{resource.make.argument}: $p{n}"
            if media := extras.media_of(self._mapping, op):
                self._var(f"m{n}", "[CreateMediaInput!]", media)
                arguments += f", media: $m{n}"
            self._line(resource.make.name, [position], arguments,
                       f"{resource.make.returns} {{ ...Stored{also} }} {_PLAIN_ERRORS}")
        elif isinstance(op, Update):
            data = self._input({name: value for name, value in op.values.items() if name != TAGS})
            for whole in resource.together:
                if not whole.write.startswith("@") and any(self._in_whole(name, whole) for name in op.values):
                    data[whole.write] = self._whole(str(op.key), whole, data[whole.write])
            data |= extras.input_parts(self._mapping, self._known, op)
            # First, so that what the others return shows them as they are then.
            for extra in extras.calls(self._mapping, self._known, op):
                self._extra(position, extra)
            if data:
                self._update(position, op, data)
            if TAGS in op.values:
                before, after = _tokens(op.before[TAGS]), _tokens(op.values[TAGS])
                # Removed first: Shopify takes red for Red, and would drop the new spelling as a double.
                self._tags(position, op, "tagsRemove", sorted(before - after))
                self._tags(position, op, "tagsAdd", sorted(after - before))

    def _update(self, position: int, op: Update, data: dict[str, Any]) -> None:
        verb, n = self._resource.update, len(self._lines)
        if verb is None:
            raise TypeError(f"{self._resource.label} are never written.")
        arguments = f"{verb.argument}: $p{n}"
        if verb.id_apart:
            self._var(f"i{n}", "ID!", op.key)
            arguments = f"id: $i{n}, {arguments}"
        self._var(f"p{n}", verb.type, data if verb.id_apart else {"id": op.key, **data})
        self._line(verb.name, [position], arguments, f"{verb.returns} {{ ...Stored }} {_PLAIN_ERRORS}")

    def _extra(self, position: int, extra: Extra) -> None:
        n = len(self._lines)
        for place, (_, type_name, value) in enumerate(extra.arguments):
            self._var(f"e{n}_{place}", type_name, value)
        arguments = ", ".join(f"{argument}: $e{n}_{place}" for place, (argument, _, _) in enumerate(extra.arguments))
        self._line(extra.verb, [position], arguments, extra.selected, returns=extra.returns, fields=extra.fields,
                   wraps=extra.wraps)

    def _whole(self, key: str, whole: Together, changed: dict[str, Any]) -> dict[str, Any]:
        held = self._known.wholes.get(whole.write, {}).get(key, {})
        return {**{name: value for name, value in held.items() if value is not None}, **changed}

    def _new_metafields(self, values: Dict[str, Value]) -> list[dict[str, str]]:
        kinds = {rule.name: rule.kind for rule in self._mapping.fields}
        return [{**_place_of(name), "value": text_of(value, kinds[name], Held(), self._money.currency)}
                for name, value in values.items() if name.startswith(METAFIELD) and value is not None]

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
            product = self._known.products.get(str(key_of(op)))
            if product is None:  # it was asked for and is not there
                refused[position] = Receipt(op, key_of(op), stale=True)
            else:
                (deletes if isinstance(op, Delete) else updates).setdefault(product, []).append(position)
        for product, positions in updates.items():
            self._update_variants(product, positions, ops)
        for product, positions in creates.items():
            self._create_variants(product, positions, ops, refused)
        for product, positions in deletes.items():
            n = len(self._lines)
            self._var(f"p{n}", "ID!", product)
            self._var(f"v{n}", "[ID!]!", [key_of(ops[i]) for i in positions])
            self._line("productVariantsBulkDelete", positions, f"productId: $p{n}, variantsIds: $v{n}",
                       _VARIANT_ERRORS)

    def _update_variants(self, product: str, positions: Sequence[int], ops: Sequence[Op]) -> None:
        rows = {i: {"id": key_of(ops[i]), **self._variant(ops[i])} for i in positions}
        # Nothing besides the id: only its metafields are changed.
        rows = {i: row for i, row in rows.items() if len(row) > 1}
        if rows:
            self._variant_call("productVariantsBulkUpdate", product, list(rows), list(rows.values()),
                               "allowPartialUpdates: true")

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
            chosen = chosen_options(self._mapping, op)
            if self._is_born(product, chosen, len(positions)):
                # The product is new, and Shopify gave it its single variant: this row is that one.
                self._variant_call("productVariantsBulkUpdate", product, [position],
                                   [{"id": self._known.born[product], **self._variant(op)}],
                                   "allowPartialUpdates: true")
                continue
            problem = option_problem(options, chosen)
            if problem:
                refused[position] = Receipt(op, refusal=self._refuse(op, problem[0], problem[1], problem[2]))
                continue
            taken.append(position)
            rows.append({**self._variant(op), "optionValues": [
                {"optionName": name, "name": value} for name, value in zip(options, chosen, strict=False)]})
        if taken:
            # DEFAULT removes the single variant "Default Title" that a new product comes with. Of a product that
            # was there before, that variant has stock and orders: nobody asked to delete it.
            alone = product in self._known.born and not self._known.born_values.get(product)
            strategy = "DEFAULT" if alone else "PRESERVE_STANDALONE_VARIANT"
            self._variant_call("productVariantsBulkCreate", product, taken, rows, f"strategy: {strategy}")

    def _is_born(self, product: str, chosen: Sequence[str], rows: int) -> bool:
        """Whether a row is the variant that its new product came with: the only row of a product without options, or
        the one with the first value of each option."""
        if product not in self._known.born:
            return False
        if not any(chosen):
            return rows == 1
        values = tuple(value.strip().casefold() for value in chosen if value)
        return values == tuple(value.casefold() for value in self._known.born_values.get(product, ()))

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
        if isinstance(op, Create) and (metafields := self._new_metafields(given)):
            data["metafields"] = metafields
        if "weight" in given or "weightUnit" in given:
            [whole] = self._resource.together
            measurement = data["inventoryItem"]["measurement"]
            measurement["weight"] = {"value": 0.0, "unit": self._weight_unit,
                                     **self._whole(str(key_of(op)), whole, measurement["weight"])}
        return data

    # stock

    def activate(self, position: int, op: Op) -> None:
        """Stock a variant at a location where it has never been: once, under a key of its own."""
        n, values = len(self._lines), values_of(op)
        self._var(f"i{n}", "ID!", self._known.items[str(values["variant"])])
        self._var(f"l{n}", "ID!", values["location"])
        self._var(f"k{n}", "String!", self._marks.get(position, {}).get(MARK, f"{position}"))
        arguments = f"inventoryItemId: $i{n}, locationId: $l{n}"
        for name in STOCK.keys() & values.keys():
            self._var(f"q{n}", "Int!", values[name])
            arguments += f", {name}: $q{n}"
        alias = f"m{n}"
        self.calls.append(Call(alias, "inventoryActivate", (position,), ("inventoryLevel",)))
        self._lines.append(f"{alias}: inventoryActivate({arguments}) @idempotent(key: $k{n}) "
                           f"{{ inventoryLevel {{ ...Stored }} {_PLAIN_ERRORS} }}")

    def stock(self, good: Sequence[int], ops: Sequence[Op], run: str, key: str) -> None:
        names = {name for i in good for name in values_of(ops[i])}
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
            if not about.write or name == TAGS or name in BY_EXTRAS or name.startswith(METAFIELD) \
                    or about.write.startswith("@"):
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

    def _line(self, verb: str, positions: Sequence[int], arguments: str, selected: str, **more: Any) -> None:
        alias = f"m{len(self._lines)}"
        self.calls.append(Call(alias, verb, tuple(positions), **more))
        self._lines.append(f"{alias}: {verb}({arguments}) {{ {selected} }}")


def _place_of(name: str) -> dict[str, str]:
    _, namespace, key = name.split(".")
    return {"namespace": namespace, "key": key}


def _as_input(about: Field, value: Value) -> Any:
    """A canonical value as Shopify's input takes it. Text is cleared by "", everything else by null."""
    if value is None:
        return "" if about.kind in ("text", "html") and not _is_code(about) else None
    if isinstance(value, Decimal):
        return format(value, "f") if about.kind == "money" else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if _is_code(about):
        return str(value).upper()
    return list(value) if isinstance(value, tuple) else value


def _is_code(about: Field) -> bool:
    return about.write.split(".")[-1] in (*COUNTRIES, "provinceCodeOfOrigin")


def _assert_sendable(op: Op) -> None:
    for name, value in values_of(op).items():
        members = value if isinstance(value, tuple) else (value,)
        if value is UNREAD or any(isinstance(one, Unfit | LocalRef) for one in members):
            raise TypeError(f"{value!r} of {name} must never be written.")
    if isinstance(op, Update) and TAGS in op.values and op.before[TAGS] is UNREAD:
        raise TypeError("Tags are written as a difference, so they must have been read.")


def _tokens(value: Value) -> set[str]:
    return {str(one) for one in value} if isinstance(value, tuple) else set()


def key_of(op: Op) -> Any:
    return None if isinstance(op, Create) else op.key


def refusal_key(op: Op) -> Any:
    """A refused create has no key here: its row on the other side is what a person sees."""
    return op.source if isinstance(op, Create) else op.key
