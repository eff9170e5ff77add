"""What can be done to orders and drafts besides changing a field: as data, and how each is sent and found again.

    action         what it calls               cannot be undone   found again by (facts §9)
    fulfil         fulfillmentCreate           partly             remainingQuantity of its lines, a new fulfilment
    close, reopen  orderClose, orderOpen       no harm            closedAt
    cancel         orderCancel                 yes                cancelledAt
    mark_paid      orderMarkAsPaid             yes                what is outstanding
    complete       draftOrderComplete          yes                the draft's status
    send_invoice   draftOrderInvoiceSend       yes                invoiceSentAt

None of these calls takes a key, so none is ever sent twice by itself. Each is one `Step`: exactly what is sent, and
what the thing looked like before, by which a lost answer is judged. Things are looked at by id, which is fresh at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from backend.core.values import UNREAD
from backend.errors import OutcomeUnknown
from backend.shopify.answers import LOOKED_AT, Answer, denied
from backend.shopify.client import Client
from backend.shopify.cures import cure_for

Thing = dict[str, Any]
"""An order or a draft as the documents here select it."""
Options = dict[str, Any]

FULFIL = ("write_merchant_managed_fulfillment_orders", "write_assigned_fulfillment_orders",
          "write_third_party_fulfillment_orders")
SEES_FULFIL = ("read_merchant_managed_fulfillment_orders", "read_assigned_fulfillment_orders",
               "read_third_party_fulfillment_orders", "read_marketplace_fulfillment_orders")
AT_ONCE = 50
_ERRORS = "userErrors { field message }"

_ORDER = """id name closedAt cancelledAt canMarkAsPaid displayFinancialStatus displayFulfillmentStatus
    totalOutstandingSet { shopMoney { amount currencyCode } } totalReceivedSet { shopMoney { amount currencyCode } }
    fulfillments(first: 100) { id status createdAt }"""
_PIECES = """fulfillmentOrders(first: 20) { pageInfo { hasNextPage endCursor } nodes { id status
      supportedActions { action } assignedLocation { name }
      lineItems(first: 100) { pageInfo { hasNextPage endCursor }
        nodes { id remainingQuantity lineItem { name sku } } } } }"""
_DRAFT = """id name status email invoiceSentAt completedAt order { id name }
    totalPriceSet { shopMoney { amount currencyCode } }"""

def _mutation(called: str, variables: str, call: str, returns: str, errors: str = _ERRORS) -> str:
    return f"mutation {called}({variables}) {{\n  done: {call} {{ {returns} {errors} }}\n}}"


DOCUMENTS = {
    "fulfil": _mutation("Fulfil", "$fulfillment: FulfillmentInput!", "fulfillmentCreate(fulfillment: $fulfillment)",
                        "fulfillment { id name status order { id } }"),
    "close": _mutation("Close", "$input: OrderCloseInput!", "orderClose(input: $input)", "order { id }"),
    "reopen": _mutation("Reopen", "$input: OrderOpenInput!", "orderOpen(input: $input)", "order { id }"),
    "cancel": _mutation(
        "Cancel", "$orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $notifyCustomer: Boolean, "
        "$refundMethod: OrderCancelRefundMethodInput, $staffNote: String",
        "orderCancel(orderId: $orderId, reason: $reason, restock: $restock, notifyCustomer: $notifyCustomer, "
        "refundMethod: $refundMethod, staffNote: $staffNote)", "job { id }",
        "orderCancelUserErrors { field message code }"),
    "mark_paid": _mutation("MarkPaid", "$input: OrderMarkAsPaidInput!", "orderMarkAsPaid(input: $input)",
                           "order { id }"),
    "complete": _mutation("Complete", "$id: ID!", "draftOrderComplete(id: $id)",
                          "draftOrder { id status order { id name } }"),
    "send_invoice": _mutation("Invoice", "$id: ID!, $email: EmailInput",
                              "draftOrderInvoiceSend(id: $id, email: $email)",
                              "draftOrder { id status invoiceSentAt }"),
}
"""By action. Each calls its mutation `done`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `variables` is exactly what is sent; `before` what is needed to find it again, and `digest` stands for
    all that decides whether it still may be done."""

    action: str
    thing: str
    variables: dict[str, Any]
    effect: tuple[str, ...]
    before: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    resource: str
    label: str
    scopes: tuple[str, ...]
    """Any one of them is enough."""
    final: str
    """What cannot be taken back, "" where nothing is lost."""
    bars: Callable[[Thing], str]
    """Why it may not be done to a thing now, "" where it may."""
    steps: Callable[[Thing, Options], list[Step]]
    now: Callable[[dict[str, Any], Thing], str]
    """The digest that the step with this `before` would have on a thing as it is now."""
    happened: Callable[[dict[str, Any], Thing], bool | None]
    """Whether a thing shows that the step with this `before` was done; None where it shows something else."""
    check: str
    """Where a person looks when nobody can tell."""


@dataclass(frozen=True)
class Said:
    """What Shopify answered to a step. `refused` is its sentence, with a cure."""

    refused: str = ""
    cure: str = ""
    made: dict[str, Any] = field(default_factory=dict)


class Actor:
    """Looks at orders and drafts, and does one step. `scopes` is what the token may do, None where nobody knows."""

    def __init__(self, client: Client, scopes: frozenset[str] | None) -> None:
        self._client = client
        self._scopes = scopes

    def lacks(self, action: Action) -> str:
        """The scope that this action lacks, "" where it may be done."""
        if self._scopes is None or self._scopes & set(action.scopes):
            return ""
        return action.scopes[0]

    def look(self, resource: str, keys: Iterable[str]) -> dict[str, Thing]:
        """The things that are there, by id. Raises what a read raises."""
        found: dict[str, Thing] = {}
        wanted = list(dict.fromkeys(keys))
        document = look_document(resource, pieces=self._scopes is None or bool(self._scopes & set(SEES_FULFIL)))
        for start in range(0, len(wanted), AT_ONCE):
            nodes = self._client.run(document, {"ids": wanted[start:start + AT_ONCE]}).root("nodes", "orders")
            found |= {node["id"]: node for node in nodes if isinstance(node, dict) and node.get("id")}
        return found

    def do(self, step: Step) -> Said:
        """Send one step, once. Raises OutcomeUnknown where it may have happened; every other error means that it has
        not."""
        answer = self._client.run(DOCUMENTS[step.action], step.variables, writes=True)
        return _said(answer, step)


def _said(answer: Answer, step: Step) -> Said:
    payload = answer.data.get("done", UNREAD)
    if not isinstance(payload, dict):
        problem = answer.problem_at("done")
        if problem is not None and problem.is_denial:
            error = denied(problem, "that")
            return Said(error.message, error.cure)
        if problem is None or problem.is_outage:
            raise OutcomeUnknown("Shopify failed while it was asked to do something, which may have happened.",
                                 cure=LOOKED_AT)
        return Said(problem.message, cure_for(problem.message))
    errors = payload.get("userErrors") or payload.get("orderCancelUserErrors") or []
    if errors:
        message = "; ".join(dict.fromkeys(str(error.get("message")).rstrip(".") for error in errors))
        return Said(f"Shopify refused: {message}.", cure_for(message))
    return Said(made={name: value for name, value in payload.items() if isinstance(value, dict)})


def look_document(resource: str, *, pieces: bool = True) -> str:
    """Things by id with all that decides. Variables: ids. Without the right to see fulfilment orders they are left out:
    one refused field would take the whole order out of the answer."""
    if resource == "draft_orders":
        return f"query LookAtDrafts($ids: [ID!]!) {{\n  nodes(ids: $ids) {{ ... on DraftOrder {{ {_DRAFT} }} }}\n}}"
    more = f"\n    {_PIECES}" if pieces else ""
    return f"query LookAtOrders($ids: [ID!]!) {{\n  nodes(ids: $ids) {{ ... on Order {{ {_ORDER}{more} }} }}\n}}"


def digest(thing: Thing) -> str:
    """Stands for all that was seen of a thing: a yes is good only for that."""
    return hashlib.sha256(orjson.dumps(thing, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


# --- fulfilling -----------------------------------------------------------------------------------


def lines_of(order: Thing) -> list[dict[str, Any]]:
    """What of an order waits to be sent: `{line, name, sku, remaining, piece, place}`, in order."""
    return [{"line": row["id"], "name": row["lineItem"]["name"], "sku": row["lineItem"]["sku"],
             "remaining": row["remainingQuantity"], "piece": piece["id"],
             "place": piece["assignedLocation"]["name"]}
            for piece in _open_pieces(order) for row in piece["lineItems"]["nodes"] if row["remainingQuantity"] > 0]


def _pieces(order: Thing) -> list[Thing] | None:
    found = order.get("fulfillmentOrders")
    return found["nodes"] if isinstance(found, dict) else None


def _open_pieces(order: Thing) -> list[Thing]:
    return [piece for piece in _pieces(order) or []
            if any(one["action"] == "CREATE_FULFILLMENT" for one in piece["supportedActions"])]


def _bars_fulfil(order: Thing) -> str:
    if order["cancelledAt"]:
        return "The order is cancelled."
    pieces = _pieces(order)
    if pieces is None:
        return "The app may not see what is to be fulfilled: it lacks the access scope " \
               "read_merchant_managed_fulfillment_orders."
    if order["fulfillmentOrders"]["pageInfo"]["hasNextPage"] or any(
            piece["lineItems"]["pageInfo"]["hasNextPage"] for piece in pieces):
        return "The order has more lines than can be shown here: fulfil it in Shopify's admin."
    if lines_of(order):
        return ""
    if any(piece["status"] == "ON_HOLD" for piece in pieces):
        return "Its fulfilment is on hold: release it in Shopify's admin first."
    return "Nothing of it is left to fulfil."


def _fulfil_steps(order: Thing, options: Options) -> list[Step]:
    """One call for each location. Raises ValueError, in words, for lines or quantities that are not there."""
    waiting = {line["line"]: line for line in lines_of(order)}
    chosen = {one["line"]: one["quantity"] for one in options.get("lines") or []} or {
        name: line["remaining"] for name, line in waiting.items()}
    for name, quantity in chosen.items():
        line = waiting.get(name)
        if line is None:
            raise ValueError("A chosen line is not waiting to be fulfilled any more.")
        if not 0 < quantity <= line["remaining"]:
            raise ValueError(f"Of {line['name']} {line['remaining']} can be fulfilled, not {quantity}.")
    places = dict.fromkeys(waiting[name]["place"] for name in chosen)
    steps = []
    for place in places:
        here = {name: quantity for name, quantity in chosen.items() if waiting[name]["place"] == place}
        groups: dict[str, list[dict[str, Any]]] = {}
        for name, quantity in here.items():
            groups.setdefault(waiting[name]["piece"], []).append({"id": name, "quantity": quantity})
        sent: dict[str, Any] = {
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": piece, "fulfillmentOrderLineItems": rows}
                                            for piece, rows in groups.items()],
            "notifyCustomer": bool(options.get("notify"))}
        tracking = {name: value for name, value in (options.get("tracking") or {}).items() if value}
        if tracking:
            sent["trackingInfo"] = tracking
        words = [f"Fulfils {quantity} × {waiting[name]['name']} from {place}." for name, quantity in here.items()]
        if tracking:
            words.append("With tracking " + ", ".join(str(value) for value in tracking.values()) + ".")
        words.append("The customer is notified by email." if options.get("notify") else "The customer is not notified.")
        before = {"lines": {name: [waiting[name]["remaining"], quantity] for name, quantity in here.items()},
                  "fulfillments": [one["id"] for one in order["fulfillments"]]}
        steps.append(Step("fulfil", order["id"], {"fulfillment": sent}, tuple(words), before,
                          _fulfil_now(before, order)))
    return steps


def _fulfil_now(before: dict[str, Any], order: Thing) -> str:
    """Only of the step's own lines: another location that is fulfilled first does not make it another step."""
    left = {line["line"]: line["remaining"] for line in lines_of(order)}
    return digest({"lines": {name: [left.get(name), quantity] for name, (_, quantity) in before["lines"].items()},
                   "cancelled": order["cancelledAt"]})


