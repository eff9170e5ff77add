"""The writing half of the connector: batches, one request each, and what became of every op.

    batches  → one request's worth each: updates, then creations, then deletions
    apply    → read right before what has no conditional write, and leave alone what moved;
               build a request (`writes`), send it (`client`), read its answer (`receipts`);
               a creation carries what it is found again by (`creating`);
               what an answer leaves open is looked at and sent again, what Shopify refuses as a whole is halved
               until the row that spoils it stands alone
"""

from __future__ import annotations

import logging
import re
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from backend.connector import Stamp
from backend.core.model import (
    Change,
    Create,
    Delete,
    Key,
    Mapping,
    Op,
    Receipt,
    Refusal,
    Row,
    Side,
    Snapshot,
    Update,
)
from backend.core.values import LISTS, UNREAD, Value
from backend.errors import AccessError, InputRefused, OutcomeUnknown, RetryLater, TooCostly
from backend.shopify import documents, extras, writes
from backend.shopify.answers import LOOKED_AT, Answer
from backend.shopify.client import Client
from backend.shopify.creating import Keys
from backend.shopify.known import Held, Known
from backend.shopify.names import Names
from backend.shopify.option_values import chosen_options
from backend.shopify.reading import PAGE, chunks, row_maker
from backend.shopify.receipts import Outcome, outcome_of, receipts_from, refusal_of
from backend.shopify.resource import METAFIELD, shape
from backend.shopify.shop import Shop
from backend.shopify.writes import Money, Request, refusal_key

log = logging.getLogger(__name__)

THINGS_PER_REQUEST = 10
METAFIELD_ROWS_PER_REQUEST = 100
CREATES_PER_REQUEST = 5
"""Creations and deletions take Shopify longer than changes; a request has 30 seconds."""
LEVELS_PER_REQUEST = 20
"""A new level is a mutation of its own, of 10 points and a little."""
ROWS_PER_REQUEST = 250
NEWEST = 100
"""How many of the newest draft orders are looked through for one of ours."""
STOCKED = "already active at the location"
"""What Shopify says of a new level that is there already, where it is given a quantity (facts §6)."""
TRIES = 6
"""How often one request is sent while Shopify says that its key is being worked on."""


