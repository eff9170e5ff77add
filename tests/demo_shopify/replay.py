"""Replay a recording against the simulated store and say, step by step, whether it answers as the real one did.

A recording brings its own state: things that a request speaks of and that no replayed request has made are taken
over from what the recording shows of them. Ids that the store makes are bound, by their place in the answer, to
those that the recording has there; from then on the one stands for the other.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from unittest import mock

from demo.shopify import Behaviour, Clock, Store, run
from demo.shopify.adopt import mentioned
from demo.shopify.ids import kind_of, number_of
from demo.shopify.schema import load_schema
from demo.shopify.state import ALL_SCOPES

from . import bulk_files, recordings
from .documents import CannotWrite, written
from .recordings import Recording, Step

# Values that a real store makes up: compared only for being there or not.
_VOLATILE = {"creationDate", "lastEditDate",
             "createdAt", "updatedAt", "publishedAt", "cursor", "startCursor", "endCursor", "compareDigest", "url",
             "onlineStorePreviewUrl", "onlineStoreUrl", "storefrontId", "legacyResourceId", "inventoryHistoryUrl",
             "defaultCursor", "latitude", "longitude", "suggestedAddresses", "addressVerified", "src",
             "originalSrc", "transformedSrc", "deactivatedAt", "duplicateSkuCount",
             "fulfillAt", "closedAt", "cancelledAt", "happenedAt", "statusPageUrl", "processedAt", "completedAt",
             "invoiceUrl", "partialDataUrl", "resourceUrl"}
# Values that lag behind in the recordings themselves, or count what else the real store held.
_LAGGING = {"totalInventory", "hasOutOfStockVariants", "count", "productsCount", "hasActiveInventory", "deletable",
            "deactivatable", "activatable", "precision", "isPrimary", "shipsInventory", "hasUnfulfilledOrders",
            "publicationCount", "metafieldsCount", "objectCount", "rootObjectCount",
            "fileSize"}
_MADE_BY = {
    "productCreate": None, "productSet": None, "productDuplicate": None,
    "productVariantsBulkCreate": {"ProductVariant", "InventoryItem", "InventoryLevel", "ProductOptionValue",
                                  "Metafield"},
    "productVariantsBulkUpdate": {"ProductOptionValue", "Metafield"}, "productUpdate": {"Metafield"},
    "productOptionsCreate": {"ProductOption", "ProductOptionValue", "ProductVariant", "InventoryItem"},
    "productOptionUpdate": {"ProductOptionValue", "ProductVariant"}, "metafieldsSet": {"Metafield"},
    "locationAdd": {"Location"}, "inventorySetQuantities": {"InventoryAdjustmentGroup"},
    "inventoryAdjustQuantities": {"InventoryAdjustmentGroup"}, "inventoryMoveQuantities": {"InventoryAdjustmentGroup"},
    "inventorySetOnHandQuantities": {"InventoryAdjustmentGroup"}, "inventoryActivate": {"InventoryLevel"},
    "inventoryBulkToggleActivation": {"InventoryLevel"},
    "collectionCreate": {"Collection", "CollectionConditionsSource", "Metafield"},
    "metafieldDefinitionCreate": {"MetafieldDefinition"}, "metafieldDefinitionUpdate": {"Job"},
    "customerCreate": {"Customer", "MailingAddress", "Metafield"},
    "customerSet": {"Customer", "MailingAddress", "Metafield"}, "customerUpdate": {"MailingAddress", "Metafield"},
    "customerAddressCreate": {"MailingAddress"}, "customerMerge": {"Job"},
    "orderCreate": {"Order", "LineItem", "FulfillmentOrder", "FulfillmentOrderLineItem", "OrderTransaction",
                    "Fulfillment", "Customer", "ShippingLine"},
    "orderMarkAsPaid": {"OrderTransaction"}, "orderCancel": {"Job"}, "refundCreate": {"Refund", "OrderTransaction"},
    "fulfillmentCreate": {"Fulfillment", "FulfillmentLineItem"},
    "fulfillmentCreateV2": {"Fulfillment", "FulfillmentLineItem"},
    "fulfillmentOrderMove": {"FulfillmentOrder", "FulfillmentOrderLineItem"},
    "fulfillmentOrderSplit": {"FulfillmentOrder", "FulfillmentOrderLineItem"},
    "orderEditBegin": {"CalculatedOrder", "CalculatedLineItem", "OrderEditSession"},
    "orderEditAddVariant": {"CalculatedLineItem"}, "orderEditAddCustomItem": {"CalculatedLineItem"},
    "orderEditCommit": {"LineItem"}, "segmentCreate": {"Segment"}, "metaobjectCreate": {"Metaobject"},
    "metaobjectDefinitionCreate": {"MetaobjectDefinition"}, "metaobjectUpsert": {"Metaobject"},
    "paymentTermsCreate": {"PaymentTerms"},
    "fulfillmentServiceCreate": {"FulfillmentService", "Location"}, "draftOrderDuplicate": {
        "DraftOrder", "DraftOrderLineItem"}, "draftOrderCreateFromOrder": {"DraftOrder", "DraftOrderLineItem"},
    "fulfillmentOrderHold": {"FulfillmentOrder", "FulfillmentOrderLineItem"},
    "fulfillmentOrderCancel": {"FulfillmentOrder", "FulfillmentOrderLineItem"},
    "draftOrderCreate": {"DraftOrder", "DraftOrderLineItem", "Customer"}, "draftOrderUpdate": {"DraftOrderLineItem"},
    "draftOrderComplete": {"Order", "LineItem", "OrderTransaction"},
    "collectionUpdate": {"Job", "Metafield"}, "collectionRemoveProducts": {"Job"},
    "collectionAddProductsV2": {"Job"}, "collectionReorderProducts": {"Job"},
    "productDelete": {"ProductDeleteOperation"}, "bulkOperationRunQuery": {"BulkOperation"},
    "bulkOperationRunMutation": {"BulkOperation"}, "webhookSubscriptionCreate": {"WebhookSubscription"}}
_KEPT = {"Product", "ProductVariant", "InventoryItem", "InventoryLevel", "Location", "Collection", "ProductOption",
         "ProductOptionValue", "Metafield", "MetafieldDefinition", "TaxonomyCategory", "InventoryAdjustmentGroup",
         "ProductDeleteOperation", "ProductSetOperation", "Shop", "InventoryQuantity", "Job",
         "Customer", "MailingAddress", "Order", "DraftOrder", "LineItem", "DraftOrderLineItem",
         "FulfillmentOrder", "FulfillmentOrderLineItem", "FulfillmentHold", "Fulfillment", "OrderTransaction",
         "CalculatedOrder", "CalculatedLineItem", "Segment", "FulfillmentService", "PaymentTerms",
         "PaymentTermsTemplate", "FulfillmentEvent", "Metaobject", "MetaobjectDefinition",
         "BulkOperation", "WebhookSubscription", "App", "AppInstallation", "BasicEvent", "Publication"}
_MISSING = re.compile(r"does not exist|could not be found|was deleted|wasn't found|was not found|does not belong|"
                      r"couldn't be found", re.IGNORECASE)


@dataclass
class Outcome:
    """What became of one step: replayed, skipped (with the reason) or differing (with the places)."""

    step: Step
    kind: str
    detail: str = ""


@dataclass
class Report:
    recording: Recording
    outcomes: list[Outcome] = field(default_factory=list)

    def of(self, kind: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.kind == kind]


def replay(recording: Recording) -> Report:
    """Run every step; each further (upstream) read in a store of its own, the others one after another.

    What recordings show both ways is a switch of the store: where one position does not fit, the other is tried.
    """
    report = _replayed(recording)
    for switches in _OTHER_POSITIONS if report.of("differs") else ():
        other = _replayed(recording, **switches)
        if len(other.of("differs")) < len(report.of("differs")):
            report = other
    return report


# Switches that one recording or another needs in their other position; or whether its further reads, made to learn
# of the state before a mutation, say how things stood at first.
_OTHER_POSITIONS: tuple[dict[str, Any], ...] = (
    {"smart_collections_take_products": True}, {"unknown_fulfillment_order_is_top_level": True},
    {"from_upstream": True})


def _replayed(recording: Recording, **switches: Any) -> Report:
    report = Report(recording)
    main = _Replay(recording, **switches)
    for step in recording.steps:
        runner = _Replay(recording, **switches) if step.upstream else main
        report.outcomes.append(runner.step(step))
    return report


class _Replay:
    def __init__(self, recording: Recording, *, from_upstream: bool = False, **switches: Any) -> None:
        self.recording, self.from_upstream = recording, from_upstream
        self.upstream: dict[str, list[dict[str, Any]]] = {}  # as the further reads show things
        for step in recording.steps:
            for thing in mentioned(step.body.get("data")) if step.upstream else ():
                self.upstream.setdefault(thing["id"], []).append(thing)
        self.store = Store(products=0, clock=Clock(_captured(recording.whole)), plan="unlimited",
                           behaviour=Behaviour(search_lag_seconds=3600, bulk_start_seconds=3600,
                                              product_operation_seconds=4,
                                              lists_implied_scopes=False, **switches))
        self.store.locations.clear()
        if "gid://shopify/Publication/" in json.dumps(recording.whole):
            self.store.publications.clear()  # it brings its own
        name = recording.store_domain.removesuffix(".myshopify.com")
        self.store.shop.name, self.store.shop.domain = name, recording.store_domain
        self.bound: dict[str, str] = {}  # recorded id -> ours
        self.shown: dict[str, list[dict[str, Any]]] = {}
        self.first_ids: dict[str, str] = {}  # by path of the step: the first id that its answer shows
        self.gone: set[str] = set()  # deleted by a step that was replayed: never taken over again
        self.said: set[str] = set()  # what was asked and answered before
        self.further = False  # the step at hand is a further read
        self.cut = False  # the answer and the text of a step do not have the same fields
        self.makes_events = "fulfillmentEventCreate" in json.dumps(recording.whole)  # so none is taken over
        self.blind = False  # a mutation was skipped: what comes after may show what it did
        for thing in mentioned(_answers_only(recording.whole)):
            self.shown.setdefault(thing["id"], []).append(thing)
        self.seen: dict[str, list[dict[str, Any]]] = {}  # shown by the steps so far
        app = re.search(r"app--(\d+)", json.dumps(recording.whole))
        self.store.app_id = int(app[1]) if app else self.store.app_id
        self.store.shop.currency_code = _currency(recording.whole) or self.store.shop.currency_code
        made = {thing["id"] for step in recording.steps for name in ("locationAdd", "fulfillmentServiceCreate")
                for thing in mentioned((step.body.get("data") or {}).get(name))}
        for global_id, things in self.shown.items():
            if kind_of(global_id) == "Location" and global_id not in made:
                self.take_over([{key: thing[key] for key in ("id", "name", "isActive") if key in thing}
                                for thing in things])
        if "locationDeactivate" in json.dumps(recording.whole):
            self.store.add_location("Another that fulfils")  # a shop always has one left
        routed = _assigned(recording.whole)
        self.store.routes_to = number_of(routed) if routed else None
        self.store.set_scopes(_scopes(recording.whole) or [*_scopes_told_elsewhere(), "read_all_orders"])
        payloads = re.search(r'"apiVersion": \{"handle": "([\d-]+)"', json.dumps(recording.whole))
        self.store.behaviour.webhook_version = payloads[1] if payloads else ""
        for step in recording.steps:
            for shop in _shops(step.body.get("data")):
                self.store.adopt({"id": "gid://shopify/Shop/1", **shop})

    # --- one step ---------------------------------------------------------------------------------------

    def step(self, step: Step) -> Outcome:
        """One step; a store that breaks down on it differs, and does not end the replay."""
        try:
            return self.played(step)
        except Exception as error:
            return Outcome(step, "differs", f"the store broke down: {type(error).__name__}: {error}")

    def played(self, step: Step) -> Outcome:
        placeholders = [value for value in _texts(step.variables) if re.fullmatch(r"<\w+(-\w+)+>", value)]
        if placeholders:
            step = replace(step, variables=_translated(step.variables, self.bound | self.named(placeholders)))
        self.cut, self.further = False, step.upstream
        query, left_out = step.query, []
        data = step.body.get("data") or {}
        if query is None:
            keyed = not any("@idempotent" in error.get("message", "") for error in step.body.get("errors") or ())
            try:
                if "inline" in step.path.lower() or "literal" in step.path.lower():
                    raise CannotWrite("arguments stood in the text")
                made = written(load_schema(), data, step.variables, keyed=keyed)
            except CannotWrite as error:
                self.take_over(data)
                self.note(step, data)
                return Outcome(step, "skipped", f"no request text ({error})")
            query, left_out = _translated(made.text, self.bound), made.left_out
        self.store.clock.advance(1)  # what comes later is younger
        said = json.dumps([query, step.variables, step.body.get("data")], sort_keys=True)
        copied = said in self.said and re.search(r"^\s*mutation\b", query, re.MULTILINE) is not None
        self.said.add(said)
        self.prepare(step, query, data)
        bulk_files.upload(self.store, self.recording.whole, step, self.ours(step.variables))
        bulk_files.reach(self.store, data, self.bound)
        variables = self.ours(step.variables)
        outcome = run(self.store, query, variables, step.operation_name, version=self.version_of(step))
        answer = outcome.body
        reason = self.unreplayable(step, answer, query)
        if reason:
            self.blind = self.blind or ("mutation" in query and not _refused(step.body))
            self.take_over(data)
            self.note(step, data)
            return Outcome(step, "skipped", reason)
        expected = dict(step.body)
        if left_out:
            expected["data"] = _without(data, left_out)
        differences = list(self.differ(expected, answer, "errors" in answer and step.query is not None))
        if differences and not outcome.is_mutation:
            # the answer may have been read before or after the index had caught up and operations had ended
            self.store.index.catch_up()
            self.store.clock.advance(5)
            answer = run(self.store, query, variables, step.operation_name, version=self.version_of(step)).body
            differences = list(self.differ(expected, answer, "errors" in answer and step.query is not None))
            if differences:  # or before the index knew anything of it
                with (mock.patch.object(self.store.index, "documents", return_value={}),
                      mock.patch.object(self.store.index, "orders", {})):
                    blank = run(self.store, query, variables, step.operation_name, version=self.version_of(step)).body
                    if not list(self.differ(expected, blank, "errors" in blank and step.query is not None)):
                        differences = []
        self.note(step, data)
        if differences:
            self.take_over(data)
            if copied:
                return Outcome(step, "skipped", "a copy of a mutation that stands earlier in the recording")
            if self.blind:
                return Outcome(step, "skipped", "follows a step that could not be replayed")
            if not outcome.is_mutation and _reordered(expected.get("data"), answer.get("data")):
                return Outcome(step, "skipped", "sorted by values that the answer does not show")
            hidden = _hidden_words(step, data)
            if hidden and not outcome.is_mutation and all(_of_membership(each) for each in differences):
                return Outcome(step, "skipped", f"the answer does not show what the search looks at: {hidden}")
            return Outcome(step, "differs", "; ".join(differences[:4]))
        if step.query and self.cut:
            return Outcome(step, "replayed", "in what both show: the recorded answer has other fields than the text")
        return Outcome(step, "replayed" if step.query else "written")

    def version_of(self, step: Step) -> str:
        """The API version that a step was sent to: some recordings try several and name them in the step."""
        told = re.search(r"(20\d\d)(01|04|07|10)$", step.path)
        return f"{told[1]}-{told[2]}" if told else self.recording.version

    def named(self, placeholders: list[str]) -> dict[str, str]:
        """`<setup-customer-id>` stands for the id that the step named most like it has shown."""
        found = {}
        for placeholder in placeholders:
            words = set(placeholder.strip("<>").removesuffix("-id").lower().split("-"))
            stems = {word[:4] for word in words}
            best = max(self.first_ids, default=None, key=lambda path: len(
                stems & {part[:4].lower() for part in re.findall(r"[A-Z]?[a-z]+", path)}))
            if best is not None:
                found[placeholder] = self.first_ids[best]
        return found

    def unreplayable(self, step: Step, answer: dict[str, Any], query: str) -> str | None:
        """Why the two answers cannot be compared, None when they can."""
        for global_id in _ids(step.variables):
            if global_id in self.shown and kind_of(global_id) not in _KEPT:
                return f"not simulated: {kind_of(global_id)}"
        recorded = [error.get("message", "") for error in step.body.get("errors") or ()]
        if self.recording.version < "2026-01" and step.query is None and re.search(
                r"\binventory(Activate|BulkToggleActivation)\b", query):
            return "inventory contract before 2026-04"
        for error in answer.get("errors") or ():
            code = (error.get("extensions") or {}).get("code")
            if code == "NOT_SIMULATED":
                return f"not simulated: {error['extensions']['typeName']}.{error['extensions']['fieldName']}"
            gone = ("undefinedField", "argumentNotAccepted", "missingRequiredArguments", "undefinedType",
                    "missingRequiredInputObjectAttribute", "variableMismatch", "argumentLiteralsIncompatible",
                    "variableRequiresValidType", "variableNotUsed", "undefinedDirective")
            if code in gone and error["message"] not in recorded and not recorded:
                return f"not in 2026-10: {error['message']}"
            if code == "INVALID_VARIABLE" and "not defined on" in error["message"] and not recorded:
                return f"not in 2026-10: {error['message'][:120]}"
            if self.recording.version < "2026-04" and ("@idempotent directive is required" in error["message"]
                                                       or "changeFromQuantity" in error["message"]):
                return "inventory contract before 2026-04"
        return None

    # --- state ------------------------------------------------------------------------------------------

    def prepare(self, step: Step, query: str, data: dict[str, Any]) -> None:
        """Take over what the request speaks of and what its answer shows without having made it."""
        text = json.dumps(step.body)
        made = self.made(data)
        reads = step.query is not None and re.search(r"^\s*mutation\b", query, re.MULTILINE) is None
        if reads and step.upstream:
            self.take_over(data)
            return
        for global_id in dict.fromkeys(_ids(step.variables)):
            if global_id in self.bound or global_id in self.gone or self.store.thing(global_id) is not None:
                continue
            if global_id not in self.shown and (kind_of(global_id) not in _KEPT or self.absent(global_id)):
                continue
            if global_id not in self.shown and _MISSING.search(text):
                continue
            known = self.seen.get(global_id) or self.first_shown(global_id)
            self.take_over([{"id": global_id}, *known])
        for thing in _outermost(data, self.bound):
            if kind_of(thing["id"]) not in made and self.store.thing(thing["id"]) is None:
                self.take_over(thing if reads else _without_stock(thing))
        if reads:
            self.take_over_unknown(data)
        self.stock_from_input(step.variables)
        for row in (data.get("metafieldsDelete") or {}).get("deletedMetafields") or ():
            if row and self.store.thing(self.ours(row["ownerId"])) is not None:  # it was there, whatever it held
                self.store.adopt({"id": self.ours(row["ownerId"]), "metafield": {
                    "id": f"gid://shopify/Metafield/{self.store.new_id()}", **row, "value": "x"}})

    def first_shown(self, global_id: str) -> list[dict[str, Any]]:
        """How a thing stood at first; of people and orders also what only later steps show."""
        if self.from_upstream and global_id in self.upstream:
            return self.upstream[global_id][:1]
        found = self.shown.get(global_id, [{"id": global_id}])
        if kind_of(global_id) in ("Customer", "Order", "DraftOrder", "Fulfillment", "FulfillmentOrder"):
            return list(reversed(found))
        return [_without_stock(thing) for thing in found[:1]]

    def absent(self, global_id: str) -> bool:
        """Whether the id is one of those that testers make up for things that are not there."""
        number = number_of(global_id) or 0
        return str(number).startswith("99999999") or number < 1000

    def note(self, step: Step, data: Any) -> None:
        """Remember what this step has shown: it is how things stand for the steps to come."""
        self.gone |= set(_deleted(data))
        for thing in mentioned(data):
            if "mutation" in (step.query or "mutation"):
                self.first_ids.setdefault(step.path, thing["id"])
            self.seen.setdefault(thing["id"], []).append(thing)

    def made(self, data: dict[str, Any]) -> set[str]:
        kinds: set[str] = set()
        for name in data:
            if name in _MADE_BY:
                kinds |= _MADE_BY[name] or {"Product", "ProductVariant", "InventoryItem", "InventoryLevel",
                                            "ProductOption", "ProductOptionValue", "Metafield",
                                            "ProductSetOperation"}
        return kinds

    def take_over(self, value: Any) -> None:
        try:
            held = _translated(value, self.bound)
            self.store.adopt(_without_events(held) if self.makes_events and not self.further else held)
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # the answer shows something that no store could hold; the comparison will say so
        self.store.index.catch_up()

    def take_over_unknown(self, data: dict[str, Any]) -> None:
        """What was never made here is believed as it is read; what was made here must come out by itself."""
        for thing in _outermost(data, self.bound):
            if not set(_ids(thing)) & set(self.bound):
                self.take_over(thing)

    def stock_from_input(self, variables: dict[str, Any]) -> None:
        """An adopted level holds what the first request about it says that it changes from."""
        given = variables.get("input") if isinstance(variables.get("input"), dict) else {}
        assert isinstance(given, dict)
        rows = [(row, given.get("name") or "on_hand") for key in ("quantities", "setQuantities", "changes")
                for row in given.get(key) or () if isinstance(row, dict)]
        rows += [({**row[side], "inventoryItemId": row.get("inventoryItemId")}, row[side].get("name", ""))
                 for row, _ in list(rows) for side in ("from", "to") if isinstance(row.get(side), dict)]
        for row, name in rows:
            ids = self.ours([row.get("inventoryItemId"), row.get("locationId")])
            if not all(isinstance(each, str) for each in ids) or row.get("changeFromQuantity") is None:
                continue
            item, location = self.store.thing(ids[0]), self.store.thing(ids[1])
            if item is None or location is None or location.id in item.levels or name not in (
                    "available", "on_hand", "damaged", "incoming", "reserved", "quality_control", "safety_stock"):
                continue
            level = self.store.stock_at(item, location)
            level.stock["available" if name == "on_hand" else name] = row["changeFromQuantity"]

    def ours(self, value: Any) -> Any:
        return _translated(value, self.bound)

    # --- comparison -------------------------------------------------------------------------------------

    def differ(self, recorded: dict[str, Any], ours: dict[str, Any], locations: bool) -> Iterator[str]:
        theirs, mine = recorded.get("errors") or [], ours.get("errors") or []
        if len(theirs) != len(mine):
            yield f"errors: {_short([e.get('message') for e in theirs])} ≠ {_short([e.get('message') for e in mine])}"
            return
        for one, other in zip(theirs, mine, strict=True):
            yield from self.differ_errors(one, other, locations)
        if ("data" in recorded) != ("data" in ours):
            yield f"data: {'there' if 'data' in recorded else 'missing'} ≠ {'there' if 'data' in ours else 'missing'}"
        if "data" in recorded and "data" in ours:
            yield from self.differ_values(recorded["data"], ours["data"], "data")

    def differ_errors(self, one: dict[str, Any], other: dict[str, Any], locations: bool) -> Iterator[str]:
        mine, theirs = _plain_message(other.get("message", "")), _plain_message(one.get("message", ""))
        if self.ours(theirs) != mine:
            yield f"message: {theirs!r} ≠ {mine!r}"
        code = [(each.get("extensions") or {}).get("code") for each in (one, other)]
        if code[0] != code[1]:
            yield f"code: {code[0]} ≠ {code[1]}"
        if one.get("path") != other.get("path"):
            yield f"path: {one.get('path')} ≠ {other.get('path')}"
        if locations and not _same_places(one.get("locations"), other.get("locations")):
            yield f"locations: {one.get('locations')} ≠ {other.get('locations')}"
        for key in ("typeName", "fieldName", "argumentName", "nodeName", "variableName", "requiredAccess",
                    "argumentType", "inputObjectType", "className", "name", "arguments", "directiveName"):
            values = [(each.get("extensions") or {}).get(key) for each in (one, other)]
            if values[0] != values[1]:
                yield f"extensions.{key}: {values[0]} ≠ {values[1]}"

    def differ_values(self, one: Any, other: Any, path: str) -> Iterator[str]:
        key = path.rsplit(".", 1)[-1]
        if key in _VOLATILE and not isinstance(one, str):
            return
        if isinstance(one, dict) and isinstance(other, dict):
            if set(other) != set(one):
                self.cut = True  # a recorder has left fields out, or put them together from several answers
            for name in one:
                if name in other:
                    yield from self.differ_values(one[name], other[name], f"{path}.{name}")
        elif isinstance(one, list) and isinstance(other, list):
            if key in ("inputFields", "fields", "enumValues", "args") and all("name" in each for each in one):
                # the schema's order, other versions' additions
                names = {entry["name"] for entry in one} & {entry["name"] for entry in other}
                one, other = (sorted((entry for entry in rows if entry["name"] in names), key=lambda row: row["name"])
                              for rows in (one, other))
            if key == "quantities":  # a recorder may have left out names that the text asks for
                names = {entry.get("name") for entry in one}
                other = [entry for entry in other if entry.get("name") in names] if None not in names else other
            if len(one) != len(other):
                yield f"{path}: {len(one)} entries ≠ {len(other)}: {_short(one)} ≠ {_short(other)}"
                return
            for index, (left, right) in enumerate(zip(one, other, strict=True)):
                yield from self.differ_values(left, right, f"{path}.{index}")
        elif isinstance(one, str) and isinstance(other, str) and one.startswith("gid://shopify/"):
            yield from self.differ_ids(one, other, path)
        elif key in ("name", "orderName") and isinstance(one, str) and isinstance(other, str) and _NUMBERED.fullmatch(
                one) and _NUMBERED.fullmatch(other):
            if self.bound.setdefault(one, other) != other:
                yield f"{path}: {one} stands for {self.bound[one]}, not {other}"
        elif key in _VOLATILE:
            if key in ("cursor", "startCursor", "endCursor") and isinstance(one, str) and isinstance(other, str):
                self.bound[one] = other
            if (one is None) != (other is None) and key not in ("publishedAt", "onlineStorePreviewUrl", "updatedAt"):
                yield f"{path}: {_short(one)} ≠ {_short(other)}"
        elif key == "description" and re.search(r"[sS]copes\.\d+\.description$", path):
            return  # Shopify's words about a scope
        elif key in ("hasNextPage", "hasPreviousPage") and one is True and path.count(".") < 6:
            return  # the real store held more than the recording shows
        elif key in ("status", "deletedProductId") and path.split(".")[1] in ("productOperation", "node"):
            return  # how far an operation has come is a matter of moments
        elif path.endswith((".value", ".name")) and ".parameters." in path:
            yield from self.differ_parameters(one, other, path)
        elif key == "message" and isinstance(one, str) and isinstance(other, str):
            if self.ours(_plain_message(one)) != _plain_message(other):
                yield f"{path}: {_short(one)} ≠ {_short(other)}"
        elif key not in _LAGGING and not (self.further and key == "metaobjectsCount") and self.ours(one) != other:
            yield f"{path}: {_short(one)} ≠ {_short(other)}"

    def differ_parameters(self, one: Any, other: Any, path: str) -> Iterator[str]:
        """The form fields of an upload: their names are fixed, of the values only the key matters later."""
        if path.endswith(".name") and one != other:
            yield f"{path}: {one} ≠ {other}"
        elif path.endswith(".value") and str(one).startswith("tmp/"):
            self.bound[one] = other

    def differ_ids(self, one: str, other: str, path: str) -> Iterator[str]:
        if kind_of(one) != kind_of(other):
            yield f"{path}: {one} ≠ {other}"
        elif kind_of(one) in ("Shop", "InventoryItemMeasurement", "InventoryQuantity", "AppInstallation", "App",
                              "Domain", "ProductImage", "MediaImage", "Job"):
            return
        elif one in self.bound:
            if self.bound[one] != other:
                yield f"{path}: {one} stands for {self.bound[one]}, not {other}"
        elif one != other:
            self.bound[one] = other



_NUMBERED = re.compile(r"#D?\d+(-F\d+)?")  # orders, draft orders and fulfilments are numbered by the shop


def _answers_only(value: Any) -> Any:
    """The recording without what was sent."""
    if isinstance(value, list):
        return [_answers_only(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _answers_only(entry) for key, entry in value.items()
                if key not in ("request", "expected") and "variables" not in key.lower()}
    return value


def _outermost(value: Any, bound: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every object with an id, but nothing from within an object that the store itself has made."""
    if isinstance(value, list):
        for entry in value:
            yield from _outermost(entry, bound)
    elif isinstance(value, dict):
        if isinstance(value.get("id"), str):
            if value["id"] in bound:
                return
            yield value
        for entry in value.values():
            yield from _outermost(entry, bound)


