"""sync.yaml: every key, and every kind of mistake with its line, its column and its cure."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backend.config import default_config, load, mapping_of, parse, settings_of
from backend.core.guard import Limits
from backend.core.mapping import rule_for
from backend.core.model import Direction, Policy, Rule
from backend.errors import ConfigError
from backend.shopify.resources import RESOURCES

ROOT = Path(__file__).resolve().parents[1]

ISSUE_2 = """\
store: my-shop.myshopify.com                 # or SHOPIFY_STORE
document: https://docs.getgrist.com/abc123   # id or URL; or GRIST_DOC_ID
mappings:
  - resource: products
    table: Products               # made when missing
    match: [handle]               # how rows that exist on both sides are paired at first
    filter: "status:active"       # Shopify's search syntax
    only_where: Sync              # a toggle column in Grist
    create: {in_grist: true, in_shopify: false}
    delete: {in_grist: propose, in_shopify: propose}     # propose | ignore | apply
    fields:                       # names as in Shopify's API
      title: Title                # short form: both ways, the field's default rule
      tags: {column: Tags, on_conflict: merge}
      status: {column: Status, direction: to_grist}
  - resource: variants
    table: Variants
    match: [sku]
    fields: {product: Product, sku: SKU, price: {column: Price, on_conflict: grist}, compareAtPrice: Compare_at}
  - resource: inventory
    table: Inventory
    fields: {variant: Variant, location: Location, available: Available}
