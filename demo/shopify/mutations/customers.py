"""customerCreate, customerUpdate, customerSet, customerDelete, customerMerge and consent (facts §10)."""
from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from .. import addresses, jobs, people
from ..context import Context
from ..errors import TopLevelError, user_error
from ..people import Address, Customer, add_customer, by_email, by_phone, remove_customer
from ..phones import e164, is_number
from ..reads.customers import customer_of
from . import metafields
from .base import TOO_LONG, UserErrors, mutation, too_long, wanted
from .inputs import clean_tags

_GONE = "Customer does not exist"
_NOBODY = "A name, phone number, or email address must be present"
MOST_TAGS, LONGEST_NOTE = 250, 5000
_CONSENTS = {"emailMarketingConsent": ("customerEmailMarketingConsentUpdate", "email", "An email address",
                                       "the email marketing consent"),
             "smsMarketingConsent": ("customerSmsMarketingConsentUpdate", "phone", "A phone number",
                                     "the SMS consent"),
             "whatsAppMarketingConsent": ("customerWhatsAppMarketingConsentUpdate", "phone", "A phone number",
                                          "the WhatsApp consent")}


@mutation("customerCreate")
def customer_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    if given.get("id"):
        return _refused([user_error(["id"], "Cannot specify ID on creation")])
    for name in _CONSENTS:
        _forbid_states(given.get(name), ("REDACTED",))
    errors = _field_errors(given, None, context)
    for name, (_, needs, thing, what) in _CONSENTS.items():
        if given.get(name) and not given.get(needs):
            errors.append(user_error([name], f"{thing} is required to set {what} state."))
    errors += _address_errors(given.get("addresses"), ["addresses"])
    errors += metafields.input_errors(given.get("metafields"), context, ["metafields"], "CUSTOMER")
    if not errors and not any((given.get(key) or "").strip() for key in ("firstName", "lastName", "email", "phone")):
        errors.append(user_error(None, _NOBODY))
    if errors:
        return _refused(errors)
    customer = add_customer(context.store)
    _write(customer, given, context)
    _replace_addresses(customer, given.get("addresses"), context)
    for name, held in (("emailMarketingConsent", customer.email_consent), ("smsMarketingConsent",
                                                                           customer.sms_consent)):
        if given.get(name):
            _consent(held, given[name], context)
    metafields.write_inputs(customer.gid, given.get("metafields"), context)
    context.store.touch(customer)
    return {"customer": customer, "userErrors": []}


@mutation("customerUpdate")
def customer_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    customer = wanted(context, given["id"], "Customer") if given.get("id") else None
    if customer is None:
        return _refused([user_error(["id"], _GONE)])
    errors: UserErrors = [
        user_error([name], f"To update {name}, please use the {instead} Mutation instead")
        for name, (instead, *_) in _CONSENTS.items() if given.get(name) is not None]
    errors += _field_errors(given, customer, context)
    errors += _address_errors(given.get("addresses"), ["addresses"])
    errors += metafields.input_errors(given.get("metafields"), context, ["metafields"], "CUSTOMER", customer.gid)
    if not errors and _nameless(customer, given):
        errors.append(user_error(None, _NOBODY))
    if errors:
        return _refused(errors)
    before = _state(customer)
    _write(customer, given, context)
    _replace_addresses(customer, given.get("addresses"), context)
    metafields.write_inputs(customer.gid, given.get("metafields"), context)
    if _state(customer) != before:
        context.store.touch(customer)
    return {"customer": customer, "userErrors": []}