def _fulfilled(before: dict[str, Any], order: Thing) -> bool | None:
    new = [one for one in order["fulfillments"] if one["id"] not in before["fulfillments"]]
    left = {row["id"]: row["remainingQuantity"] for piece in _pieces(order) or [] for row in
            piece["lineItems"]["nodes"]}
    moved = [left.get(name, 0) <= was - quantity for name, (was, quantity) in before["lines"].items()]
    if new and all(moved):
        return True
    if not new and all(left.get(name) == was for name, (was, _) in before["lines"].items()):
        return False
    return None


# --- the others -----------------------------------------------------------------------------------


def _one(action: str, variables: Callable[[Thing, Options], dict[str, Any]],
         words: Callable[[Thing, Options], Sequence[str]], before: Callable[[Thing], dict[str, Any]]
         ) -> Callable[[Thing, Options], list[Step]]:
    def steps(thing: Thing, options: Options) -> list[Step]:
        return [Step(action, thing["id"], variables(thing, options), tuple(words(thing, options)), before(thing),
                     digest(before(thing)))]

    return steps


def _order_before(order: Thing) -> dict[str, Any]:
    return {"closedAt": order["closedAt"], "cancelledAt": order["cancelledAt"],
            "outstanding": order["totalOutstandingSet"]["shopMoney"]["amount"],
            "received": order["totalReceivedSet"]["shopMoney"]["amount"],
            "fulfillments": [one["id"] for one in order["fulfillments"] if one["status"] != "CANCELLED"]}


