"""Switches for what nobody has recorded from a real store.

Each is a guess that may be wrong, so each can be turned, and the engine's tests run with both positions.
The questions are those of the facts page, marked UNVERIFIED there.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Behaviour:
    # A stock change counts as a change of the product (staff say so, one report says not).
    stock_touches_product: bool = True
    stock_touches_variant: bool = False
    stock_touches_item: bool = False
    # One stale row fails the whole call of inventorySetQuantities and its like.
    stale_row_fails_call: bool = True
    # Setting a quantity on an untracked item is accepted.
    set_on_untracked_item: bool = True
    # A set to the stored value answers with no adjustment group (recorded for adjust only).
    unchanged_set_has_no_group: bool = True
    # "" written to sku or barcode reads back as null; otherwise as "".
    empty_text_becomes_null: bool = False
    # Titles, vendors and types lose blanks around them.
    trims_titles: bool = True
    # "a, b" in productUpdate's list of tags becomes two tags.
    splits_commas_in_tag_lists: bool = True
    # A change of a metafield counts as a change of its product.
    metafield_touches_product: bool = True
    # Seconds until searches, sorted lists and counts know a change; by-id reads and answers are fresh.
    search_lag_seconds: float = 0.0
    # An unknown or future API version answers 404.
    unknown_version_is_404: bool = True
    # A key whose first attempt was refused is spent (IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED); else it may be used again.
    failed_key_is_spent: bool = False
    # A smart collection takes products by hand, as one made of sources does (recorded both ways, by date).
    smart_collections_take_products: bool = False
    # The refusal of protected customer data carries the code ACCESS_DENIED.
    protected_data_has_code: bool = True
    # A customer's e-mail is kept in small letters (duplicates are found either way).
    lowercases_emails: bool = False
    # A fulfilment order that is not there is a top-level error; otherwise a user error (recorded both ways).
    unknown_fulfillment_order_is_top_level: bool = False
    # Seconds that productDelete and productSet take when they are asked not to be waited for.
    product_operation_seconds: float = 1.0
    # Seconds until a bulk operation starts or stops, and those that it runs at least.
    bulk_start_seconds: float = 0.05
    bulk_run_seconds: float = 0.0
    # A cancelled bulk mutation tells of the lines that it had done; otherwise of none.
    bulk_cancel_keeps_answers: bool = False
    # Without groupObjects a child's line may stand before its parent's.
    bulk_children_come_first: bool = False
    # __parentId is the nearest object around a connection; otherwise the node of the connection around it.
    bulk_parent_is_nearest_object: bool = False
    # A value that a filter of bulkOperations does not know is ignored; otherwise it matches nothing, as recorded.
    bad_bulk_filters_match: bool = False
    # Webhooks may be sent to http addresses and to this machine, which Shopify refuses.
    local_webhook_addresses: bool = False
    # How many of a product's variants products/update shows; `variant_gids` lists all.
    webhook_variants: int = 100
    # Without approval for protected customer data, webhooks leave it out; otherwise they show it (reports differ).
    webhooks_hide_protected_data: bool = True
    # The app's list of scopes names the reading scope beside each writing one, given or not.
    lists_implied_scopes: bool = True
    # The API version of webhook payloads, a setting of the app; "" for the newest.
    webhook_version: str = ""
    # An order that is paid and sent is closed by itself (a setting of the shop).
    archives_finished_orders: bool = False

    def when_lag_changes(self, tell: Callable[[], None]) -> None:
        """Tell of the next changes of `search_lag_seconds`: what searches know is kept only where they lag."""
        self.__dict__["_tell"] = tell

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        tell = self.__dict__.get("_tell")
        if name == "search_lag_seconds" and tell is not None:
            tell()