class Writing:
    """What `ShopifyConnector` adds: how it is reached, what it knows, and `read`."""

    notes: list[str]
    _client: Client
    _keys: Keys
    _known: Known
    _names: Names
    _unwritable: dict[str, AccessError]
    _barred: dict[str, dict[str, AccessError]]
    _sleep: Callable[[float], None]

    @property
    @abstractmethod
    def shop(self) -> Shop: ...
    _new_key: Callable[[], str]

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None) -> Snapshot:
        raise NotImplementedError

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        """Changes first, so that a handle or an option that becomes free can be taken; deletions last."""
        if mapping.name in self._unwritable:
            yield from chunks(ops, ROWS_PER_REQUEST)
            return
        writer = shape(mapping).writer
        for kind in (Update, Create, Delete):
            same: list[Op] = [op for op in ops if isinstance(op, kind)]
            most = THINGS_PER_REQUEST if kind is Update else CREATES_PER_REQUEST
            if writer == "stock" and kind is Update:
                for name in writes.STOCK:
                    yield from chunks([op for op in same if _quantity(op) == name], ROWS_PER_REQUEST)
                # What sets both quantities is for `apply` to refuse.
                yield from chunks([op for op in same if _quantity(op) not in writes.STOCK], 1)
                continue
            self._learn(mapping, same)
            light = [op for op in same if isinstance(op, Update) and _only_metafields(op)]
            yield from chunks(light, METAFIELD_ROWS_PER_REQUEST)
            same = [op for op in same if op not in light] if light else same
            if writer == "variants":
                yield from self._by_product(same, most)
            else:
                yield from chunks(same, most if writer == "one" else LEVELS_PER_REQUEST)

    def request_for(
        self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp | None = None,
        marks: dict[int, dict[str, Any]] | None = None,
    ) -> Request:
        """The request that carries a batch under `stamp`. The same batch and stamp make the same request; sends
        nothing. `marks` is what creations carry besides their values (`creating`)."""
        stamp = stamp or Stamp(self._new_key(), self._new_key())
        return writes.request_for(mapping, batch, self._known, key=stamp.key, run=stamp.run,
                                  weight_unit=self.shop.weight_unit, marks=marks,
                                  money=Money(self.shop.currency, self.shop.decimals))

    def send(self, request: Request) -> Answer:
        return self._client.run(request.document, request.variables, writes=True)

    def receipts_from(self, request: Request, answer: Answer) -> list[Receipt]:
        """What one answer alone says of each op; `apply` goes on from there."""
        return receipts_from(request, answer, self.shop.decimals)

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp | None = None) -> list[Receipt]:
        """Write one batch. Where a right is missing every op is refused with the sentence that names it. Raises
        AccessError where the whole store is closed to us, RetryLater and OutcomeUnknown (see there)."""
        if mapping.name in self._unwritable:
            return [self._refused_for(op, self._unwritable[mapping.name]) for op in batch]
        stamp, keys = self._stamped(batch, stamp)
        ops, without = self._within_rights(mapping, batch)
        settled = {i: without[i] for i, op in enumerate(ops) if op is None}
        settled |= {i: Receipt(batch[i], getattr(batch[i], "key", None), stale=True)
                    for i in self._moved(mapping, ops)}
        left = [i for i in range(len(batch)) if i not in settled]
        sent = [op for i in left if (op := ops[i]) is not None]
        written = self._write_all(mapping, batch, sent, stamp, [keys[i] for i in left]) if left else []
        written = self._go_on(mapping, written, stamp)
        if shape(mapping).writer == "stock":
            written = self._filled(mapping, written, stamp)
        for i, receipt in zip(left, written, strict=True):
            settled[i] = _with_refused(batch[i], receipt, without[i]) if i in without else receipt
        return [settled[i] for i in range(len(batch))]

    def _within_rights(self, mapping: Mapping, batch: Sequence[Op]) -> tuple[list[Op | None], dict[int, Receipt]]:
        """The ops less the fields that may not be written, None for one of which nothing is left; and by position the
        receipt that says so. A new thing is made without such a field, unless it cannot be there without it: its cell
        keeps what it holds, agrees on nothing, and is refused by name until the right is there."""
        barred = self._barred.get(mapping.name, {})
        ops: list[Op | None] = list(batch)
        without: dict[int, Receipt] = {}
        for i, op in enumerate(batch):
            names = [name for name in extras.values_of(op) if name in barred]
            if not names:
                continue
            refused = self._refused_for(op, barred[names[0]])
            assert refused.refusal is not None
            without[i] = replace(refused, key=getattr(op, "key", None),
                                 refusal=replace(refused.refusal, field=names[0]))
            ops[i] = None
            if isinstance(op, Update):
                changes = tuple(c for c in op.changes if c.field not in barred)
                ops[i] = replace(op, changes=changes) if changes else None
            elif isinstance(op, Create) and not any(mapping.rule(name).field.required for name in names):
                ops[i] = replace(op, values={name: value for name, value in op.values.items() if name not in barred})
                without[i] = replace(without[i], besides=tuple(
                    replace(refused.refusal, message=barred[name].message, cure=barred[name].cure, field=name)
                    for name in names))
        return ops, without

    def _moved(self, mapping: Mapping, ops: Sequence[Op | None]) -> list[int]:
        """The positions of updates under which the store changed since the plan was made, or that are gone: read in one
        request right before they are written, for Shopify has no conditional write for them. Lists are written as
        differences, metafields and stock over what was seen only: those need no look. What `ops` need to know besides
        is learned in the same look."""
        self._learn_names(mapping, [op for op in ops if op is not None])
        looks = {i: [c for c in op.changes if _is_blind(mapping, c.field)] for i, op in enumerate(ops)
                 if isinstance(op, Update)} if shape(mapping).writer != "stock" else {}
        looked = {i: (op.key, changes) for i, changes in looks.items() if changes and isinstance(op := ops[i], Update)}
        now: dict[Key, dict[str, Value]] = {}
        if looked:
            names = {change.field for _, changes in looked.values() for change in changes}
            narrow = replace(mapping.with_fields(rule for rule in mapping.fields if rule.name in names), filter="")
            now = {key: dict(zip(narrow.names, row, strict=True))
                   for key, row in self.read(narrow, [key for key, _ in looked.values()]).rows.items()}
        self._learn(mapping, [op for op in ops if op is not None])
        return [i for i, (key, changes) in looked.items() if key not in now or any(
            UNREAD not in (now[key][c.field], c.before) and now[key][c.field] != c.before for c in changes)]

    def _go_on(self, mapping: Mapping, receipts: list[Receipt], stamp: Stamp) -> list[Receipt]:
        """Give new things what they can only get once they are there: channels, an address."""
        later = [rule.name for rule in mapping.fields if rule.field.write.startswith(extras.LATER)]
        barred = self._barred.get(mapping.name, {})
        done = []
        for receipt in receipts:
            op = receipt.op
            changes = tuple(Change(name, None, op.values[name], op.why) for name in later if op.values.get(
                name) is not None and name not in barred) if isinstance(op, Create) and receipt.done else ()
            if not changes or not isinstance(op, Create):
                done.append(receipt)
                continue
            update = Update(Side.REMOTE, str(receipt.key), op.source, changes, op.title)
            try:
                self._learn(mapping, [update])
                [rest] = self._write(mapping, [update], stamp, [f"{stamp.key}-later"])
            except RetryLater as error:
                rest = Receipt(update, refusal=Refusal(Side.REMOTE, op.source, error.message, error.cure))
            made = replace(receipt, stored={**receipt.stored, **rest.stored})
            if rest.refusal is not None:
                # The right that lacks here is the one to give these, not that to make the thing.
                self._unwritable.pop(mapping.name, None)
                self.notes.append(f"{op.title or 'A new row'}: {rest.refusal.message} {rest.refusal.cure}")
                lacking = [change.field for change in changes if change.field not in {c.field for c in rest.written}]
                made = _made_without(made, [replace(rest.refusal, field=name) for name in lacking])
            done.append(made)
        return done

    def spells(self, mapping: Mapping, field: str, value: Value) -> Value:
        """Handles are the one text that Shopify always rewrites (facts §12)."""
        return spelled_handle(value) if field == "handle" and isinstance(value, str) else value

    def repeat(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt] | None:
        """Stock is sent again under its own key, which Shopify keeps for a day (facts §6); never read back, for
        10 → 13 → 10 looks like nothing. Creations are looked for by what they carry; what is not there is made under
        the same key, so that a request that still is under way somewhere is refused."""
        writer = shape(mapping).writer
        if mapping.name in self._unwritable:
            return None  # it may have happened while the right was still there
        if writer == "stock":
            return self.apply(mapping, batch, stamp)
        if not batch or not all(isinstance(op, Create) for op in batch):
            return None
        stamp, keys = self._stamped(batch, stamp)
        within, without = self._within_rights(mapping, batch)
        creates = [op for sent, whole in zip(within, batch, strict=True) if isinstance(op := sent or whole, Create)]
        found = self._find_variants(mapping, creates) if writer == "variants" else self._find(mapping, creates, keys)
        if found is None:
            return None
        missing = [i for i in range(len(creates)) if i not in found]
        if missing and shape(mapping).newest:
            return None  # nobody can say whether one is still under way: never made a second time by itself
        found |= {i: without[i] for i in missing if within[i] is None}
        missing = [i for i in missing if within[i] is not None]
        self._learn_names(mapping, creates)
        self._learn(mapping, [creates[i] for i in missing])
        made = self._write(mapping, [creates[i] for i in missing], stamp, [keys[i] for i in missing]) if missing else []
        found |= dict(zip(missing, made, strict=True))
        # What is read next must not take the single variants of these products for news: a new row takes them.
        self._known.hidden |= set(self._known.born.values())
        # Whether what was found has its channels nobody knows; giving them twice changes nothing.
        receipts = self._go_on(mapping, [found[i] for i in range(len(creates))], stamp)
        return [_with_refused(batch[i], receipt, without[i]) if i in without else receipt
                for i, receipt in enumerate(receipts)]

    def _learn_names(self, mapping: Mapping, ops: Sequence[Op]) -> None:
        """Look up what the words in these ops name."""
        for kind, names in extras.names_needed(mapping, ops).items():
            if names:
                self._known.names[kind] = self._names.look_up(kind, names)

    def _stamped(self, batch: Sequence[Op], stamp: Stamp | None) -> tuple[Stamp, list[str]]:
        """The stamp, and the key of each op in the batch."""
        stamp = stamp or Stamp(self._new_key(), self._new_key())
        return stamp, [f"{stamp.key}-{i}" for i in range(len(batch))]

    def _find(self, mapping: Mapping, ops: Sequence[Create], keys: Sequence[str]) -> dict[int, Receipt] | None:
        """By position: what has been made already. None where nobody could tell."""
        if shape(mapping).newest:
            return self._find_newest(mapping, ops, keys)
        if not shape(mapping).finds:
            return None
        ways = [(i, *way) for i, op in enumerate(ops) for way in self._keys.identifiers(mapping, op, keys[i])]
        if {i for i, _, _ in ways} != set(range(len(ops))):
            return None
        row = row_maker(mapping, self.shop.decimals)
        found: dict[int, Receipt] = {}
        for chunk in chunks(ways, THINGS_PER_REQUEST):
            answer = self._client.run(documents.find_document(mapping, len(chunk)),
                                      {f"i{n}": identifier for n, (_, identifier, _) in enumerate(chunk)})
            for n, (i, _, surely) in enumerate(chunk):
                node = answer.root(f"f{n}", mapping.resource.label)
                if i in found or not isinstance(node, dict):
                    continue
                stored = mapping.values(row(node))
                if surely or _holds(stored, ops[i]):
                    found[i] = Receipt(ops[i], node["id"], stored)
                    self._note_born(node)
        return found

    def _find_newest(self, mapping: Mapping, ops: Sequence[Create], keys: Sequence[str]) -> dict[int, Receipt]:
        """By position: what carries our key among the newest things of a list; nothing else finds a draft order. A list
        lags behind for some time, so what is not there yet is looked for again."""
        row = row_maker(mapping, self.shop.decimals)
        answer = self._client.run(documents.newest_document(mapping), {"first": NEWEST})
        by_key = {node["made"]["value"]: node for node in answer.root(shape(mapping).newest)["nodes"]
                  if isinstance(node, dict) and node.get("made")}
        return {i: Receipt(ops[i], by_key[key]["id"], mapping.values(row(by_key[key])))
                for i, key in enumerate(keys) if key in by_key}

    def _note_born(self, node: dict[str, Any]) -> None:
        """A product made by us has a single variant still: the row of a new variant may take it."""
        variants = (node.get("variants") or {}).get("nodes") or []
        if len(variants) == 1:
            self._note_single(node["id"], variants[0])

    def _note_single(self, product: str, variant: dict[str, Any]) -> None:
        values = tuple(str(one["value"]) for one in variant.get("selectedOptions") or [])
        self._known.born[product] = variant["id"]
        self._known.born_values[product] = () if values == ("Default Title",) else values

    def _find_variants(self, mapping: Mapping, ops: Sequence[Create]) -> dict[int, Receipt]:
        """By position: the variants that are there already, by product and option values, read fresh."""
        row = row_maker(mapping, self.shop.decimals)
        note = self._known.noter(mapping)
        found: dict[int, Receipt] = {}
        for product in dict.fromkeys(str(op.values.get("product")) for op in ops):
            siblings: dict[tuple[str, ...], dict[str, Any]] = {}
            single: dict[str, Any] | None = None
            after = None
            while True:
                top = self._client.run(documents.siblings_document(mapping), {
                    "id": product, "first": PAGE, "after": after}).root("product", "products")
                if not isinstance(top, dict):
                    break
                self._note_options(product, top["options"])
                for node in top["variants"]["nodes"]:
                    siblings[tuple(one["value"].casefold() for one in node["selectedOptions"])] = node
                if len(siblings) == 1 and self._known.options[product] == ("Title",):
                    single = next(iter(siblings.values()))
                if not top["variants"]["pageInfo"]["hasNextPage"]:
                    break
                after = top["variants"]["pageInfo"]["endCursor"]
            for i, op in enumerate(ops):
                if str(op.values.get("product")) != product:
                    continue
                chosen = tuple(value.strip().casefold() for value in chosen_options(mapping, op) if value)
                node = siblings.get(chosen) if chosen else single
                if node is None:
                    continue
                note(node)
                stored = mapping.values(row(node))
                if not chosen and stored.get("sku") in (None, op.values.get("sku")):
                    # It took the variant that its new product came with: taking it again changes nothing.
                    self._known.born[product] = node["id"]
                elif _holds({name: value for name, value in stored.items() if name in ("sku", "barcode")}, op):
                    found[i] = Receipt(op, node["id"], stored)
        return found

    @staticmethod
    def _refused_for(op: Op, error: AccessError) -> Receipt:
        return Receipt(op, refusal=Refusal(Side.REMOTE, refusal_key(op), error.message, error.cure, title=op.title))

    def _write_all(
        self, mapping: Mapping, batch: Sequence[Op], ops: Sequence[Op], stamp: Stamp, keys: Sequence[str]
    ) -> list[Receipt]:
        """Write what is left of a batch after the look at it."""
        return self._write(mapping, ops, stamp, keys)

    def _write(
        self, mapping: Mapping, ops: Sequence[Op], stamp: Stamp, keys: Sequence[str], tries: int = 2
    ) -> list[Receipt]:
        """One request, or more where Shopify wants it smaller. `keys` stand beside the ops."""
        marks = self._keys.marks(mapping, ops, keys)
        if shape(mapping).writer == "stock":
            marks = {i: {writes.MARK: key} for i, key in enumerate(keys)}
        request = self.request_for(writes.narrowed(mapping, ops), ops, stamp, marks)
        try:
            outcome = self._outcome(request)
        except (InputRefused, TooCostly) as error:
            # Nothing of the document was run. One row spoils it, or all together are too much: halve it. The keys of
            # the halves follow from the stamp, so that a later process halves it alike.
            if len(ops) > 1:
                half = len(ops) // 2
                first, second = (replace(stamp, key=f"{stamp.key}.{n}") for n in (1, 2))
                return (self._write(mapping, ops[:half], first, keys[:half], tries)
                        + self._write(mapping, ops[half:], second, keys[half:], tries))
            if isinstance(error, TooCostly):
                raise
            refusal = refusal_of(ops[0], error.message, label=mapping.resource.label)
            return [Receipt(ops[0], refusal=refusal)]
        self._remember(request, outcome)
        receipts = outcome.receipts
        if outcome.again and shape(mapping).writer == "stock":
            # One row spoils its call. The others are not sent again here: a key that is not in the journal must
            # never change stock. A new look plans them anew.
            receipts |= self._judged(mapping, ops, outcome.again)
        elif outcome.again:
            receipts |= self._write_again(mapping, ops, outcome.again, stamp, keys, tries)
        return [receipts[i] for i in range(len(ops))]

    def _outcome(self, request: Request) -> Outcome:
        for attempt in range(TRIES):
            answer = self.send(request) if request.calls else Answer({})
            try:
                outcome = outcome_of(request, answer, self.shop.decimals)
            except AccessError as error:
                # A right is missing that no scope told of, for everything that was sent: the rows say so, the other
                # mappings go on, and no further request of this one is tried in this run.
                self._unwritable[request.mapping.name] = error
                return Outcome({i: self._refused_for(op, error) for i, op in enumerate(request.ops)} | request.refused)
            if not outcome.wait:
                return outcome
            self._sleep(min(2.0**attempt, 10.0))
        raise OutcomeUnknown("Shopify is still working on a stock change that was sent before.", cure=LOOKED_AT)

    def _write_again(
        self, mapping: Mapping, ops: Sequence[Op], positions: Sequence[int], stamp: Stamp, keys: Sequence[str],
        tries: int,
    ) -> dict[int, Receipt]:
        """Send those once more that suffered from another row of their call."""
        receipts: dict[int, Receipt] = {}
        left = list(dict.fromkeys(positions))
        parts = [left]
        if len(left) == len(ops) > 1:
            parts = [left[:len(left) // 2], left[len(left) // 2:]]
        elif len(left) == len(ops):
            if not tries:
                receipts[left[0]] = Receipt(ops[left[0]], refusal=refusal_of(
                    ops[left[0]], "nothing was written, and no reason given", label=mapping.resource.label,
                    cure="The next sync tries again. When it goes on, make this change in Shopify's admin."))
                return receipts
            tries -= 1
        for part in parts:
            if part:
                written = self._write(mapping, [ops[i] for i in part], stamp, [keys[i] for i in part], tries)
                receipts |= dict(zip(part, written, strict=True))
        return receipts

    def _judged(self, mapping: Mapping, ops: Sequence[Op], positions: Sequence[int]) -> dict[int, Receipt]:
        """What became of stock changes beside a refused one, by what stands there now: nobody has recorded whether
        one stale row stops the others (facts §6)."""
        rows = self.read(mapping, [key for key in (getattr(ops[i], "key", None) for i in positions) if key]).rows
        return {i: _as_it_stands(mapping, ops[i], rows) for i in positions}

    def _filled(self, mapping: Mapping, receipts: list[Receipt], stamp: Stamp) -> list[Receipt]:
        """A new variant brings levels of its own, which hold nothing: what a new row says of one is written over that
        zero, and over nothing else. The keys follow from the stamp, so that a later process asks alike."""
        wanted = {place: receipt.op for place, receipt in enumerate(receipts) if isinstance(receipt.op, Create)
                  and receipt.refusal is not None and STOCKED in receipt.refusal.message}
        if not wanted:
            return receipts
        found = list(receipts)
        bare = [replace(op, values={name: value for name, value in op.values.items() if name not in writes.STOCK})
                for op in wanted.values()]
        there = dict(zip(wanted, self._write(mapping, bare, replace(stamp, key=f"{stamp.key}.there"),
                                             [f"{stamp.key}.there-{place}" for place in wanted]), strict=True))
        for name in writes.STOCK:
            empty = {}
            for place, op in wanted.items():
                level, holds = there[place], there[place].stored.get(name)
                if not level.done or name not in op.values:
                    continue
                if holds == op.values[name]:
                    found[place] = replace(level, op=op)
                elif holds == 0:
                    empty[place] = Update(Side.REMOTE, str(level.key), op.source, (
                        Change(name, 0, op.values[name], op.why),), op.title)
            self._learn(mapping, list(empty.values()))
            put = self._write(mapping, list(empty.values()), replace(stamp, key=f"{stamp.key}.{name}"),
                              [f"{stamp.key}.{name}-{place}" for place in empty]) if empty else []
            for place, receipt in zip(empty, put, strict=True):
                if receipt.done:
                    found[place] = replace(there[place], op=wanted[place],
                                           stored={**there[place].stored, **receipt.stored})
        return found

    def _remember(self, request: Request, outcome: Outcome) -> None:
        for product, variant in outcome.born.items():
            self._note_single(product, variant)
        note = self._known.noter(request.mapping)
        for node in outcome.nodes.values():
            note(node)
        for receipt in outcome.receipts.values():
            for name, value in (receipt.stored if receipt.done else {}).items():
                if name.startswith(METAFIELD) and value is None:
                    self._known.metafields[str(receipt.key), name] = Held()
        for receipt in outcome.receipts.values():
            if shape(request.mapping).writer == "variants" and isinstance(receipt.op, Create) and receipt.done:
                product = str(receipt.op.values["product"])
                self._known.hidden.discard(self._known.born.pop(product, ""))
                self._known.products[str(receipt.key)] = product

    def _learn(self, mapping: Mapping, ops: Sequence[Op]) -> None:
        """Read what these ops need to be addressed, where no read of this run has shown it."""
        unknown = self._known.lacks(mapping, ops)
        if unknown:
            self.read(replace(mapping, filter=""), unknown)
        if shape(mapping).writer == "stock":
            self._learn_items([str(op.values["variant"]) for op in ops if isinstance(op, Create)
                               and op.values.get("variant")])
        if shape(mapping).writer != "variants":
            return
        products = sorted({str(op.values.get("product")) for op in ops
                           if isinstance(op, Create) and op.values.get("product")} - self._known.options.keys())
        for chunk in chunks(products, PAGE):
            for node in self._client.run(documents.OPTIONS, {"ids": list(chunk)}).root("nodes", "products"):
                if isinstance(node, dict) and node.get("id"):
                    self._note_options(node["id"], node["options"])

    def _learn_items(self, variants: Sequence[str]) -> None:
        """The inventory items of variants that are to be stocked somewhere."""
        for chunk in chunks(sorted(set(variants) - self._known.items.keys()), PAGE):
            for node in self._client.run(documents.ITEMS, {"ids": list(chunk)}).root("nodes", "variants"):
                if isinstance(node, dict) and node.get("id"):
                    self._known.items[node["id"]] = node["inventoryItem"]["id"]

    def _note_options(self, product: str, options: Sequence[dict[str, Any]]) -> None:
        ordered = sorted(options, key=lambda option: option["position"])
        self._known.options[product] = tuple(option["name"] for option in ordered)

    def _by_product(self, ops: Sequence[Op], most: int) -> Iterator[list[Op]]:
        """Variants of one product together, several products a batch."""
        groups: dict[str, list[Op]] = {}
        for op in ops:
            product = op.values.get("product") if isinstance(op, Create) else self._known.products.get(str(op.key))
            groups.setdefault(str(product), []).append(op)
        batch: list[Op] = []
        products = 0
        for group in groups.values():
            for part in chunks(group, ROWS_PER_REQUEST):
                if batch and (products == most or len(batch) + len(part) > ROWS_PER_REQUEST):
                    yield batch
                    batch, products = [], 0
                batch, products = [*batch, *part], products + 1
        if batch:
            yield batch


def _is_blind(mapping: Mapping, field: str) -> bool:
    """Whether a write of this field goes over whatever stands there."""
    rule = mapping.rule(field)
    return not field.startswith(METAFIELD) and (rule.kind not in LISTS or field == "customAttributes")


def _with_refused(op: Op, receipt: Receipt, without: Receipt) -> Receipt:
    """The receipt of an op of which a part was not sent: what was stored, and the refusal of the rest."""
    if not receipt.done:
        return replace(receipt, op=op)
    if isinstance(op, Create):
        return _made_without(replace(receipt, op=op), without.besides)
    return Receipt(op, receipt.key, receipt.stored, without.refusal)


def _made_without(receipt: Receipt, refusals: Iterable[Refusal]) -> Receipt:
    """The receipt of a new thing that lacks some fields: they are refused under the key that it has now."""
    more = tuple(replace(refusal, key=receipt.key) for refusal in refusals if receipt.key is not None)
    return replace(receipt, besides=(*receipt.besides, *more))


def _quantity(op: Op) -> str:
    names = list(op.values) if isinstance(op, Update) else []
    return names[0] if len(names) == 1 else ""


def _only_metafields(op: Update) -> bool:
    return all(change.field.startswith(METAFIELD) for change in op.changes)


def _holds(stored: dict[str, Value], op: Create) -> bool:
    """Whether a thing holds what this creation gave it, so that it is most likely the one that it made."""
    return all(stored[name] == value for name, value in op.values.items()
               if name in stored and stored[name] is not UNREAD)


def _as_it_stands(mapping: Mapping, op: Op, rows: dict[Key, Row]) -> Receipt:
    """A stock op judged by what stands there now: done, not done, or nobody can tell."""
    if not isinstance(op, Update):
        raise TypeError(f"Stock is only ever updated, not {op!r}.")
    now = mapping.values(rows[op.key]) if op.key in rows else {}
    if all(now.get(name) == value for name, value in op.values.items()):
        return Receipt(op, op.key, stored=dict(op.values))
    untouched = all((now.get(name) or 0) == (value or 0) for name, value in op.before.items())
    return Receipt(op, op.key, stale=untouched, unclear=not untouched)


def spelled_handle(text: str) -> str:
    """Trimmed, lower case, apostrophes gone, other signs one dash; letters of any script stay (facts §12)."""
    return re.sub(r"[^\w]+", "-", re.sub(r"['’]", "", text.strip().lower())).strip("-")