def _draft_before(draft: Thing) -> dict[str, Any]:
    return {"status": draft["status"], "invoiceSentAt": draft["invoiceSentAt"], "email": draft["email"],
            "total": draft["totalPriceSet"]["shopMoney"]["amount"]}


def _order_now(_: dict[str, Any], order: Thing) -> str:
    return digest(_order_before(order))


def _draft_now(_: dict[str, Any], draft: Thing) -> str:
    return digest(_draft_before(draft))


def _email(draft: Thing) -> str:
    return "the customer's address" if draft["email"] is UNREAD else str(draft["email"])


def money(amount: dict[str, Any]) -> str:
    shown = amount["shopMoney"]
    return f"{Decimal(shown['amount']):.2f} {shown['currencyCode']}"


def _bars_close(order: Thing) -> str:
    return "It is closed already." if order["closedAt"] else ""


def _bars_reopen(order: Thing) -> str:
    if order["cancelledAt"]:
        return "A cancelled order stays closed."
    return "" if order["closedAt"] else "It is open."


def _bars_cancel(order: Thing) -> str:
    if order["cancelledAt"]:
        return "The order is cancelled already."
    if any(one["status"] != "CANCELLED" for one in order["fulfillments"]):
        return "Something of it is fulfilled: cancel the fulfilment in Shopify's admin first."
    return ""