@mutation("customerSet")
def customer_set(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, identifier = arguments["input"], arguments.get("identifier")

    def refused(message: str, code: str) -> dict[str, Any]:
        return _refused([user_error(["input"], message, code)])

    customer: Customer | None = None
    if identifier and given.get("id"):
        return refused("The id field is not allowed if identifier is provided.", "ID_NOT_ALLOWED")
    if identifier:
        for key in ("email", "phone"):
            if identifier.get(key) is None:
                continue
            if given.get(key) is None:
                return refused("The input field corresponding to the identifier is required.", "MISSING_FIELD_REQUIRED")
            if given[key] != identifier[key]:
                return refused("The identifier value does not match the value of the corresponding field in the "
                               "input.", "INPUT_MISMATCH")
        customer = customer_of(identifier, context)
        if customer is None and identifier.get("id"):
            return refused("Resource matching the identifier was not found.", "NOT_FOUND")
    elif given.get("id"):
        customer = wanted(context, given["id"], "Customer")
        if customer is None:
            return refused("Resource matching the identifier was not found.", "NOT_FOUND")
    errors: UserErrors = []
    if "taxExempt" in given and given["taxExempt"] is None:
        errors.append(user_error(["input", "taxExempt"], "Tax exempt is of unexpected type NilClass", "INVALID"))
    errors += [{**error, "field": ["input", *(error["field"] or ())], "code": _code(error["message"])}
               for error in _field_errors(given, customer, context)]
    errors += _address_errors(given.get("addresses"), ["input", "addresses"], blank_allowed=True)
    if not errors and (_nameless(customer, given) if customer else not any(
            (given.get(key) or "").strip() for key in ("firstName", "lastName", "email", "phone"))):
        errors.append(user_error(["input"], _NOBODY, "INVALID"))
    if errors:
        return _refused(errors)
    if customer is None:
        customer = add_customer(context.store)
        if identifier and identifier.get("customId"):
            metafields.write_inputs(customer.gid, [{**identifier["customId"], "type": "id"}], context)
    _write(customer, given, context)
    _replace_addresses(customer, given.get("addresses"), context)
    context.store.touch(customer)
    return {"customer": customer, "userErrors": []}


@mutation("customerDelete")
def customer_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    customer = wanted(context, arguments["input"]["id"], "Customer")
    payload: dict[str, Any] = {"deletedCustomerId": None, "shop": context.store.shop, "userErrors": []}
    if customer is None:
        return {**payload, "userErrors": [user_error(["id"], "Customer can't be found")]}
    if people.order_count(context.store, customer):
        return {**payload, "userErrors": [user_error(
            ["id"], "Customer can’t be deleted because they have associated orders")]}
    remove_customer(context.store, customer)
    return {**payload, "deletedCustomerId": customer.gid}


@mutation("customerMerge")
def customer_merge(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    one, two = (wanted(context, arguments[key], "Customer") for key in ("customerOneId", "customerTwoId"))
    for key, customer in (("customerOneId", one), ("customerTwoId", two)):
        if customer is None:
            tail = arguments[key].rsplit("/", 1)[-1]
            return {"resultingCustomerId": None, "job": None, "userErrors": [
                user_error([key], f"Customer does not exist with ID {tail}", "INVALID_CUSTOMER_ID")]}
    if one is two:
        return {"resultingCustomerId": None, "job": None, "userErrors": [
            user_error(None, "Customers IDs should not match", "INVALID_CUSTOMER_ID")]}
    two.tags = clean_tags([*two.tags, *one.tags])
    two.addresses_held += one.addresses_held
    for order in people.orders_of(context.store, one):
        order.customer = two
    remove_customer(context.store, one)
    context.store.touch(two)
    return {"resultingCustomerId": two.gid, "job": jobs.started(context.store), "userErrors": []}


# --- consent --------------------------------------------------------------------------------------------


@mutation("customerEmailMarketingConsentUpdate")
def email_consent_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _consent_update(arguments["input"], "emailMarketingConsent", "email", context)


@mutation("customerSmsMarketingConsentUpdate")
def sms_consent_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _consent_update(arguments["input"], "smsMarketingConsent", "phone", context)


def _consent_update(given: dict[str, Any], name: str, needs: str, context: Context) -> dict[str, Any]:
    change = given[name]
    _forbid_states(change, ("NOT_SUBSCRIBED", "REDACTED", "INVALID"))
    customer = wanted(context, given["customerId"], "Customer")
    if customer is None:
        return _refused([user_error(["input", "customerId"], "Customer not found", "INVALID")])
    held = customer.email_consent if needs == "email" else customer.sms_consent
    here = ["input", name]
    if getattr(customer, needs) is None:
        return {"customer": customer, "userErrors": []}  # recorded: nothing happens, and nobody is told
    if change.get("consentUpdatedAt") and datetime.fromisoformat(
            change["consentUpdatedAt"].replace("Z", "+00:00")) > context.store.now():
        return {"customer": customer, "userErrors": [user_error(
            [*here, "consentUpdatedAt"], "Consent updated at must not be in the future", "INVALID")]}
    if change["marketingState"] == "SUBSCRIBED" and change.get("marketingOptInLevel") is None:
        return {"customer": customer, "userErrors": [user_error(
            [*here, "marketingOptInLevel"], "Marketing opt in level must exist", "MISSING_ARGUMENT")]}
    if change["marketingState"] == "PENDING" and change.get("marketingOptInLevel") != "CONFIRMED_OPT_IN":
        return {"customer": customer, "userErrors": [user_error(
            [*here, "marketingOptInLevel"],
            "Marketing opt in level must be confirmed opt-in for pending consent state", "INVALID")]}
    _consent(held, change, context)
    context.store.touch(customer)
    return {"customer": customer, "userErrors": []}


def _consent(held: people.Consent, change: dict[str, Any], context: Context) -> None:
    held.state = change["marketingState"]
    held.level = change.get("marketingOptInLevel") or held.level
    held.updated_at = change.get("consentUpdatedAt") or context.store.now()
    held.collected_from = "OTHER"


def _forbid_states(change: dict[str, Any] | None, states: tuple[str, ...]) -> None:
    state = (change or {}).get("marketingState") or (change or {}).get("state")
    if state in states:
        raise TopLevelError(f"Cannot specify {state} as a marketing state input", "INVALID")


# --- fields ---------------------------------------------------------------------------------------------


def _refused(errors: UserErrors) -> dict[str, Any]:
    return {"customer": None, "userErrors": errors}


def _code(message: str) -> str:
    return "TAKEN" if "taken" in message else "TOO_LONG" if "too long" in message else "INVALID"


def _field_errors(given: dict[str, Any], customer: Customer | None, context: Context) -> UserErrors:
    errors: UserErrors = []
    email = "".join((given.get("email") or "").split())
    if email:
        if too_long(email):
            errors.append(user_error(["email"], f"Email {TOO_LONG}"))
        if too_long(email) or not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email):
            errors.append(user_error(["email"], "Email is invalid"))
        elif by_email(context.store, email) not in (None, customer):
            errors.append(user_error(["email"], "Email has already been taken"))
    phone = (given.get("phone") or "").strip()
    if phone:
        if too_long(phone):
            errors.append(user_error(["phone"], f"Phone {TOO_LONG}"))
        if not is_number(phone):
            errors.append(user_error(["phone"], "Phone is invalid"))
        elif by_phone(context.store, _phone(phone, context)) not in (None, customer):
            errors.append(user_error(["phone"], "Phone has already been taken"))
    for key, name in (("firstName", "First name"), ("lastName", "Last name")):
        if too_long(given.get(key)):
            errors.append(user_error([key], f"{name} {TOO_LONG}"))
    if too_long(given.get("note"), LONGEST_NOTE):
        errors.append(user_error(["note"], f"Note is too long (maximum is {LONGEST_NOTE} characters)"))
    tags = clean_tags(given.get("tags") or ())
    if len(tags) > MOST_TAGS:
        errors.append(user_error(["tags"], f"Tags cannot be more than {MOST_TAGS}"))
    elif any(too_long(tag) for tag in tags):
        errors.append(user_error(["tags"], f"Tags {TOO_LONG}"))
    if given.get("locale") and not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", given["locale"]):
        errors.append(user_error(["locale"], "Locale is invalid"))
    return errors


def _nameless(customer: Customer, given: dict[str, Any]) -> bool:
    """Whether the input takes away the last of name, phone and e-mail."""
    held = {"firstName": customer.first_name, "lastName": customer.last_name, "email": customer.email,
            "phone": customer.phone}
    return not any((given[key] or "").strip() if key in given else value for key, value in held.items())


def _phone(text: str, context: Context) -> str:
    return e164(text, context.store.shop.country) or text.strip()


def _write(customer: Customer, given: dict[str, Any], context: Context) -> None:
    """Write the fields that are given; blank names, e-mails and phones become null, a blank note stays blank."""
    if "firstName" in given:
        customer.first_name = (given["firstName"] or "").strip() or None
    if "lastName" in given:
        customer.last_name = (given["lastName"] or "").strip() or None
    if "email" in given:
        customer.email = "".join((given["email"] or "").split()) or None
        if customer.email and context.store.behaviour.lowercases_emails:
            customer.email = customer.email.lower()
    if "phone" in given:
        phone = (given["phone"] or "").strip()
        customer.phone = _phone(phone, context) if phone else None
    if "note" in given:
        customer.note = given["note"]
    if given.get("tags") is not None:
        customer.tags = clean_tags(given["tags"])
    if given.get("taxExempt") is not None:
        customer.tax_exempt = given["taxExempt"]
    if given.get("taxExemptions") is not None:
        customer.tax_exemptions = list(given["taxExemptions"])
    if given.get("locale"):
        customer.locale = given["locale"]


def _state(customer: Customer) -> list[Any]:
    return [customer.first_name, customer.last_name, customer.email, customer.phone, customer.note,
            list(customer.tags), customer.tax_exempt, list(customer.tax_exemptions), customer.locale,
            [dict(each.parts) for each in customer.addresses_held]]


def _address_errors(rows: list[dict[str, Any]] | None, path: list[str], *, blank_allowed: bool = False) -> UserErrors:
    errors: UserErrors = []
    for place, row in enumerate(rows or ()):
        errors += [user_error([*path, str(place), part], message, _code(message))
                   for part, message in addresses.problems(row)]
        if addresses.is_blank(row) and not blank_allowed:
            errors.append(user_error([*path, str(place)], "Customer address cannot be blank."))
    return errors


def _replace_addresses(customer: Customer, rows: list[dict[str, Any]] | None, context: Context) -> None:
    if rows is None:
        return
    customer.addresses_held = [new_address(customer, row, context) for row in rows]
    customer.default_address_id = customer.addresses_held[0].id if customer.addresses_held else None


def new_address(customer: Customer, given: dict[str, Any], context: Context) -> Address:
    """An address that carries the customer's name where it is given none."""
    named = {"firstName": customer.first_name, "lastName": customer.last_name}
    return Address(id=context.store.new_id(), parts=addresses.stored(given, {
        **dict.fromkeys((*addresses.PARTS, "country", "countryCodeV2", "province", "provinceCode")), **named}))
