"""The connector against the simulated store, over real HTTP: rights, snapshots, writes, and what goes wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shopify_helpers import (
    STORE,
    counted,
    create,
    delete,
    mapping_of,
    row_of,
    says,
    scripted,
    update,
    write,
)

from backend.connector import Stamp
from backend.core.model import Policy
from backend.core.values import UNREAD
from backend.errors import AccessError, OutcomeUnknown, RetryLater, UserError
from backend.shopify import reading
from backend.shopify.auth import ClientCredentials, PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.reading import row_maker
from demo.shopify import Behaviour

# --- rights -------------------------------------------------------------------------------------


def test_a_shop_introduces_itself(start: Any) -> None:
    at = start()
    prepared = at.connector.prepare([mapping_of("products")], {}, write=True)
    assert (at.connector.shop.name, at.connector.shop.domain) == (at.store.shop.name, STORE)
    assert (len(prepared.mappings), prepared.paused, prepared.notes) == (1, {}, ())


def test_client_credentials_open_the_store_too(start: Any) -> None:
    at = start()
    connector = ShopifyConnector(STORE, ClientCredentials("demo-client-id", "demo-client-secret"), admin_url=at.url)
    assert connector.prepare([], {}, write=False).mappings == ()
    wrong = ShopifyConnector(STORE, ClientCredentials("demo-client-id", "wrong"), admin_url=at.url)
    with pytest.raises(AccessError, match="client id and secret"):
        wrong.prepare([], {}, write=False)


def test_a_wrong_token_is_said_at_once(start: Any) -> None:
    at = start(tokens=("shpat_other",))
    with pytest.raises(AccessError, match="does not accept the access token"):
        at.connector.prepare([], {}, write=False)


def test_a_missing_reading_scope_pauses_what_needs_it_and_names_it(start: Any) -> None:
    at = start(scopes=("write_products", "read_locations"))
    names = ("products", "variants", "locations", "inventory")
    prepared = at.connector.prepare([mapping_of(name) for name in names], {}, write=True)
    assert [mapping.name for mapping in prepared.mappings] == ["products", "variants", "locations"]
    assert "read_inventory" in prepared.paused["inventory"]


def test_a_missing_writing_scope_keeps_the_rules_and_refuses_each_change(start: Any) -> None:
    at = start(scopes=("read_products",))
    mapping = mapping_of("products", "title", "vendor", create_remote=True, delete_remote=Policy.APPLY)
    prepared = at.connector.prepare([mapping], {}, write=True)
    [kept] = prepared.mappings
    assert "write_products" in prepared.notes[0]
    assert kept.fields == mapping.fields, "turned to to_grist, the store's value would go over what a person typed"
    assert (kept.create_remote, kept.delete_remote) == (False, Policy.IGNORE)
    product = next(iter(at.store.products.values()))
    title, asked = product.title, counted(at)["requests"]
    receipts = write(at.connector, kept, update(product.gid, "Chair", title=(title, "New")), delete(product.gid),
                     create(7, title="Oil lamp"))
    assert [(r.refusal and "write_products" in r.refusal.message, r.refusal and r.refusal.key) for r in receipts] == [
        (True, product.gid), (True, product.gid), (True, 7)]
    assert (product.title, counted(at)["requests"]) == (title, asked), "nothing may be sent"


def test_a_scope_that_was_added_meanwhile_lets_changes_through(start: Any) -> None:
    at = start(scopes=("read_products",))
    product = next(iter(at.store.products.values()))
    at.connector.prepare([mapping_of("products", "title")], {}, write=True)
    at.store.scopes = ("read_products", "write_products")
    [kept] = at.connector.prepare([mapping_of("products", "title")], {}, write=True).mappings
    [receipt] = write(at.connector, kept, update(product.gid, title=(product.title, "New")))
    assert receipt.done


# --- reading ------------------------------------------------------------------------------------


def test_all_products_are_read_with_every_field(start: Any) -> None:
    at = start(products=7)
    mapping = mapping_of("products")
    seen = at.connector.read(mapping)
    assert seen.complete
    assert set(seen.rows) == {product.gid for product in at.store.products.values()}
    product = next(iter(at.store.products.values()))
    values = mapping.values(seen.rows[product.gid])
    assert set(values) == set(mapping.names)
    assert (values["title"], values["handle"], values["status"]) == (product.title, product.handle, product.status)
    assert seen.titles[product.gid] == product.title


def test_lists_are_followed_to_their_end(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    at = start(products=7)
    assert len(at.connector.read(mapping_of("products", "title")).rows) == 7
    assert len(at.connector.read(mapping_of("variants", "sku")).rows) == len(at.store.variants)
    assert len(at.connector.read(mapping_of("inventory", "available")).rows) == len(list(at.store.levels()))


def test_variants_hold_money_and_what_their_item_holds(start: Any) -> None:
    at = start()
    mapping = mapping_of("variants")
    seen = at.connector.read(mapping)
    assert len(seen.rows) == len(at.store.variants)
    for variant in at.store.variants.values():
        values = mapping.values(seen.rows[variant.gid])
        assert (values["price"], values["product"]) == (variant.price, variant.product.gid)
        assert values["sku"] == (variant.inventory_item.sku or None)
        assert isinstance(values["price"], Decimal)


def test_closed_locations_are_still_there(start: Any) -> None:
    at = start()
    at.store.add_location("Old barn", is_active=False)
    mapping = mapping_of("locations")
    seen = at.connector.read(mapping)
    assert {mapping.values(row)["name"]: mapping.values(row)["isActive"] for row in seen.rows.values()}[
        "Old barn"] is False


def test_stock_is_one_row_for_each_item_and_location(start: Any) -> None:
    at = start()
    mapping = mapping_of("inventory")
    seen = at.connector.read(mapping)
    assert len(seen.rows) == len(list(at.store.levels()))
    for level in at.store.levels():
        values = mapping.values(seen.rows[level.gid])
        assert values["available"] == level.quantity("available")
        assert values["onHand"] == level.quantity("on_hand")
        assert values["location"] == level.location.gid
        assert seen.titles[level.gid].endswith(f", {level.location.name}")


@pytest.mark.parametrize("locations", [9, 60])
def test_an_item_at_more_locations_than_a_page_holds_is_read_whole(
    start: Any, monkeypatch: pytest.MonkeyPatch, locations: int
) -> None:
    monkeypatch.setattr(reading, "BELOW_AT_FIRST", 2)
    monkeypatch.setattr(reading, "PAGE", 20)
    at = start(products=2)
    item = next(iter(at.store.items.values()))
    for n in range(locations):
        at.store.stock_at(item, at.store.add_location(f"Shop {n}"))
    seen = at.connector.read(mapping_of("inventory", "available"))
    assert len(seen.rows) == len(list(at.store.levels()))


def test_asked_for_by_id_a_thing_is_there_or_proven_gone(start: Any) -> None:
    at = start()
    mapping = mapping_of("products", "title")
    here, gone = list(at.store.products.values())[:2]
    at.door("edit", product={"id": gone.gid}, delete=True)
    seen = at.connector.read(mapping, [here.gid, gone.gid, "not an id"])
    assert (set(seen.rows), seen.gone) == ({here.gid}, {gone.gid})
    assert "1 Shopify IDs are not of" in seen.notes[0]


def test_a_filter_leaves_out_and_says_so(start: Any) -> None:
    at = start(products=6)
    first, second, third = list(at.store.products.values())[:3]
    for product in at.store.products.values():
        at.door("edit", product={"id": product.gid}, set={"vendor": "Acme" if product in (first, second) else "Other"})
    mapping = mapping_of("products", "title", filter="vendor:Acme OR vendor:Nobody")
    everything = at.connector.read(mapping)
    assert set(everything.rows) == {first.gid, second.gid}
    assert everything.outside == {p.gid for p in at.store.products.values()} - {first.gid, second.gid}
    some = at.connector.read(mapping, [first.gid, third.gid])
    assert (set(some.rows), some.outside, some.gone) == ({first.gid}, {third.gid}, frozenset())


def test_a_filter_that_shopify_does_not_know_is_an_error_and_reads_nothing(start: Any) -> None:
    at = start()
    with pytest.raises(UserError, match="filter"):
        at.connector.read(mapping_of("products", "title", filter="colour:red"))


def test_what_has_no_search_takes_no_filter(start: Any) -> None:
    with pytest.raises(UserError, match="cannot be filtered"):
        start().connector.read(mapping_of("inventory", filter="sku:x"))


def test_half_a_list_is_no_list(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    at = start(products=5)
    connector = at.connector
    connector._client._http._patience_seconds = 0.0
    assert connector.shop.currency
    at.door("faults", next=[{}, {"status": 502}])
    with pytest.raises(RetryLater):
        connector.read(mapping_of("products", "title"))


def test_a_document_that_costs_too_much_is_asked_for_in_smaller_pages() -> None:
    refused = {"errors": [{"message": "Query cost is 2003", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
    page = {"data": {"products": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}}
    shop = {"data": {"shop": {"name": "F", "currencyCode": "JPY", "ianaTimezone": "Asia/Tokyo",
                              "weightUnit": "GRAMS", "myshopifyDomain": STORE}}}
    with scripted(says(shop), says(refused), says(refused), says(page)) as (url, script):
        connector = ShopifyConnector(STORE, PastedToken("shpat_x"), admin_url=url)
        assert connector.read(mapping_of("products", "title")).rows == {}
    assert connector.shop.decimals == 0
    assert [asked["variables"]["first"] for asked in script.asked[1:]] == [250, 125, 62]


def test_yen_have_no_decimals() -> None:
    make = row_maker(mapping_of("variants", "price"), 0)
    assert make({"price": "1200.00"}) == (Decimal("1200"),)


def test_an_unread_field_is_no_empty_field() -> None:
    make = row_maker(mapping_of("variants", "sku", "cost"), 2)
    assert make({"inventoryItem": {"sku": None, "unitCost": UNREAD}}) == (None, UNREAD)


# --- writing ------------------------------------------------------------------------------------


def test_what_is_written_is_read_back_the_same(start: Any) -> None:
    at = start()
    mapping = mapping_of("products")
    key = next(iter(at.connector.read(mapping).rows))
    before = row_of(at.connector, mapping, key)
    changes = {"title": "Linen apron", "vendor": "Acme", "productType": "Apron", "status": "DRAFT",
               "descriptionHtml": "<p>New</p>", "seo__title": "SEO", "tags": ("blue", "New")}
    [receipt] = write(at.connector, mapping, update(key, **{
        name: (before[name.replace("__", ".")], value) for name, value in changes.items()}))
    assert receipt.done
    now = row_of(at.connector, mapping, key)
    for name, value in changes.items():
        assert now[name.replace("__", ".")] == receipt.stored[name.replace("__", ".")] == value
    assert receipt.stored.keys() == {name.replace("__", ".") for name in changes}, "more would cost points"
    assert at.connector.usage.writes == 3  # productUpdate, tagsRemove, tagsAdd


def test_a_product_with_a_taken_handle_is_refused_alone(start: Any) -> None:
    at = start()
    mapping = mapping_of("products", "title", "handle")
    first, second, third = list(at.store.products.values())[:3]
    good, bad = write(at.connector, mapping, update(first.gid, title=(first.title, "Renamed")),
                      update(second.gid, handle=(second.handle, third.handle)))
    assert (good.done, first.title) == (True, "Renamed")
    assert bad.refusal is not None
    assert (bad.refusal.field, bad.refusal.key) == ("handle", second.gid)
    assert "already in use" in bad.refusal.message
    assert "another" in bad.refusal.cure


def test_twenty_five_products_need_three_requests_and_a_look_before_each(start: Any) -> None:
    at = start(products=25)
    mapping = mapping_of("products", "title")
    assert at.connector.shop
    requests_before = at.connector.usage.requests
    receipts = write(at.connector, mapping, *(
        update(p.gid, title=(p.title, f"{p.title} 2")) for p in list(at.store.products.values())))
    assert all(receipt.done for receipt in receipts)
    assert at.connector.usage.requests - requests_before == 6


def test_variants_of_several_products_are_written_in_one_request(start: Any) -> None:
    at = start()
    mapping = mapping_of("variants", "sku", "price", "cost", "weight", "weightUnit", "countryCodeOfOrigin")
    seen = at.connector.read(mapping)
    asked = at.connector.usage.requests
    receipts = write(at.connector, mapping, *(
        update(str(key), price=(UNREAD, Decimal("12.50")), cost=(UNREAD, Decimal("3.00")),
               weight=(UNREAD, Decimal("0.25")), countryCodeOfOrigin=(UNREAD, "no")) for key in list(seen.rows)[:12]))
    assert at.connector.usage.requests == asked + 2, "a look right before, and the write"
    for receipt in receipts:
        assert receipt.done
        assert receipt.stored["price"] == Decimal("12.50")
        assert receipt.stored["cost"] == Decimal("3.00")
        assert receipt.stored["countryCodeOfOrigin"] == "NO"
        assert receipt.stored.items() <= row_of(at.connector, mapping, str(receipt.key)).items()


def test_a_bad_price_stops_only_its_row(start: Any) -> None:
    at = start()
    mapping = mapping_of("variants", "price")
    product = next(p for p in at.store.products.values() if len(p.variant_list) > 1)
    first, second = product.variant_list[:2]
    good, bad = write(at.connector, mapping, update(first.gid, price=(UNREAD, Decimal("5.00"))),
                      update(second.gid, price=(UNREAD, Decimal("-5.00"))))
    assert (good.done, first.price) == (True, Decimal("5.00"))
    assert bad.refusal is not None
    assert bad.refusal.field == "price"


def test_a_value_that_spoils_its_whole_request_is_found_and_stops_only_its_row(start: Any) -> None:
    at = start()
    mapping = mapping_of("variants", "countryCodeOfOrigin")
    keys = [variant.gid for variant in at.store.variants.values()][:5]
    receipts = write(at.connector, mapping, *(
        update(key, countryCodeOfOrigin=(UNREAD, "QQ" if n == 3 else "SE")) for n, key in enumerate(keys)))
    assert [receipt.done for receipt in receipts] == [True, True, True, False, True]
    assert receipts[3].refusal is not None


def test_too_many_tags_on_one_product_leave_the_other_products_to_be_written(start: Any) -> None:
    at = start(products=5)
    mapping = mapping_of("products", "title", "tags")
    receipts = write(at.connector, mapping, *(
        update(p.gid, title=(p.title, "New"), tags=(None, tuple(f"t{i}" for i in range(251 if n == 2 else 1))))
        for n, p in enumerate(list(at.store.products.values()))))
    assert [receipt.done for receipt in receipts] == [True, True, False, True, True]
    assert receipts[2].refusal is not None
    assert receipts[2].refusal.cure == "Remove some: Shopify takes at most 250."


def test_a_variant_that_vanished_is_stale_and_its_siblings_are_written(start: Any) -> None:
    at = start()
    mapping = mapping_of("variants", "price")
    product = next(p for p in at.store.products.values() if len(p.variant_list) > 2)
    first, second = product.variant_list[:2]
    at.connector.read(mapping)
    at.door("edit", variant={"id": second.gid}, delete=True)
    good, gone = write(at.connector, mapping, update(first.gid, price=(UNREAD, Decimal("5.00"))),
                       update(second.gid, price=(UNREAD, Decimal("5.00"))))
    assert (good.done, gone.stale) == (True, True)
    assert first.price == Decimal("5.00")


@pytest.mark.parametrize("field", ["available", "onHand"])
def test_stock_is_written_and_asked_for_nothing_besides(start: Any, field: str) -> None:
    at = start()
    mapping = mapping_of("inventory")
    level = next(level for level in at.store.levels() if level.quantity("available") > 2)
    available, on_hand = level.quantity("available"), level.quantity("on_hand")
    before = available if field == "available" else on_hand
    [receipt] = write(at.connector, mapping, update(level.gid, **{field: (before, before + 4)}))
    assert receipt.done
    assert receipt.stored == {field: before + 4}
    assert (level.quantity("available"), level.quantity("on_hand")) == (available + 4, on_hand + 4)


@pytest.mark.parametrize("whole_call_fails", [True, False])
def test_stock_beside_a_row_that_moved_is_never_sent_under_another_key(start: Any, whole_call_fails: bool) -> None:
    at = start(behaviour=Behaviour(stale_row_fails_call=whole_call_fails))
    mapping = mapping_of("inventory", "available")
    levels = list(at.store.levels())[:4]
    held = [level.quantity("available") for level in levels]
    ops = [update(level.gid, available=(value, value + 10)) for level, value in zip(levels, held, strict=True)]
    at.connector.read(mapping)
    at.door("edit", variant={"id": levels[2].item.variant.gid},
            set={"available": held[2] - 1, "location": levels[2].location.name})
    receipts = write(at.connector, mapping, *ops)
    written = 0 if whole_call_fails else 10
    assert [receipt.stale for receipt in receipts] == [whole_call_fails, whole_call_fails, True, whole_call_fails]
    assert [level.quantity("available") for level in levels] == [
        held[0] + written, held[1] + written, held[2] - 1, held[3] + written]


def test_a_batch_repeated_under_its_stamp_changes_stock_once(start: Any) -> None:
    at = start()
    mapping, stamp = mapping_of("inventory", "available"), Stamp("key-1", "7")
    level = next(iter(at.store.levels()))
    held = level.quantity("available")
    op = update(level.gid, available=(held, held + 5))
    at.connector.read(mapping)
    at.connector.apply(mapping, [op], stamp)
    at.door("edit", variant={"id": level.item.variant.gid}, set={"available": held, "location": level.location.name})
    receipts = at.connector.repeat(mapping, [op], stamp)
    assert receipts is not None
    assert [(r.done, r.stored["available"]) for r in receipts] == [(True, held + 5)]
    assert level.quantity("available") == held


def test_a_deactivated_level_keeps_its_row_and_is_never_written(start: Any) -> None:
    at = start()
    mapping = mapping_of("inventory", "available", "isActive")
    level = next(iter(at.store.levels()))
    held = level.quantity("available")
    level.is_active = False
    assert row_of(at.connector, mapping, level.gid)["isActive"] is False
    [receipt] = write(at.connector, mapping, update(level.gid, available=(held, held + 1)))
    assert receipt.refusal is not None
    assert "not stocked" in receipt.refusal.message
    assert level.quantity("available") == held


def test_stock_that_nobody_has_read_yet_is_looked_up_before_it_is_written(start: Any) -> None:
    at = start()
    level = next(iter(at.store.levels()))
    held = level.quantity("available")
    [receipt] = write(at.connector, mapping_of("inventory", "available"), update(level.gid, available=(held, held + 1)))
    assert (receipt.done, level.quantity("available")) == (True, held + 1)


def test_a_new_product_and_its_only_variant_become_one_thing(start: Any) -> None:
    at = start()
    products, variants = mapping_of("products"), mapping_of("variants")
    [made] = write(at.connector, products, create(7, title="Oil lamp", tags=("new",)))
    assert made.done
    assert (made.stored["status"], made.stored["title"], made.stored["tags"]) == ("DRAFT", "Oil lamp", ("new",))
    [row] = write(at.connector, variants, create(8, product=made.key, price=Decimal("19.90"), sku="LAMP"))
    product = at.store.thing(str(made.key))
    assert [variant.gid for variant in product.variant_list] == [row.key]
    assert (row.stored["price"], row.stored["sku"]) == (Decimal("19.90"), "LAMP")


def test_new_variants_with_options_replace_the_one_that_the_new_product_came_with(start: Any) -> None:
    at = start()
    [made] = write(at.connector, mapping_of("products"), create(7, title="Oil lamp"))
    receipts = write(at.connector, mapping_of("variants"),
                     create(1, product=made.key, price=Decimal("19.90"), option1="Red"),
                     create(2, product=made.key, price=Decimal("19.90"), option1="Blue"))
    assert [receipt.stored["option1"] for receipt in receipts] == ["Red", "Blue"]
    product = at.store.thing(str(made.key))
    assert [variant.gid for variant in product.variant_list] == [receipt.key for receipt in receipts]


def test_a_new_variant_never_removes_a_variant_that_was_there(start: Any) -> None:
    at = start(products=0)
    product = at.store.add_product("Apron")
    single = at.store.add_default_variant(product)
    [receipt] = write(at.connector, mapping_of("variants"),
                      create(1, product=product.gid, price=Decimal("5.00"), option1="Large"))
    assert receipt.done
    assert [variant.gid for variant in product.variant_list] == [single.gid, receipt.key]


def test_one_bad_new_variant_leaves_the_others_to_be_made(start: Any) -> None:
    at = start(products=0)
    [made] = write(at.connector, mapping_of("products"), create(7, title="Oil lamp"))
    good, bad, also_good = write(at.connector, mapping_of("variants"), *(
        create(n, product=made.key, price=Decimal(price), option1=f"Size {n}")
        for n, price in enumerate(("1.00", "-1.00", "2.00"))))
    assert (good.done, also_good.done) == (True, True)
    assert bad.refusal is not None
    assert bad.refusal.key == 1
    assert len(at.store.thing(str(made.key)).variant_list) == 2


def test_products_and_variants_are_deleted(start: Any) -> None:
    at = start()
    products, variants = mapping_of("products", "title"), mapping_of("variants", "sku")
    several = next(p for p in at.store.products.values() if len(p.variant_list) > 1)
    other = next(p for p in at.store.products.values() if p is not several)
    variant = several.variant_list[-1]
    [gone] = write(at.connector, variants, delete(variant.gid))
    assert (gone.done, at.store.thing(variant.gid)) == (True, None)
    [gone] = write(at.connector, products, delete(other.gid))
    assert (gone.done, at.store.thing(other.gid)) == (True, None)
    [again] = write(at.connector, products, delete(other.gid))
    assert again.done


def test_a_lost_answer_to_a_write_is_not_sent_twice(start: Any) -> None:
    at = start()
    product = next(iter(at.store.products.values()))
    assert at.connector.shop
    at.door("faults", next=[{}, {"drop": "after"}])
    with pytest.raises(OutcomeUnknown):
        write(at.connector, mapping_of("products", "title"), update(product.gid, title=(product.title, "New")))
    assert (product.title, counted(at)["writes"]) == ("New", 1)


def test_a_throttled_write_waits_and_is_done_once(start: Any) -> None:
    at = start()
    product = next(iter(at.store.products.values()))
    at.door("faults", next=[{}, {}, {"throttle": True}])
    [receipt] = write(at.connector, mapping_of("products", "title"), update(product.gid, title=(product.title, "New")))
    assert (receipt.done, at.connector.usage.writes) == (True, 1)


def test_a_run_counts_what_the_store_counts(start: Any) -> None:
    at = start()
    mapping = mapping_of("variants")
    seen = at.connector.read(mapping)
    write(at.connector, mapping, update(str(next(iter(seen.rows))), price=(UNREAD, Decimal("1.00"))))
    counts, usage = counted(at), at.connector.usage
    assert (usage.requests, usage.points, usage.writes) == (counts["requests"], counts["points"], counts["writes"])