def _bars_paid(order: Thing) -> str:
    if order["cancelledAt"]:
        return "The order is cancelled."
    return "" if order["canMarkAsPaid"] else "Nothing is left to pay, or Shopify waits for the payment itself."


def _bars_complete(draft: Thing) -> str:
    return "The draft is completed already." if draft["status"] == "COMPLETED" else ""


def _bars_invoice(draft: Thing) -> str:
    if draft["status"] == "COMPLETED":
        return "The draft is completed already."
    return "" if draft["email"] else "The draft has no email address: fill it in and sync first."


def _cancel_words(order: Thing, options: Options) -> list[str]:
    paid = Decimal(order["totalReceivedSet"]["shopMoney"]["amount"]) > 0
    refund = "Nothing was paid."
    if paid:
        back = "is given back the way it was paid" if options.get("refund") else "that was paid is not given back"
        refund = f"{money(order['totalReceivedSet'])} {back}."
    return ["Cancels the order. Nothing of it can be fulfilled or paid any more.", refund,
            "Its goods go back to stock." if options.get("restock") else "Its goods do not go back to stock.",
            "The customer is notified by email." if options.get("notify") else "The customer is not notified."]


def _cancel_variables(order: Thing, options: Options) -> dict[str, Any]:
    return {"orderId": order["id"], "reason": options.get("reason") or "OTHER", "restock": bool(options.get("restock")),
            "notifyCustomer": bool(options.get("notify")), "staffNote": options.get("staff_note") or None,
            "refundMethod": {"originalPaymentMethodsRefund": bool(options.get("refund"))}}


