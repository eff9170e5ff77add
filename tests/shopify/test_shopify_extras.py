"""What is written beside plain fields: channels, collections and their members, tracking, addresses, new levels and new
drafts. Against the simulated store."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shopify_helpers import STORE, counted, create, mapping_of, row_of, update, write

from backend.connector import Stamp
from backend.core.model import Mapping
from backend.core.values import UNREAD
from backend.errors import OutcomeUnknown
from backend.shopify import views
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.extras import lines_of, options_of
from demo.shopify.people import add_customer


def first(at: Any, kind: str) -> Any:
    return next(iter(getattr(at.store, kind).values()))


# --- products: channels, collections, category ------------------------------------------------------


def test_channels_are_published_and_unpublished_by_difference(start: Any) -> None:
    at = start()
    mapping = mapping_of("products", "title", "channels")
    key = first(at, "products").gid
    held = row_of(at.connector, mapping, key)["channels"]
    wanted = ("Point of Sale", "Shop")
    [receipt] = write(at.connector, mapping, update(key, channels=(held, wanted)))
    assert receipt.done
    assert receipt.stored["channels"] == wanted == row_of(at.connector, mapping, key)["channels"]
    [receipt] = write(at.connector, mapping, update(key, channels=(wanted, None)))
    assert (receipt.done, row_of(at.connector, mapping, key)["channels"]) == (True, None)


def test_an_active_product_on_no_channel_is_told(start: Any) -> None:
    at = start(products=4)
    lonely = first(at, "products")
    lonely.status, lonely.published_at, lonely.published_on = "ACTIVE", None, {}
    notes = at.connector.read(mapping_of("products", "title", "status", "channels")).notes
    assert any(lonely.title in note and "no sales channel" in note for note in notes)
    assert at.connector.read(mapping_of("products", "title", "status")).notes == ()


def test_a_channel_that_the_store_lacks_stops_only_its_row(start: Any) -> None:
    at = start()
    mapping = mapping_of("products", "title", "channels")
    one, two = list(at.store.products.values())[:2]
    bad, good = write(at.connector, mapping, update(one.gid, channels=(None, ("Amazon",))),
                      update(two.gid, title=(two.title, "New")))
    assert bad.refusal is not None
    assert (bad.refusal.field, "no sales channel 'Amazon'" in bad.refusal.message) == ("channels", True)
    assert (good.done, two.title) == (True, "New")


def test_a_new_product_gets_its_channels_once_it_is_there(start: Any) -> None:
    at = start()
    mapping = mapping_of("products", "title", "status", "channels")
    [made] = write(at.connector, mapping, create(1, title="Lamp", channels=("Shop",)))
    assert made.done
    assert made.stored["channels"] == ("Shop",) == row_of(at.connector, mapping, str(made.key))["channels"]


def test_without_the_scope_for_channels_the_rest_of_products_is_read(start: Any) -> None:
    at = start(scopes=("write_products",))
    prepared = at.connector.prepare([mapping_of("products", "title", "channels")], {}, write=True)
    [ready] = prepared.mappings
    assert (ready.names, "read_publications" in prepared.notes[0]) == (("title",), True)
    assert len(at.connector.read(ready).rows) == len(at.store.products)


@pytest.mark.parametrize(("field", "called", "said"), [
    ("collections", "handle", "by hand"), ("collectionRefs", "gid", "filled by its conditions")])
def test_a_product_joins_and_leaves_manual_collections_only(start: Any, field: str, called: str, said: str) -> None:
    at = start()
    mapping = mapping_of("products", "title", field)
    product = first(at, "products")
    new = at.store.add_collection("Chosen", "chosen")
    smart = next(c for c in at.store.collections.values() if c.rule_set is not None)
    held = row_of(at.connector, mapping, product.gid)[field] or ()
    assert getattr(smart, called) not in held
    [receipt] = write(at.connector, mapping, update(product.gid, **{field: (held, (*held, getattr(new, called)))}))
    assert receipt.done
    assert product.id in new.product_ids
    assert set(row_of(at.connector, mapping, product.gid)[field]) == {*held, getattr(new, called)}
    [refused] = write(at.connector, mapping, update(product.gid, **{field: (held, (getattr(smart, called),))}))
    assert refused.refusal is not None
    assert said in refused.refusal.message
    now = row_of(at.connector, mapping, product.gid)[field]
    [receipt] = write(at.connector, mapping, update(product.gid, **{field: (now, None)}))
    assert (receipt.done, row_of(at.connector, mapping, product.gid)[field]) == (True, None)


def test_a_list_that_is_longer_than_its_first_page_is_read_to_its_end(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = views.VIEWS["collections"].listed
    assert listed is not None
    monkeypatch.setattr("backend.shopify.reading.PAGE", 5)
    at = start(products=3)
    product = first(at, "products")
    for n in range(17):
        at.store.add_collection(f"More {n}", f"more-{n}").product_ids.append(product.id)
    values = mapping_of("products", "collections").values(
        at.connector.read(mapping_of("products", "collections")).rows[product.gid])
    assert len([handle for handle in values["collections"] if handle.startswith("more-")]) == 17


def test_a_half_read_list_is_unread_and_not_short() -> None:
    page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}
    assert views.VIEWS["channels"].value({"v_channels": page}) is UNREAD


def test_a_category_is_written_by_its_full_name(start: Any) -> None:
    at = start(products=9)
    mapping = mapping_of("products", "category")
    target = next(p for p in at.store.products.values() if not p.category)
    category = next(iter(at.store.taxonomy.values()))
    [receipt] = write(at.connector, mapping, update(target.gid, category=(None, category["fullName"])))
    assert (receipt.done, receipt.stored["category"], target.category) == (True, category["fullName"], category["id"])
    [receipt] = write(at.connector, mapping, update(target.gid, category=(category["fullName"], None)))
    assert (receipt.done, target.category) == (True, None)


# --- new products ---------------------------------------------------------------------------------


def test_a_new_product_brings_all_images_that_its_cell_names(start: Any) -> None:
    """Asked of the request: the simulated store keeps the first alone."""
    addresses = ["https://x.example/a.png", "https://x.example/b,c.png", "https://x.example/d.png"]
    request = start().connector.request_for(mapping_of("products", "title", "imageUrl"), [
        create(1, title="Lamp", imageUrl=f"{addresses[0]} {addresses[1]}\n{addresses[2]}")])
    [media] = [value for name, value in request.variables.items() if isinstance(value, list)]
    assert media == [{"originalSource": address, "mediaContentType": "IMAGE"} for address in addresses]


def test_a_new_product_brings_its_options_and_each_row_becomes_its_variant(start: Any) -> None:
    at = start()
    [made] = write(at.connector, mapping_of("products", "title", "options", "imageUrl"),
                   create(1, title="Lamp", options="Colour: Red, Blue; Size: S", imageUrl="https://x.example/l.png"))
    product = at.store.thing(str(made.key))
    assert [option.name for option in product.option_list] == ["Colour", "Size"]
    assert "imageUrl" not in made.stored, "Shopify still works on it: nobody may take that for empty"
    mapping = mapping_of("variants", "product", "price", "option1", "option2", "sku")
    receipts = write(at.connector, mapping, *(
        create(n, product=made.key, price=Decimal("5.00"), option1=colour, option2="S", sku=f"L-{colour}")
        for n, colour in enumerate(("Red", "Blue"))))
    assert [receipt.done for receipt in receipts] == [True, True]
    assert [(v.inventory_item.sku, v.price) for v in product.variant_list] == [
        ("L-Red", Decimal("5.00")), ("L-Blue", Decimal("5.00"))]
    assert row_of(at.connector, mapping_of("products", "imageUrl"), str(made.key)) == {
        "imageUrl": "https://x.example/l.png"}


@pytest.mark.parametrize(("text", "expected"), [
    ("Colour: Red, Blue; Size: S", [("Colour", ["Red", "Blue"]), ("Size", ["S"])]), ("Colour", []), ("Colour:", []),
    (None, []), (": Red", [])])
def test_options_are_read_from_one_cell(text: Any, expected: Any) -> None:
    assert options_of(text) == expected


# --- members of collections -----------------------------------------------------------------------


@pytest.mark.parametrize(("field", "called"), [("members", "handle"), ("memberRefs", "gid")])
def test_members_of_a_manual_collection_are_selected_and_deselected(start: Any, field: str, called: str) -> None:
    at = start()
    mapping = mapping_of("collections", "title", "kind", field)
    collection = next(c for c in at.store.collections.values() if c.rule_set is None)
    products = list(at.store.products.values())
    held = row_of(at.connector, mapping, collection.gid)
    assert held["kind"] == "MANUAL"
    wanted = tuple(sorted(getattr(p, called) for p in products[:3]))
    [receipt] = write(at.connector, mapping, update(collection.gid, **{field: (held[field], wanted)}))
    assert receipt.done
    assert row_of(at.connector, mapping, collection.gid)[field] == wanted
    assert set(collection.product_ids) == {p.id for p in products[:3]}


@pytest.mark.parametrize(("field", "called"), [("members", "handle"), ("memberRefs", "gid")])
def test_members_of_a_smart_collection_are_left_to_its_conditions(start: Any, field: str, called: str) -> None:
    at = start()
    mapping = mapping_of("collections", "title", "kind", "rules", field)
    smart = next(c for c in at.store.collections.values() if c.rule_set is not None)
    held = row_of(at.connector, mapping, smart.gid)
    assert (held["kind"], held[field], bool(held["rules"])) == ("SMART", None, True)
    wanted = (getattr(first(at, "products"), called),)
    [receipt] = write(at.connector, mapping, update(smart.gid, **{field: (None, wanted)}))
    assert receipt.refusal is not None
    assert "conditions" in receipt.refusal.message


@pytest.mark.parametrize(("field", "called"), [("members", "handle"), ("memberRefs", "gid")])
def test_a_new_collection_is_made_with_its_members(start: Any, field: str, called: str) -> None:
    at = start()
    mapping = mapping_of("collections", "title", field)
    chosen = getattr(first(at, "products"), called)
    [made] = write(at.connector, mapping, create(1, **{"title": "Chosen", field: (chosen,)}))
    assert row_of(at.connector, mapping, str(made.key)) == {"title": "Chosen", field: (chosen,)}


# --- stock ----------------------------------------------------------------------------------------


def test_a_new_row_stocks_its_variant_at_its_location(start: Any) -> None:
    at = start()
    mapping = mapping_of("inventory")
    variant, barn = first(at, "variants"), at.store.add_location("Barn")
    [made] = write(at.connector, mapping, create(1, variant=variant.gid, location=barn.gid, available=7))
    assert made.done
    assert (made.stored["available"], made.stored["variant"], made.stored["location"]) == (7, variant.gid, barn.gid)
    assert variant.inventory_item.levels[barn.id].quantity("available") == 7


def test_many_new_levels_go_twenty_to_a_request(start: Any) -> None:
    at = start(products=12)
    mapping, barn = mapping_of("inventory", "variant", "location", "available"), at.store.add_location("Barn")
    ops = [create(n, variant=v.gid, location=barn.gid, available=n)
           for n, v in enumerate(list(at.store.variants.values())[:23])]
    assert [len(batch) for batch in at.connector.batches(mapping, ops)] == [20, 3]
    assert all(receipt.done for receipt in write(at.connector, mapping, *ops))


def test_a_level_whose_answer_was_lost_is_stocked_once(start: Any) -> None:
    at = start()
    mapping, stamp = mapping_of("inventory"), Stamp("run-1-batch-1", "1")
    variant, barn = first(at, "variants"), at.store.add_location("Barn")
    op = create(1, variant=variant.gid, location=barn.gid, available=7)
    at.connector._learn(mapping, [op])
    assert at.connector.shop
    at.door("faults", next=[{"drop": "after"}])
    with pytest.raises(OutcomeUnknown):
        at.connector.apply(mapping, [op], stamp)
    level = variant.inventory_item.levels[barn.id]
    at.store.change_quantity(level, "available", -2)  # sold meanwhile
    later = ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=at.url, sleep=lambda seconds: None)
    [again] = later.repeat(mapping, [op], stamp) or []
    assert (again.done, again.key, level.quantity("available")) == (True, level.gid, 5)


def test_a_level_that_is_there_already_is_refused_and_keeps_its_stock(start: Any) -> None:
    at = start()
    level = next(iter(at.store.levels()))
    held = level.quantity("available")
    [receipt] = write(at.connector, mapping_of("inventory"), create(
        1, variant=level.item.variant.gid, location=level.location.gid, available=99))
    assert receipt.refusal is not None
    assert "already active" in receipt.refusal.message
    assert level.quantity("available") == held


# --- orders: tracking, attributes -----------------------------------------------------------------


def sent_order(at: Any, count: int = 1) -> Any:
    """An order with so many fulfilments."""
    return next(order for order in at.store.orders.values()
                if len([one for one in order.fulfillments if one.status == "SUCCESS"]) == count)


def test_tracking_of_an_orders_single_fulfilment_is_written_and_nobody_is_notified(start: Any) -> None:
    at = start(products=12, orders=30)
    mapping = mapping_of("orders", "note", "trackingNumber", "trackingCompany", "trackingUrl")
    order = sent_order(at)
    held = row_of(at.connector, mapping, order.gid)
    [receipt] = write(at.connector, mapping, update(
        order.gid, trackingNumber=(held["trackingNumber"], "1Z999"), trackingCompany=(held["trackingCompany"], "UPS"),
        note=(held["note"], "Sent")))
    assert receipt.done
    now = row_of(at.connector, mapping, order.gid)
    assert (now["trackingNumber"], now["trackingCompany"], now["note"]) == ("1Z999", "UPS", "Sent")
    assert receipt.stored == {name: now[name] for name in ("trackingNumber", "trackingCompany", "note")}


def test_tracking_of_an_order_that_is_not_sent_is_refused_and_its_note_is_written(start: Any) -> None:
    at = start(products=12, orders=30)
    mapping = mapping_of("orders", "note", "trackingNumber")
    order = next(o for o in at.store.orders.values() if not o.fulfillments)
    [receipt] = write(at.connector, mapping, update(order.gid, trackingNumber=(None, "1Z999")))
    assert receipt.refusal is not None
    assert "not fulfilled yet" in receipt.refusal.message


def test_attributes_are_written_whole(start: Any) -> None:
    at = start(products=6, orders=3)
    mapping = mapping_of("orders", "customAttributes")
    order = first(at, "orders")
    held = row_of(at.connector, mapping, order.gid)["customAttributes"]
    [receipt] = write(at.connector, mapping, update(order.gid, customAttributes=(held, ("Card: none", "Gift: yes"))))
    assert receipt.done
    assert order.custom_attributes == [{"key": "Card", "value": "none"}, {"key": "Gift", "value": "yes"}]


# --- customers ------------------------------------------------------------------------------------


def test_a_default_address_is_changed_and_made_where_there_is_none(start: Any) -> None:
    at = start(products=1)
    customer = add_customer(at.store, email="ada@example.com")
    mapping = mapping_of("customers", "note", *(f"defaultAddress.{n}" for n in ("address1", "city", "countryCode")))
    [made] = write(at.connector, mapping, update(
        customer.gid, defaultAddress__city=(None, "Oslo"), defaultAddress__countryCode=(None, "no"),
        note=(None, "Calls")))
    assert made.done
    now = row_of(at.connector, mapping, customer.gid)
    assert (now["defaultAddress.city"], now["defaultAddress.countryCode"], now["note"]) == ("Oslo", "NO", "Calls")
    [changed] = write(at.connector, mapping, update(customer.gid, defaultAddress__address1=(None, "Harbour 1")))
    assert changed.done
    assert row_of(at.connector, mapping, customer.gid) == {**now, "defaultAddress.address1": "Harbour 1"}
    assert len(customer.addresses_held) == 1


# --- draft orders ---------------------------------------------------------------------------------

DRAFT: Mapping = mapping_of("draft_orders", "name", "email", "note", "tags", "lines", "status")


def test_a_draft_is_made_with_its_lines(start: Any) -> None:
    at = start()
    variant = next(v for v in at.store.variants.values() if v.inventory_item.sku)
    [made] = write(at.connector, DRAFT, create(1, email="ada@example.com", note="Call", tags=("vip",),
                                               lines=(f"2 × {variant.inventory_item.sku}",)))
    assert made.done
    draft = at.store.thing(str(made.key))
    assert [(line.variant, line.quantity) for line in draft.lines] == [(variant, 2)]
    assert (made.stored["note"], made.stored["tags"]) == ("Call", ("vip",))


@pytest.mark.parametrize("arrives", [True, False])
def test_a_draft_whose_answer_was_lost_is_found_by_its_key_and_never_made_again(start: Any, arrives: bool) -> None:
    at = start()
    variant, stamp = next(v for v in at.store.variants.values() if v.inventory_item.sku), Stamp("run-1-batch-2", "1")
    op = create(1, note="Call", lines=(f"2 × {variant.inventory_item.sku}",))
    at.connector._keys.defined(DRAFT.resource)
    at.connector._learn_names(DRAFT, [op])
    at.door("faults", next=[{}, {"drop": "after" if arrives else "before"}])
    with pytest.raises(OutcomeUnknown):
        at.connector.apply(DRAFT, [op], stamp)
    later = ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=at.url, sleep=lambda seconds: None)
    found = later.repeat(DRAFT, [op], stamp)
    assert len(at.store.drafts) == arrives
    if not arrives:
        assert found is None, "nobody can say whether it still is under way: a person looks"
        return
    assert found is not None
    assert (found[0].done, found[0].key) == (True, first(at, "drafts").gid)


@pytest.mark.parametrize(("cell", "lines"), [
    (("2 × LIN-S",), [(2, "LIN-S")]), (("3x A B", "C"), [(3, "A B"), (1, "C")]), (None, []), (("0 × A",), [(0, "A")])])
def test_lines_are_read_from_one_cell(cell: Any, lines: Any) -> None:
    assert lines_of(cell) == lines


# --- read right before ----------------------------------------------------------------------------


def test_an_edit_between_the_plan_and_the_write_is_not_overwritten(start: Any) -> None:
    at = start()
    mapping = mapping_of("products", "title", "vendor")
    one, two = list(at.store.products.values())[:2]
    ops = [update(p.gid, title=(p.title, "Ours")) for p in (one, two)]
    at.connector.read(mapping)
    assert at.connector.shop
    one.title = "Typed in the admin"
    asked = counted(at)["requests"]
    moved, done = write(at.connector, mapping, *ops)
    assert (moved.stale, one.title) == (True, "Typed in the admin")
    assert (done.done, two.title) == (True, "Ours")
    assert counted(at)["requests"] == asked + 2, "one look for the batch, one write"


def test_an_edit_of_another_field_does_not_hold_a_write_up(start: Any) -> None:
    at = start()
    product = first(at, "products")
    product.vendor = "Somebody else"
    [receipt] = write(at.connector, mapping_of("products", "title", "vendor"), update(
        product.gid, title=(product.title, "Ours")))
    assert (receipt.done, receipt.stored, product.vendor) == (True, {"title": "Ours"}, "Somebody else")


def test_an_address_is_sent_with_its_other_parts_as_they_are_now(start: Any) -> None:
    at = start(products=6, orders=6)
    mapping = mapping_of("orders", "shippingAddress.city", "shippingAddress.address1")
    order = next(o for o in at.store.orders.values() if o.shipping_parts)
    at.connector.read(mapping)
    order.shipping_parts["address1"] = "Moved 5"
    city = order.shipping_parts["city"]
    [receipt] = write(at.connector, mapping, update(order.gid, shippingAddress__city=(city, "Bergen")))
    assert receipt.done
    assert (order.shipping_parts["city"], order.shipping_parts["address1"]) == ("Bergen", "Moved 5")


def test_tags_need_no_look_for_they_are_written_as_a_difference(start: Any) -> None:
    at = start()
    product = first(at, "products")
    before = tuple(sorted(product.tags)) or None
    product.tags.append("Theirs")
    assert at.connector.shop
    asked = counted(at)["requests"]
    [receipt] = write(at.connector, mapping_of("products", "tags"), update(
        product.gid, tags=(before, (*(before or ()), "ours"))))
    assert (receipt.done, {"Theirs", "ours"} <= set(product.tags)) == (True, True)
    assert counted(at)["requests"] == asked + 1


# --- rights of some fields ------------------------------------------------------------------------


def test_without_write_inventory_only_the_fields_of_the_item_are_refused(start: Any) -> None:
    at = start(scopes=("write_products",))
    mapping = mapping_of("variants", "price", "sku", "barcode")
    [ready] = at.connector.prepare([mapping], {}, write=True).mappings
    one, two = list(at.store.variants.values())[:2]
    both, only = write(at.connector, ready, update(one.gid, price=(one.price, Decimal("7.00")),
                                                   sku=(one.inventory_item.sku, "NEW")),
                       update(two.gid, sku=(two.inventory_item.sku, "NEW")))
    assert one.price == Decimal("7.00")
    assert both.refusal is not None
    assert (both.refusal.field, [change.field for change in both.written]) == ("sku", ["price"])
    assert only.refusal is not None
    assert "write_inventory" in only.refusal.message


def test_a_new_variant_is_made_without_the_field_that_may_not_be_written(start: Any) -> None:
    """Design §5: what is not allowed clears nothing and stops nothing else; its cell is refused by name."""
    at = start(scopes=("write_products",))
    mapping = mapping_of("variants", "product", "option1", "price", "sku", "cost", create_remote=True)
    [ready] = at.connector.prepare([mapping], {}, write=True).mappings
    product = next(one for one in at.store.products.values() if [o.name for o in one.option_list] != ["Title"]
                   and len(one.option_list) == 1)
    [made] = write(at.connector, ready, create(
        3, product=product.gid, option1="Brand new", price=Decimal("7.00"), sku="NEW", cost=Decimal("2.00")))
    assert (made.done, made.stored["price"]) == (True, Decimal("7.00"))
    assert [(one.field, one.key) for one in made.besides] == [("sku", made.key), ("cost", made.key)]
    assert "write_inventory" in made.besides[0].message
    assert at.store.thing(str(made.key)).inventory_item.sku != "NEW"


def test_a_new_product_without_the_right_to_publish_is_made_and_its_channels_agree_on_nothing(start: Any) -> None:
    at = start(scopes=("write_products", "read_publications"))
    mapping = mapping_of("products", "title", "channels", create_remote=True)
    [ready] = at.connector.prepare([mapping], {}, write=True).mappings
    [made] = write(at.connector, ready, create(3, title="Lamp", channels=("Shop",)))
    assert (made.done, made.stored["title"]) == (True, "Lamp")
    assert [(one.field, one.key, "write_publications" in one.message) for one in made.besides] == [
        ("channels", made.key, True)]


def test_a_lost_creation_is_found_and_given_its_channels(start: Any) -> None:
    """The answer to productCreate was lost before the channels were given: the look gives them."""
    at = start()
    mapping = mapping_of("products", "title", "channels", create_remote=True)
    at.connector.prepare([mapping], {}, write=True)
    stamp, op = Stamp("key-1", "run-1"), create(3, title="Lamp", channels=("Shop",))
    at.connector._keys.defined(mapping.resource)
    at.door("faults", next=[{"drop": "after", "when": "productCreate("}])
    with pytest.raises(OutcomeUnknown):
        at.connector.apply(mapping, [op], stamp)
    [found] = at.connector.repeat(mapping, [op], stamp)
    assert found.done
    assert found.stored["channels"] == ("Shop",) == row_of(at.connector, mapping, str(found.key))["channels"]
    assert sum(one.title == "Lamp" for one in at.store.products.values()) == 1