"""


def mappings(text: str) -> dict[str, dict]:
    return {one["resource"]: one for one in parse(text, RESOURCES).mappings}


def mapping(body: str, resource: str = "products") -> dict:
    return mappings(f"mappings:\n  - resource: {resource}\n    {body}\n")[resource]


# --- what is right ------------------------------------------------------------------------------


def test_the_form_that_was_agreed_on_is_accepted():
    config = parse(ISSUE_2, RESOURCES)
    assert (config.store, config.document) == ("my-shop.myshopify.com", "https://docs.getgrist.com/abc123")
    products, variants, locations, inventory = config.mappings
    assert [one["resource"] for one in config.mappings] == ["products", "variants", "locations", "inventory"]
    assert products == {
        "resource": "products", "table": "Products", "match": ["handle"], "filter": "status:active",
        "only_where": "Sync", "create": {"in_grist": True, "in_shopify": False},
        "delete": {"in_grist": "propose", "in_shopify": "propose"},
        "fields": {
            "title": {"column": "Title", "direction": "both", "on_conflict": "ask"},
            "tags": {"column": "Tags", "direction": "both", "on_conflict": "merge"},
            "status": {"column": "Status", "direction": "to_grist", "on_conflict": "ask"},
            "handle": {"column": "Handle", "direction": "to_grist", "on_conflict": "ask"},
        },
    }
    assert variants["fields"]["price"] == {"column": "Price", "direction": "both", "on_conflict": "grist"}
    assert variants["fields"]["product"]["direction"] == "to_grist"
    assert variants["match"] == ["sku"]
    assert inventory["fields"]["available"]["on_conflict"] == "merge"
    assert inventory["match"] == ["variant+location"]
    assert locations["table"] == "Locations"


def test_what_rows_are_matched_by_gets_a_column_that_is_only_filled():
    found = mapping("match: [handle]\n    fields: {title: Title}")
    assert found["fields"]["handle"] == {"column": "Handle", "direction": "to_grist", "on_conflict": "ask"}


def test_locations_are_implied_by_inventory_and_kept_where_they_are_mapped():
    inventory = "  - {resource: inventory, fields: {variant: V, location: L, available: A}}\n"
    variants = "  - {resource: variants, fields: {sku: SKU}}\n"
    implied = mappings("mappings:\n" + variants + inventory)
    assert {"name", "isActive", "city", "country"} <= set(implied["locations"]["fields"])
    own = mappings("mappings:\n" + variants + inventory + "  - {resource: locations, table: S, fields: {name: N}}\n")
    assert (own["locations"]["table"], set(own["locations"]["fields"])) == ("S", {"name"})


def test_mappings_stand_in_order_of_reference_whatever_the_file_says():
    text = ("mappings:\n  - {resource: variants, fields: {product: P, sku: S}}\n"
            "  - {resource: products, fields: {title: T}}\n")
    assert list(mappings(text)) == ["products", "variants"]


def test_every_key_outside_of_mappings():
    config = parse("store: a\ndocument: abc123\ninterval: 20m\nrest_seconds: 1.5\n"
                   "brakes: {deletions: 3, deletions_share: 0.5, changed_share: 0.8}\n"
                   "mappings:\n  - {resource: products, fields: {title: T}}\n", RESOURCES)
    assert (config.interval_seconds, config.rest_seconds) == (1200, 1.5)
    assert config.limits == Limits(deletions=3, deletions_share=0.5, changed_share=0.8)


def test_what_is_left_out_has_a_usual_value():
    config = parse("mappings:\n  - {resource: products, fields: {title: , vendor: {direction: to_grist}}}\n", RESOURCES)
    assert (config.store, config.document, config.interval_seconds, config.rest_seconds) == ("", "", None, None)
    assert config.limits == Limits()
    only = config.mappings[0]
    assert (only["table"], only["match"], only["filter"], only["only_where"]) == ("Products", [], "", "")
    assert only["create"] == {"in_grist": True, "in_shopify": False}
    assert only["delete"] == {"in_grist": "propose", "in_shopify": "propose"}
    assert only["fields"] == {"title": {"column": "Title", "direction": "both", "on_conflict": "ask"},
                              "vendor": {"column": "Vendor", "direction": "to_grist", "on_conflict": "ask"}}


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("rule", list(Rule))
def test_every_direction_and_rule_that_fits_a_number(direction, rule):
    found = mapping(f"fields: {{price: {{column: P, direction: {direction}, on_conflict: {rule}}}}}", "variants")
    assert found["fields"]["price"] == {"column": "P", "direction": direction, "on_conflict": rule}


@pytest.mark.parametrize("policy", list(Policy))
def test_every_way_to_take_a_deletion(policy):
    in_grist = "propose" if policy is Policy.ARCHIVE else policy
    found = mapping(f"delete: {{in_grist: {in_grist}, in_shopify: {policy}}}\n    fields: {{title: T, status: S}}")
    assert found["delete"] == {"in_grist": in_grist, "in_shopify": policy}


@pytest.mark.parametrize(("said", "resource", "wrong"), [
    ("delete: {in_grist: archive}\n    fields: {title: T, status: S}", "products", "archive"),
    ("delete: {in_shopify: archive}\n    fields: {title: T}", "products", "Status is not mapped"),
    ("delete: {in_shopify: archive}\n    fields: {title: T, status: {column: S, direction: to_grist}}", "products",
     "only read from Shopify"),
    ("delete: {in_shopify: archive}\n    fields: {sku: S}", "variants", "cannot be archived"),
])
def test_only_what_has_a_status_that_is_written_can_be_archived(said, resource, wrong):
    with pytest.raises(ConfigError, match=wrong):
        mapping(said, resource)


def test_settings_and_mapping_tell_the_same():
    for settings in parse(ISSUE_2, RESOURCES).mappings:
        made = mapping_of(settings, RESOURCES, 7)
        assert made.id == 7
        assert settings_of(made) == settings
        assert mapping_of(settings_of(made), RESOURCES, 7) == made


def test_what_init_suggests_is_a_configuration():
    suggested = default_config(RESOURCES, {"products": ("Wares", {"title": "Name_of_it"})})
    assert {one["resource"]: one["table"] for one in suggested}["products"] == "Wares"
    for settings in suggested:
        assert settings_of(mapping_of(settings, RESOURCES)) == settings
    assert suggested[0]["fields"]["title"]["column"] == "Name_of_it"
    stock = next(one["fields"] for one in suggested if one["resource"] == "inventory")
    assert (stock["available"]["direction"], stock["onHand"]["direction"]) == ("both", "to_grist")


@pytest.mark.parametrize("name", ["sync.example.yaml", "demo/sync.yaml"])
def test_the_files_that_come_with_it_load(name):
    assert load(ROOT / name, RESOURCES).mappings


def test_every_field_of_every_resource_can_be_mapped():
    for resource in RESOURCES.values():
        for field in resource.fields:
            assert rule_for(field).column


# --- what is wrong ------------------------------------------------------------------------------

P = "mappings:\n  - resource: products\n    fields: {title: Title}\n"
V = "mappings:\n  - resource: variants\n    fields: "

MISTAKES = [
    # The file as a whole
    ("", 1, 1, "is empty", "--init"),
    ("# only this\n", 1, 1, "is empty", "--init"),
    ("[1, 2]", 1, 1, "does not begin with keys", "sync.example.yaml"),
    ("hello", 1, 1, "does not begin with keys", "sync.example.yaml"),
    ("a: [1\n", 2, 1, "not YAML", "indentation"),
    ("store: 'x\n", 2, 1, "not YAML", "quotes"),
    ("store: a\n\tdocument: b\n", 2, 1, "not YAML", "indentation"),
    ("store: a\n--- \nstore: b\n", 2, 1, "another document", ""),
    ("store: a\nstore: b\n", 2, 1, "“store” stands there twice", "Take one"),
    (P + "    match: [handle]\n    match: [title]\n", 5, 5, "“match” stands there twice", "Take one"),
    ("store: &s a\ndocument: *s\n" + P, 2, 11, "“*s” refers", "Write it out"),
    ("store: !!python/object:os.system ls\n" + P, 1, 8, "is a tag", "Take it out"),
    ("store: !mine ls\n" + P, 1, 8, "is a tag", "Take it out"),
    # Keys
    ("shop: a\n" + P, 1, 1, "“shop” is not a key", "Known are store, document"),
    ("maping: []\n", 1, 1, "“maping” is not a key", "Did you mean mappings?"),
    ("store: a\n", 1, 1, "“mappings” is missing", "- resource: products"),
    (P + "    machs: [handle]\n", 4, 5, "“machs” is not a key", "Did you mean match?"),
    (P + "    create: {in_gist: true}\n", 4, 14, "“in_gist” is not a key", "in_grist"),
    ("brakes: {deletion: 3}\n" + P, 1, 10, "“deletion” is not a key", "Did you mean deletions?"),
    ("mappings:\n  - fields: {title: T}\n", 2, 5, "“resource” is missing", "resource: products"),
    ("mappings:\n  - resource: products\n", 2, 5, "“fields” is missing", "fields: {title: Title}"),
    # Values
    ("store:\n" + P, 1, 1, "“store” is empty", "or take it out"),
    ("store: 5\n" + P, 1, 1, "“store” cannot be “5”", "my-shop.myshopify.com"),
    ("document: [a]\n" + P, 1, 1, "“document” cannot be", "https://"),
    ("interval: soon\n" + P, 1, 1, "“soon” is not an interval", "15m"),
    ("interval: yes\ninterval_x: 1\n" + P, 2, 1, "“interval_x” is not", "Did you mean interval?"),
    ("interval: true\n" + P, 1, 1, "“interval” cannot be “True”", "interval: 15m"),
    ("interval: [15]\n" + P, 1, 1, "“interval” cannot be", "interval: 15m"),
    ("rest_seconds: -1\n" + P, 1, 1, "“rest_seconds” cannot be “-1”", "rest_seconds: 30"),
    ("rest_seconds: .nan\n" + P, 1, 1, "“rest_seconds” cannot be", "rest_seconds: 30"),
    ("brakes:\n" + P, 1, 1, "“brakes” is empty", "deletions: 20"),
    ("brakes: {deletions: -1}\n" + P, 1, 10, "“deletions” cannot be “-1”", "deletions: 20"),
    ("brakes: {deletions_share: 5}\n" + P, 1, 10, "“deletions_share” cannot be “5”", "0.25"),
    ("mappings: 5\n", 1, 1, "“mappings” cannot be “5”", "- resource: products"),
    ("mappings: []\n", 1, 1, "“mappings” is empty", "- resource: products"),
    ("mappings: [5]\n", 1, 12, "cannot be “5”", "- resource: products"),
    ("mappings: {resource: products}\n", 1, 1, "“mappings” cannot be", "- resource: products"),
    (P + "    table: ''\n", 4, 5, "“table” is empty", "table: Products"),
    (P + "    match: handle\n", 4, 5, "“match” cannot be “handle”", "match: [handle]"),
    (P + "    match: [5]\n", 4, 13, "“match” cannot be “5”", "match: [handle]"),
    (P + "    filter:\n", 4, 5, "“filter” is empty", "status:active"),
    (P + "    only_where: [a]\n", 4, 5, "“only_where” cannot be", "only_where: Sync"),
    (P + "    create: yes\n", 4, 5, "“create” cannot be “yes”", "in_shopify: false"),
    (P + "    create: {in_shopify: perhaps}\n", 4, 14, "“in_shopify” cannot be “perhaps”", "in_shopify: false"),
    (P + "    delete: {in_grist: aply}\n", 4, 14, "“in_grist” cannot be “aply”", "mean apply? It is one of propose"),
    ("mappings:\n  - resource: products\n    fields:\n", 3, 5, "“fields” is empty", "fields: {title: Title}"),
    ("mappings:\n  - resource: products\n    fields: [title]\n", 3, 5, "“fields” cannot be", "{title: Title}"),
    # Names
    ("mappings:\n  - resource: product\n    fields: {title: T}\n", 2, 5, "no resource “product”", "Did you mean prod"),
    ("mappings:\n  - resource: products\n    fields: {tittle: T}\n", 3, 14, "no field “tittle”", "Did you mean title?"),
    ("mappings:\n  - resource: products\n    fields: {5: T}\n", 3, 5, "no field “5”", "Known are title, handle"),
    (P + "    match: [handel]\n", 4, 13, "no field “handel” to match", "Did you mean handle?"),
    ("mappings:\n  - resource: products\n    fields: {title: 5}\n", 3, 14, "“title” names no column", "title: Title"),
    ("mappings:\n  - resource: products\n    fields: {title: {column: 5}}\n", 3, 22, "“column” cannot be", "Title"),
    (V + "{sku: {column: A, on_confict: ask}}\n", 3, 31, "“on_confict” is not a key", "Did you mean on_conflict?"),
    (V + "{sku: {column: A, on_conflict: asks}}\n", 3, 31, "cannot be “asks”", "mean ask? It is one of ask, shopify"),
    (V + "{sku: {column: A, direction: grist}}\n", 3, 31, "“direction” cannot be “grist”", "both, to_grist, to_sho"),
    # Sense
    (V + "{displayName: {column: A, direction: both}}\n", 3, 39, "Name can only be read from Shopify", "to_grist"),
    (V + "{sku: {column: A, on_conflict: merge}}\n", 3, 31, "SKU cannot be merged", "ask, shopify or grist"),
    (V + "{sku: {column: A, on_conflict: higher}}\n", 3, 31, "SKU has no higher and lower", "ask, shopify or grist"),
    (V + "{sku: A, barcode: a}\n", 3, 22, "Column “a” holds SKU already", "a column of its own"),
    (V + "{sku: Compare at, price: Compare_at}\n", 3, 31, "“Compare_at” holds SKU already", "a column of its own"),
    (V + "{sku: Shopify_ID}\n", 3, 14, "“Shopify_ID” has a use of its own", "another name"),
    (V + "{sku: id}\n", 3, 14, "“id” has a use of its own", "another name"),
    (P + "    only_where: Title\n", 4, 5, "“Title” holds Title, so it cannot be the toggle", "of its own"),
    (V + "{product: Product}\n", 3, 14, "Product refers to products, which are not mapped", "Add a mapping"),
    ("mappings:\n  - {resource: locations, filter: a, fields: {name: N}}\n", 2, 27, "cannot be filtered", "only_where"),
    ("mappings:\n  - {resource: locations, create: {in_shopify: true}, fields: {name: N}}\n", 2, 36,
     "Locations cannot be created in Shopify", "in_shopify: false"),
    (P + "  - resource: products\n    table: Other\n    fields: {title: T}\n", 4, 5, "“products” is mapped twice",
     "One mapping a resource"),
    (P + "  - resource: variants\n    table: products\n    fields: {sku: S}\n", 5, 5, "“products” is mapped twice",
     "One mapping a resource and a table"),
    ("mappings:\n  - {resource: variants, fields: {sku: S}}\n"
     "  - {resource: inventory, fields: {variant: V, location: L, available: A, onHand: O}}\n", 3, 75,
     "Available and on hand move together", "direction: to_grist"),
    ("mappings:\n  - {resource: products, fields: {title: T, collectionRefs: C, collections: W}}\n", 2, 45,
     "collections and collectionRefs are the same list", "Map one of the two"),
    ("mappings:\n  - {resource: products, fields: {title: T, collectionRefs: C}}\n", 2, 45,
     "In collections refers to collections, which are not mapped", "Add a mapping for collections"),
    ("mappings:\n  - {resource: products, fields: {title: T, collectionRefs: C}}\n"
     "  - {resource: collections, fields: {title: T, memberRefs: M}}\n", 3, 48,
     "are one list, seen from its two ends", "not both"),
    ("mappings:\n  - {resource: variants, table: Locations, fields: {sku: S}}\n"
     "  - {resource: inventory, fields: {variant: V, location: L, available: A}}\n", 3, 48,
     "“Locations” holds variants", "Add a mapping of locations"),
]


@pytest.mark.parametrize(("text", "line", "column", "says", "cure"), MISTAKES, ids=[m[3][:40] for m in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_its_cure(text, line, column, says, cure):
    with pytest.raises(ConfigError) as caught:
        parse(text, RESOURCES)
    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert says in caught.value.message
    assert cure in caught.value.cure
    assert str(caught.value).startswith(f"line {line}, column {column}: ")


def test_of_several_mistakes_the_first_in_the_file_is_told():
    with pytest.raises(ConfigError, match="“shop” is not a key"):
        parse("shop: a\ninterval: soon\nmappings:\n  - {resource: x, fields: 5, also: 1}\n", RESOURCES)


@pytest.mark.parametrize("text", [b"\xff\xfe\xff", b"store: caf\xe9\n", "a: \x00b"])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(ConfigError, match="not text that can be read as YAML"):
        parse(text, RESOURCES)


@pytest.mark.parametrize("text", [
    "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)),
    "a: &a\n  b: *a\n",
    "[" * 50_000,
    "a: " + "{b: " * 5_000 + "}" * 5_000,
    "".join("  " * i + "a:\n" for i in range(300)),
    "x:\n" + "  - a: 1\n" * 11_000,
    "store: " + "x" * 2_000_000,
    "- " * 40_000,
], ids=["bomb", "itself", "brackets", "braces", "stairs", "many", "long", "dashes"])
def test_a_file_made_to_hurt_is_refused_at_once(text):
    began = time.process_time()
    with pytest.raises(ConfigError):
        parse(text, RESOURCES)
    assert time.process_time() - began < 4


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.yaml cannot be read.*--config.*--init"):
        load(tmp_path / "nothing.yaml", RESOURCES)


@pytest.mark.parametrize(("said", "expected"), [
    ("", (None, None)), ("audit: {stock: 5m}", (None, 300)), ("audit: {everything: 2d, stock: off}", (172_800, 0)),
])
def test_how_often_everything_is_read(said: str, expected: tuple[int | None, int | None]) -> None:
    found = parse(f"{said}\nmappings:\n- resource: products\n  fields: {{title: Title}}\n", RESOURCES)
    assert (found.audit_seconds, found.stock_audit_seconds) == expected


@pytest.mark.parametrize(("said", "expected"), [
    ("", None), ("files_after_minutes: 2.5", 150), ("files_after_minutes: 0", 0)])
def test_when_many_changes_go_as_files(said: str, expected: float | None) -> None:
    assert parse(f"{said}\nmappings:\n- resource: products\n  fields: {{title: Title}}\n",
                 RESOURCES).files_after_seconds == expected


def test_an_audit_that_is_no_interval_is_a_mistake_with_its_line() -> None:
    with pytest.raises(ConfigError, match="line 1"):
        parse("audit: {stock: now}\nmappings:\n- resource: products\n  fields: {title: Title}\n", RESOURCES)