def _without_stock(value: Any) -> Any:
    """A thing as it may have been before: what mutations change of stock is left out."""
    if isinstance(value, list):
        return [_without_stock(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _without_stock(entry) for key, entry in value.items()
                if key not in ("quantities", "inventoryQuantity", "isActive", "inventoryLevels")}
    return value


def _without_events(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_events(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _without_events(entry) for key, entry in value.items() if key != "events"}
    return value


def _deleted(value: Any) -> Iterator[str]:
    """The ids under `deletedProductId` and its like."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if re.fullmatch(r"deleted\w*Id", key) and isinstance(entry, str):
                yield entry
            else:
                yield from _deleted(entry)


def _assigned(value: Any) -> str | None:
    """The location that the recording's first fulfilment order is at: where the shop's rules send orders from."""
    if isinstance(value, list):
        return next((found for found in map(_assigned, value) if found), None)
    if not isinstance(value, dict):
        return None
    place = (value.get("assignedLocation") or {}).get("location") if isinstance(
        value.get("assignedLocation"), dict) else None
    if isinstance(place, dict) and isinstance(place.get("id"), str):
        return str(place["id"])
    return next((found for found in map(_assigned, value.values()) if found), None)


def _currency(value: Any) -> str | None:
    """The currency of the shop: the first that is shown as the shop's money or as what a customer spent."""
    if isinstance(value, list):
        return next((found for found in map(_currency, value) if found), None)
    if not isinstance(value, dict):
        return None
    for key, entry in value.items():
        if key in ("shopMoney", "amountSpent") and isinstance(entry, dict) and entry.get("currencyCode"):
            return str(entry["currencyCode"])
    return next((found for key, entry in value.items() if key not in ("variables", "request")
                 for found in [_currency(entry)] if found), None)


def _captured(recording: Any) -> datetime:
    """When the recording was made."""
    told = recording.get("capturedAt") if isinstance(recording, dict) else None
    return datetime.fromisoformat(told.replace("Z", "+00:00")) if told else datetime(2026, 11, 23, 10, tzinfo=UTC)


def _scopes(value: Any) -> list[str]:
    """The scopes of the app, where the recording asks for them."""
    if isinstance(value, list):
        return next((found for found in map(_scopes, value) if found), [])
    if not isinstance(value, dict):
        return []
    installation = value.get("currentAppInstallation")
    if isinstance(installation, dict) and installation.get("accessScopes"):
        return [str(each["handle"]) for each in installation["accessScopes"]]
    return next((found for found in map(_scopes, value.values()) if found), [])


@cache
def _scopes_told_elsewhere() -> list[str]:
    """The recorder's app is the same in all recordings; some of them list its scopes."""
    return next((found for name in recordings.names("*/apps/*", "*/webhooks/*", "*/orders/*")
                 for found in [_scopes(recordings.read(name).whole)] if found), list(ALL_SCOPES))


def _same_places(one: Any, other: Any) -> bool:
    """Whether the places are the same, or all a line later: recorders cut the empty line before a text, and what
    the first line is indented by.
    """
    if one == other or not one or not other or len(one) != len(other):
        return bool(one == other)
    return all(mine["line"] + 1 == theirs["line"] and (mine["line"] == 1 or mine["column"] == theirs["column"])
               for theirs, mine in zip(one, other, strict=True))


def _refused(body: Any) -> bool:
    """Whether a mutation was refused as a whole, so that it changed nothing."""
    payloads = [each for each in (body.get("data") or {}).values() if isinstance(each, dict)]
    return not payloads or all(any(rows for key, rows in each.items() if key.lower().endswith("usererrors"))
                               for each in payloads)


def _shops(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for entry in value:
            yield from _shops(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key == "shop" and isinstance(entry, dict):
                yield entry
            yield from _shops(entry)


def _reordered(one: Any, other: Any) -> bool:
    """Whether the lists hold the same things and only their order differs."""
    return sorted(_ids(one)) == sorted(_ids(other)) and list(_ids(one)) != list(_ids(other))


def _of_membership(difference: str) -> bool:
    """Whether a difference is only about which things a list has: a search may have looked at what is not shown."""
    return " entries ≠ " in difference or ".pageInfo." in difference or re.match(
        r"data\.\w+: .*≠ null$", difference) is not None


def _hidden_words(step: Step, data: dict[str, Any]) -> str:
    """The words of the request's searches that its own answer does not show."""
    searches = [value for key, value in step.variables.items() if "query" in key.lower() and isinstance(value, str)]
    searches += re.findall(r'query: *"((?:[^"\\]|\\.)*)"', step.query or "")
    shown = json.dumps(data).lower()
    words = [word.strip("\"'()*").rsplit(":", 1)[-1].strip("\"'<>=") for search in searches for word in search.split()]
    return ", ".join(dict.fromkeys(word for word in words if len(word) > 3 and word.lower() not in shown))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _texts(entry)


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("gid://shopify/"):
            yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _ids(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _ids(entry)


def _translated(value: Any, bound: dict[str, str]) -> Any:
    if isinstance(value, str):
        if value in bound:
            return bound[value]
        numbers = {old.rsplit("/", 1)[-1]: new.rsplit("/", 1)[-1] for old, new in bound.items() if "/" in old}
        value = re.sub(r"(?<!/)\b\d{9,}\b", lambda match: numbers.get(match[0], match[0]), value)
        if "gid://shopify/" in value or "inventory_item_id=" in value:
            return re.sub(r"gid://shopify/[A-Za-z]+/[\w-]+(\?[\w=&]+)?", lambda match: _one_id(match[0], bound), value)
        return value
    if isinstance(value, list):
        return [_translated(entry, bound) for entry in value]
    if isinstance(value, dict):
        return {key: _translated(entry, bound) for key, entry in value.items()}
    return value


def _one_id(global_id: str, bound: dict[str, str]) -> str:
    """Ours for a recorded id; a quantity's is that of its level with a name."""
    if "/InventoryQuantity/" in global_id and global_id not in bound:
        level, _, name = global_id.replace("InventoryQuantity", "InventoryLevel").partition("&")
        if level in bound:
            return f"{bound[level].replace('InventoryLevel', 'InventoryQuantity')}&{name}"
    return bound.get(global_id, global_id)


def _without(data: Any, paths: list[tuple[str, ...]]) -> Any:
    """The answer without the fields that the written document could not ask for."""
    def cut(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [cut(entry, path) for entry in value]
        if isinstance(value, dict):
            return {key: cut(entry, (*path, key)) for key, entry in value.items() if (*path, key) not in paths}
        return value
    return cut(data, ())


def _plain_message(text: str) -> str:
    """Without the lists of values, which grow from version to version, and without a request's own id."""
    text = re.sub(r"(Request ID: )[\w-]+", r"\1…", text)
    return re.sub(r"(to be one of: )[^)]*|(must be one of the following: ).*", r"\1\2…", text)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 160 else text[:160] + "…"