def _invoice_variables(draft: Thing, options: Options) -> dict[str, Any]:
    email = {name: options[given] for given, name in (("subject", "subject"), ("message", "customMessage"))
             if options.get(given)}
    return {"id": draft["id"], "email": email or None}


def _changed(name: str, value: Callable[[Thing], Any], wanted: Callable[[Any], bool]
             ) -> Callable[[dict[str, Any], Thing], bool | None]:
    def happened(before: dict[str, Any], thing: Thing) -> bool | None:
        now = value(thing)
        return True if wanted(now) and now != before[name] else False if now == before[name] else None

    return happened


def _paid(before: dict[str, Any], order: Thing) -> bool | None:
    now = order["totalOutstandingSet"]["shopMoney"]["amount"]
    return True if Decimal(now) <= 0 else False if now == before["outstanding"] else None


ACTIONS: dict[str, Action] = {one.name: one for one in (
    Action("fulfil", "orders", "Fulfil", FULFIL,
           "A fulfilment can be cancelled in Shopify's admin, but an email that was sent stays sent.",
           _bars_fulfil, _fulfil_steps, _fulfil_now, _fulfilled, "the order's fulfilments in Shopify's admin"),
    Action("close", "orders", "Close", ("write_orders",), "", _bars_close,
           _one("close", lambda order, _: {"input": {"id": order["id"]}},
                lambda order, _: ["Closes the order: it leaves the list of open ones."], _order_before),
           _order_now, _changed("closedAt", lambda order: order["closedAt"], bool), "whether the order is archived"),
    Action("reopen", "orders", "Reopen", ("write_orders",), "", _bars_reopen,
           _one("reopen", lambda order, _: {"input": {"id": order["id"]}},
                lambda order, _: ["Opens the order again."], _order_before),
           _order_now, _changed("closedAt", lambda order: order["closedAt"], lambda at: not at),
           "whether the order is open"),
    Action("cancel", "orders", "Cancel", ("write_orders",), "A cancelled order cannot be brought back.", _bars_cancel,
           _one("cancel", _cancel_variables, _cancel_words, _order_before),
           _order_now, _changed("cancelledAt", lambda order: order["cancelledAt"], bool),
           "whether the order is cancelled"),
    Action("mark_paid", "orders", "Mark as paid", ("write_orders",),
           "A payment that is recorded cannot be taken back, only refunded.", _bars_paid,
           _one("mark_paid", lambda order, _: {"input": {"id": order["id"]}},
                lambda order, _: [f"Records that {money(order['totalOutstandingSet'])} was paid by hand."],
                _order_before),
           _order_now, _paid, "the order's payments in Shopify's admin"),
    Action("complete", "draft_orders", "Complete", ("write_draft_orders",),
           "A completed draft is an order: it cannot become a draft again.", _bars_complete,
           _one("complete", lambda draft, _: {"id": draft["id"]},
                lambda draft, _: [f"Makes an order over {money(draft['totalPriceSet'])}, marked as paid.",
                                  "Its goods are reserved."], _draft_before),
           _draft_now, _changed("status", lambda draft: draft["status"], lambda status: status == "COMPLETED"),
           "whether the draft has become an order"),
    Action("send_invoice", "draft_orders", "Send invoice", ("write_draft_orders",),
           "An email that was sent stays sent.", _bars_invoice,
           _one("send_invoice", _invoice_variables,
                lambda draft, _: [f"Sends an invoice over {money(draft['totalPriceSet'])} to {_email(draft)}."],
                _draft_before),
           _draft_now, _changed("invoiceSentAt", lambda draft: draft["invoiceSentAt"], bool),
           "the draft's timeline in Shopify's admin"),
)}


def of_resource(resource: str) -> list[Action]:
    return [action for action in ACTIONS.values() if action.resource == resource]
