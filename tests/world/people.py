"""What people do on both sides. Each deed takes three numbers and makes of them which row, which field, which way, by
what is there at that moment; so a story can be shortened anywhere and the rest of it still means something.

A deed returns a sentence for the story, or None where there was nothing to do it to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from engine.world import World, with_rules, world_in

from backend.core.mapping import default_mapping
from backend.core.model import Direction, Mapping, Policy, Rule, Side
from backend.core.pairing import NEW_ROW
from backend.core.values import Unfit, Value
from backend.errors import BrakeError
from backend.shopify.resources import RESOURCES
from backend.store import base, inbox, pairing
from backend.store.pairing import Answer

from .ledger import Ledger, words

FIELDS = {
    "products": ("title", "handle", "status", "vendor", "tags", "totalInventory"),
    "variants": ("product", "sku", "price", "compareAtPrice"),
    "locations": ("name",),
    "inventory": ("variant", "location", "available"),
}
TEXTS = ("title", "vendor", "handle")
TABLES = {"products": "Products", "variants": "Variants", "inventory": "Inventory"}
T = TypeVar("T")


def world_mappings() -> list[Mapping]:
    made = [default_mapping(RESOURCES[name], fields=fields) for name, fields in FIELDS.items()]
    return [replace(one, create_remote=one.name in ("products", "variants")) for one in made]


@dataclass
class People:
    """Everybody who touches the document, the store, the settings, or answers a question."""

    world: World
    ledger: Ledger
    saw: Counter[str] = field(default_factory=Counter)
    """What really came about, by name."""
    kept: list[dict[str, Any]] = field(default_factory=list)
    """Older states of the document."""
    gone: dict[str, tuple[str, dict[str, Value]]] = field(default_factory=dict)
    """What was deleted in Shopify: gid → (resource, cells)."""
    while_a_run_writes: bool = False
    """What is typed now may be what the run is about to write elsewhere."""
    late: list[tuple[Side, str, Any]] = field(default_factory=list)
    """Webhooks that are still under way."""
    freed: set[tuple[str, int]] = field(default_factory=set)
    """Row ids that were free once."""

    def do(self, name: str, picks: Sequence[int]) -> str | None:
        deed: Callable[[int, int, int], str | None] = getattr(self, name)
        states, touches = len(self.world.grist.states), self.world.shopify._touches
        with self.ledger.person():
            said = deed(*picks)
        if said:
            self.saw[name] += 1
            self._hint(self._touched(states, touches), sum(picks) % 5)
        return said

    def _touched(self, states: int, touches: int) -> list[tuple[Side, str, Any]]:
        """What a webhook would tell of: (side, resource, key)."""
        tables = {one.table: one.name for one in self.world.mappings}
        shop = self.world.shopify
        moments = [(name, gid, shop._touched.get(gid, 0)) for name, things in shop.things.items() for gid in things]
        moments += [(name, gid, at) for name, gone in shop._deleted.items() for gid, at in gone.items()]
        return [*((Side.LOCAL, tables[table], row) for _, table, row, _ in self.world.grist.states[states:]),
                *((Side.REMOTE, name, gid) for name, gid, at in moments if at > touches)]

    def _hint(self, touched: list[tuple[Side, str, Any]], fate: int) -> None:
        """Webhooks are lost, come twice, or late and in another order."""
        if not touched or fate == 0:
            self.saw["hints lost"] += bool(touched)
        elif fate == 4:
            self.saw["hints late"] += 1
            self.late = [*reversed(touched), *self.late]
        else:
            self.saw["hints doubled"] += fate == 3
            self.note(touched * (2 if fate == 3 else 1))

    def note(self, touched: list[tuple[Side, str, Any]]) -> None:
        with self.world.database.write() as tx:
            for side, name, key in touched:
                inbox.note(tx, self.world.link_id, side, [(name, key)])

    def deliver_late(self) -> None:
        late, self.late = self.late, []
        self.note(late[::2] + late[1::2])

    # --- in Grist -----------------------------------------------------------------------------------------

    def type_text(self, a: int, b: int, c: int) -> str | None:
        row, name = self._row("Products", a), TEXTS[b % 3]
        if row is None:
            return None
        return self._type("Products", row, name, self.ledger.token().capitalize())

    def type_again(self, a: int, b: int, c: int) -> str | None:
        """What the other side holds, typed here by hand: both sides made the same change."""
        row = self._row("Products", a)
        gid = self.world.grist.marks.get("Products", {}).get(row or 0, "")
        if row is None or gid not in self.world.shopify.things["products"]:
            return None
        name = TEXTS[b % 3]
        return self._type("Products", row, name, self.world.shopify.thing(gid)[name])

    def type_tag(self, a: int, b: int, c: int) -> str | None:
        row = self._row("Products", a)
        if row is None:
            return None
        held = self.world.grist.rows["Products"][row].get("tags")
        tags = list(held) if isinstance(held, tuple) else []
        if c % 3 == 0 and tags:
            tags.pop(b % len(tags))
            return self._type("Products", row, "tags", tags)
        return self._type("Products", row, "tags", [*tags, self.ledger.token()])

    def type_price(self, a: int, b: int, c: int) -> str | None:
        row = self._row("Variants", a)
        return None if row is None else self._type("Variants", row, "price", self.ledger.price())

    def type_unfit(self, a: int, b: int, c: int) -> str | None:
        """Words into a column of numbers."""
        row = self._row("Variants", a)
        return None if row is None else self._type("Variants", row, "price", Unfit(f"about {self.ledger.token()}"))

    def count_stock(self, a: int, b: int, c: int) -> str | None:
        row = self._row("Inventory", a)
        if row is None:
            return None
        held = self.world.grist.rows["Inventory"][row].get("available")
        gid = self.world.grist.marks.get("Inventory", {}).get(row)
        if not isinstance(held, int) or gid is None:
            return None
        self.ledger.count += 1
        more = 50 + self.ledger.count * 7  # no two steps alike, so no cell goes back to what it showed before
        if gid in self.ledger.stock:
            self.ledger.stock[gid] += more
        if sum(mark == gid for mark in self.world.grist.marks["Inventory"].values()) > 1:
            self.ledger.doubtful.add(gid)
        return self._type("Inventory", row, "available", held + more)

    def clear_cell(self, a: int, b: int, c: int) -> str | None:
        row = self._row("Products", a)
        return None if row is None else self._type("Products", row, ("vendor", "tags", "title")[b % 3], None)

    def press_undo(self, a: int, b: int, c: int) -> str | None:
        before = dict(self._stock_cells())
        if not self.world.grist.press_undo():
            return None
        self._doubt_stock(before)
        return "Grist: somebody presses undo"

    def add_product(self, a: int, b: int, c: int) -> str | None:
        token = self.ledger.token()
        values = {"title": token.capitalize(), "handle": token, "tags": [self.ledger.token()]}
        if b % 4 == 0:
            del values["title"]  # not ready yet
        row = self._add("Products", values)
        if c % 2:
            variant = self._add("Variants", {"product": row, "sku": self.ledger.token(), "price": self.ledger.price()})
            return f"Grist: a new product in row {row}, {values}, and a variant in row {variant}"
        return f"Grist: a new product in row {row}, {values}"

    def add_candidate(self, a: int, b: int, c: int) -> str | None:
        """Somebody types a product into Grist that Shopify has already, or that is in another row already."""
        handles = [cells.get("handle") for cells in self.world.shopify.things["products"].values()]
        if not handles:
            return None
        handle = handles[a % len(handles)]
        row = self._add("Products", {"title": self.ledger.token().capitalize(), "handle": handle})
        self.ledger.edited_ids = True
        self.ledger.copied |= words(handle)
        return f"Grist: a new product in row {row} with the handle {handle!r} that Shopify has already"

    def copy_row(self, a: int, b: int, c: int) -> str | None:
        table = ("Products", "Products", "Variants", "Inventory")[b % 4]
        row = self._row(table, a)
        if row is None:
            return None
        self.ledger.edited_ids = True
        mark = self.world.grist.marks.get(table, {}).get(row)
        if mark:
            self.saw["copied rows"] += 1
        self.ledger.copied |= words(self.world.grist.rows[table][row])
        if table == "Inventory" and mark:
            self.ledger.doubtful.add(mark)
        copy = self.world.grist.copy_row(table, row)
        self._note_row(table, copy)
        return f"Grist: row {row} of {table} ({mark}) is copied and pasted as row {copy}"

    def move_row(self, a: int, b: int, c: int) -> str | None:
        """Cut and paste: the same row under another id."""
        table = ("Products", "Variants", "Inventory")[b % 3]
        row = self._row(table, a)
        if row is None:
            return None
        self.ledger.edited_ids = True
        copy = self.world.grist.copy_row(table, row)
        self._note_row(table, copy)
        self._doubt_level(table, row)
        if row not in self.world.grist.marks.get(table, {}):
            # Should it have been made in Shopify by a run that was cut off, nothing tells that this is the same row.
            self.ledger.copied |= words(self.world.grist.rows[table][row])
        self.world.grist.remove_row(table, row)
        self.freed.add((table, row))
        return f"Grist: row {row} of {table} is cut and pasted as row {copy}"

    def delete_row(self, a: int, b: int, c: int) -> str | None:
        table = ("Products", "Products", "Variants", "Inventory")[b % 4]
        row = self._row(table, a)
        if row is None:
            return None
        self._doubt_level(table, row)
        self.world.grist.remove_row(table, row)
        self.freed.add((table, row))
        self.saw["deletions"] += 1
        return f"Grist: row {row} of {table} is deleted"

    def reuse_row(self, a: int, b: int, c: int) -> str | None:
        """The last row is deleted and somebody adds another: it gets the freed id."""
        table = "Products"
        row = max(self.world.grist.rows.get(table, {}), default=0)
        if not row:
            return None
        if row not in self.world.grist.marks.get(table, {}):
            # Should it have been made in Shopify a moment ago, nothing tells that the new row is another one.
            self.ledger.copied |= words(self.world.grist.rows[table][row])
        vendor = self.world.grist.rows[table][row].get("vendor")
        self.world.grist.remove_row(table, row)
        self.freed.add((table, row))
        token = self.ledger.token()
        values = {"title": token.capitalize(), "handle": token}
        if vendor and a % 2 == 0:
            values["vendor"] = vendor  # so that nobody but a person can tell whether it is another one
            self.ledger.edited_ids = True
        self.saw["deletions"] += 1
        new = self._add(table, values)
        return f"Grist: row {row} of {table} is deleted, and a new product {values} gets row {new}"

    def empty_id(self, a: int, b: int, c: int) -> str | None:
        table = ("Products", "Variants")[b % 2]
        row = self._row(table, a)
        if row is None or row not in self.world.grist.marks.get(table, {}):
            return None
        self.ledger.edited_ids = True
        self.world.grist.set_mark(table, row, "")
        return f"Grist: the Shopify ID of row {row} of {table} is emptied"

    def edit_id(self, a: int, b: int, c: int) -> str | None:
        table = "Products"
        row, gids = self._row(table, a), list(self.world.shopify.things["products"])
        if row is None or not gids:
            return None
        self.ledger.edited_ids = True
        mark = gids[b % len(gids)] if c % 3 else f"gid://shopify/Product/99{c}"
        if self.world.grist.marks.get(table, {}).get(row) == mark:
            return None
        # Of a thing that no row holds, a run that was cut off may have made it for another one, and says so there.
        is_new = mark not in self.world.grist.marks.get(table, {}).values()
        self.ledger.copies[table, mark] += self.while_a_run_writes or is_new
        self.world.grist.set_mark(table, row, mark)
        return f"Grist: {mark} is typed into the Shopify ID of row {row} of {table}"

    def import_over(self, a: int, b: int, c: int) -> str | None:
        table = ("Products", "Variants")[a % 2]
        if not self.world.grist.rows.get(table):
            return None
        with_ids = b % 2 == 0
        self.freed |= {(table, row) for row in self.world.grist.rows[table]}
        self.ledger.edited_ids = True
        marks = self.world.grist.marks.get(table, {}) if with_ids else {}
        for row, cells in self.world.grist.rows[table].items():
            if row not in marks:
                # As where a row is cut and pasted: only what it says tells that this is the same one.
                self.ledger.copied |= words(cells)
        self.world.grist.import_over(table, with_ids=with_ids)
        self.saw["reused ids"] += 1
        return f"Grist: a file is imported over {table}, {'with' if with_ids else 'without'} Shopify IDs"

    def hide_row(self, a: int, b: int, c: int) -> str | None:
        table = ("Products", "Variants", "Inventory")[b % 3]
        row = self._row(table, a)
        if row is None:
            return None
        self.world.grist.hidden_rows.add((table, row))
        return f"Grist: access rules hide row {row} of {table}"

    def hide_cell(self, a: int, b: int, c: int) -> str | None:
        row = self._row("Products", a)
        if row is None:
            return None
        self.world.grist.hidden.add((row, TEXTS[b % 3]))
        return f"Grist: access rules hide {TEXTS[b % 3]} of row {row} of every table"

    def show_all(self, a: int, b: int, c: int) -> str | None:
        self.world.grist.hidden_rows.clear()
        self.world.grist.hidden.clear()
        return "Grist: access rules hide nothing any more"

    def refuse_sql(self, a: int, b: int, c: int) -> str | None:
        self.world.grist.sql_refused = not self.world.grist.sql_refused
        return f"Grist: SQL is {'refused' if self.world.grist.sql_refused else 'allowed'}"

    def tick(self, a: int, b: int, c: int) -> str | None:
        row = self._row("Products", a)
        if row is None:
            return None
        self.world.grist.unticked ^= {("Products", row)}
        return f"Grist: row {row} of Products is {'un' * (('Products', row) in self.world.grist.unticked)}ticked"

    def remap(self, a: int, b: int, c: int) -> str | None:
        """The field lives in another column now, empty or with what somebody wrote there."""
        name = ("vendor", "title")[b % 2]
        rows = self.world.grist.rows.get("Products", {})
        values = {row: self.ledger.token().capitalize() for row in rows} if c % 2 else {}
        self.world.grist.remap("Products", name, values)
        return f"Grist: {name} is mapped to another column of Products, which holds {values}"

    def retype(self, a: int, b: int, c: int) -> str | None:
        self.world.grist.retyped ^= {("Products", "vendor")}
        return f"Grist: the column of vendor is {'given a wrong' if self.world.grist.retyped else 'given its'} type"

    def keep_document(self, a: int, b: int, c: int) -> str | None:
        self.kept.append(self.world.grist.snapshot())
        return "Grist: a backup of the document is made"

    def restore_document(self, a: int, b: int, c: int) -> str | None:
        if not self.kept:
            return None
        before = dict(self._stock_cells())
        snapshot = self.kept.pop(a % len(self.kept))
        self.freed |= {(table, row) for table, rows in self.world.grist.rows.items() for row in rows}
        self.world.grist.restore(snapshot)
        self._doubt_stock(before)
        self.ledger.doubtful |= set(self.ledger.stock)
        self.ledger.edited_ids = True
        return "Grist: the document is put back to a backup"

    def copy_document(self, a: int, b: int, c: int) -> str | None:
        """Somebody duplicates the document and connects the copy to the same store: its first sync is to stop."""
        with self.world.database.read() as tx:
            known = {thing for one in self.world.mappings for _, thing in base.keys(tx, one.id)}
        if not known & {mark for marks in self.world.grist.marks.values() for mark in marks.values()}:
            return None  # nothing in it tells that it is a copy
        self.saw["copied document"] += 1
        copy = world_in(self.world.database, self.world.mappings, document=f"copy {self.saw['copied document']}")
        copy.shopify = self.world.shopify
        copy.grist.restore(self.world.grist.snapshot())
        written = len(self.world.shopify.log)
        copy.run_until(BrakeError)
        assert copy.grist.log == [], "the sync of a copy wrote into it"
        assert len(self.world.shopify.log) == written, "the sync of a copy wrote into the store"
        return "Grist: the document is copied, and the copy connected to the same store: its sync is stopped"

    # --- in Shopify ---------------------------------------------------------------------------------------

    def edit_text(self, a: int, b: int, c: int) -> str | None:
        gid = self._thing("products", a)
        return None if gid is None else self._edit(gid, TEXTS[b % 3], self.ledger.token().capitalize())

    def edit_tag(self, a: int, b: int, c: int) -> str | None:
        gid = self._thing("products", a)
        if gid is None:
            return None
        held = self.world.shopify.thing(gid)["tags"]
        tags = list(held) if isinstance(held, tuple) else []
        if c % 3 == 0 and tags:
            tags.pop(b % len(tags))
            return self._edit(gid, "tags", tags)
        return self._edit(gid, "tags", [*tags, self.ledger.token()])

    def edit_price(self, a: int, b: int, c: int) -> str | None:
        gid = self._thing("variants", a)
        return None if gid is None else self._edit(gid, "price", self.ledger.price())

    def edit_status(self, a: int, b: int, c: int) -> str | None:
        gid = self._thing("products", a)
        return None if gid is None else self._edit(gid, "status", ("ACTIVE", "DRAFT")[b % 2])

    def clear_field(self, a: int, b: int, c: int) -> str | None:
        gid = self._thing("products", a)
        return None if gid is None else self._edit(gid, ("vendor", "tags")[b % 2], None)

    def sell(self, a: int, b: int, c: int) -> str | None:
        gid = self._thing("inventory", a)
        if gid is None or not isinstance(self.world.shopify.things["inventory"][gid].get("available"), int):
            return None
        pieces = b % 3 + 1
        if gid in self.ledger.stock:
            self.ledger.stock[gid] -= pieces
        self.world.shopify.sell(gid, pieces)
        return f"Shopify: {pieces} of {gid} are sold"

    def add_thing(self, a: int, b: int, c: int) -> str | None:
        shop, token = self.world.shopify, self.ledger.token()
        gid = shop.add("products", title=token.capitalize(), handle=token, status=("ACTIVE", "DRAFT")[a % 2],
                       tags=[self.ledger.token()])
        if b % 2:
            shop.add("variants", product=gid, sku=self.ledger.token(), price=self.ledger.price())
        return f"Shopify: {gid} is added{' with a variant' if b % 2 else ''}"

    def delete_thing(self, a: int, b: int, c: int) -> str | None:
        resource = ("products", "products", "variants")[b % 3]
        gid = self._thing(resource, a)
        if gid is None:
            return None
        self.gone[gid] = resource, dict(self.world.shopify.things[resource][gid])
        self.world.shopify.delete(gid)
        self.saw["deletions"] += 1
        return f"Shopify: {gid} is deleted"

    def recreate(self, a: int, b: int, c: int) -> str | None:
        """What was deleted is made again, with the same handle, under another id."""
        products = [(gid, cells) for gid, (resource, cells) in self.gone.items() if resource == "products"]
        if not products:
            return None
        gid, cells = products[a % len(products)]
        if any(held.get("handle") == cells.get("handle") for held in self.world.shopify.things["products"].values()):
            return None
        new = self.world.shopify.add("products", **{name: held for name, held in cells.items()
                                                    if name in ("title", "handle", "vendor", "tags", "status")})
        return f"Shopify: what was {gid} is made again as {new}"

    def come_back(self, a: int, b: int, c: int) -> str | None:
        """What was gone is there again under its old id."""
        products = [gid for gid, (resource, _) in self.gone.items() if resource == "products"]
        if not products:
            return None
        gid = products[a % len(products)]
        handles = {cells.get("handle") for cells in self.world.shopify.things["products"].values()}
        if gid in self.world.shopify.things["products"] or self.gone[gid][1].get("handle") in handles:
            return None  # no two products have one handle: it was made anew meanwhile
        self.world.shopify.restore("products", gid, self.gone.pop(gid)[1])
        return f"Shopify: {gid} is there again"

    def unproven(self, a: int, b: int, c: int) -> str | None:
        gid = self._thing("products", a)
        if gid is None:
            return None
        self.world.shopify.unproven.add(gid)
        return f"Shopify: answers an error instead of {gid}"

    def lag(self, a: int, b: int, c: int) -> str | None:
        self.world.shopify.search_lags = True
        return "Shopify: search begins to lag"

    def catch_up(self, a: int, b: int, c: int) -> str | None:
        self.world.shopify.catch_up()
        return "Shopify: search has caught up"

    def large_store(self, a: int, b: int, c: int) -> str | None:
        """Nothing tells of stock any more, until it is read whole."""
        self.world.shopify.unfound = set() if self.world.shopify.unfound else {"inventory"}
        return f"Shopify: stock is {'not ' * bool(self.world.shopify.unfound)}told of"

    def stock_is_due(self, a: int, b: int, c: int) -> str | None:
        self.world.shopify.audits["inventory"] = self.world.shopify.audits.get("inventory", 0) + 1
        return "Shopify: it is time to read all stock"

    # --- in the settings ----------------------------------------------------------------------------------

    def change_rule(self, a: int, b: int, c: int) -> str | None:
        name, rule = TEXTS[a % 2], (Rule.ASK, Rule.SHOPIFY, Rule.GRIST)[b % 3]
        self._set("products", with_rules(self.world.mapping("products"), **{name: {"on_conflict": rule}}))
        return f"Settings: {name} is decided by {rule.value}"

    def change_direction(self, a: int, b: int, c: int) -> str | None:
        name, way = TEXTS[a % 2], (Direction.BOTH, Direction.TO_GRIST, Direction.TO_SHOPIFY)[b % 3]
        self._set("products", with_rules(self.world.mapping("products"), **{name: {"direction": way}}))
        if way is not Direction.BOTH:
            self.ledger.cleared |= {(side, "products", name) for side in Side}
        return f"Settings: {name} goes {way.value}"

    def change_filter(self, a: int, b: int, c: int) -> str | None:
        mapping = self.world.mapping("products")
        filtered = "" if mapping.filter else "status:active"
        self._set("products", replace(mapping, filter=filtered))
        return f"Settings: products are filtered by {filtered!r}"

    def change_toggle(self, a: int, b: int, c: int) -> str | None:
        mapping = self.world.mapping("products")
        self._set("products", replace(mapping, only_where="" if mapping.only_where else "Ready"))
        return f"Settings: only rows that are ticked take part: {not mapping.only_where}"

    def change_policy(self, a: int, b: int, c: int) -> str | None:
        name, policy = ("products", "variants")[a % 2], list(Policy)[b % 3]
        side = ("delete_local", "delete_remote")[c % 2]
        self._set(name, replace(self.world.mapping(name), **{side: policy}))
        return f"Settings: {side} of {name} is {policy.value}"

    # --- answers ------------------------------------------------------------------------------------------

    def choose(self, a: int, b: int, c: int) -> str | None:
        said = []
        for at, conflict in enumerate(self.world.conflicts()):
            keep = ("grist", "shopify", "base", "value")[(a + at) % 4]
            if (a + at) % 3 == 1 and b % 2 == 0:
                self.world.keep_apart(conflict)
                self.saw["kept apart"] += 1
                said.append(f"{conflict.field or 'row'} of {conflict.remote_key}: kept apart")
                if conflict.field == "available":
                    self.ledger.doubtful.add(conflict.remote_key)
                continue
            name = next(one.name for one in self.world.mappings if one.id == conflict.mapping_id)
            if not conflict.field:
                keep = ("grist", "shopify")[(a + at) % 2]
                where = Side(conflict.deleted or Side.LOCAL)
                if (keep == "grist") == (where is Side.LOCAL):
                    self.ledger.allowed.add((name, where.other, conflict.remote_key))
            elif conflict.field == "available":
                self.ledger.doubtful.add(conflict.remote_key)
            self.ledger.cleared |= {(side, name, conflict.field) for side in Side}
            self.ledger.chosen.add((conflict.remote_key, conflict.field))
            value = f"Chosen {self.ledger.count}" if keep == "value" and conflict.field in TEXTS else None
            if keep == "value" and value is None:
                keep = "grist"
            self.world.choose(keep, value, conflict=conflict)
            said.append(f"{conflict.field or 'row'} of {conflict.remote_key}: {keep}")
        return f"Answers: {', '.join(said)}" if said else None

    def approve(self, a: int, b: int, c: int) -> str | None:
        waiting = self.world.deletions()
        for one in waiting:
            name = next(mapping.name for mapping in self.world.mappings if mapping.id == one.mapping_id)
            self.ledger.allowed |= {(name, Side(one.side), str(key)) for key in (one.key, one.partner)}
        self.world.approve()
        return f"Answers: yes to {[(one.side, one.key) for one in waiting]}" if waiting else None

    def put_back(self, a: int, b: int, c: int) -> str | None:
        waiting = self.world.deletions()
        self.world.put_back()
        return f"Answers: put back {[(one.side, one.key) for one in waiting]}" if waiting else None

    def keep(self, a: int, b: int, c: int) -> str | None:
        waiting = self.world.deletions()
        self.world.keep()
        return f"Answers: no to {[(one.side, one.key) for one in waiting]}" if waiting else None

    def ask_again(self, a: int, b: int, c: int) -> str | None:
        cells = self.world.ask_again()
        return f"Answers: ask again for {cells} cells that were kept apart" if cells else None

    def say_which(self, a: int, b: int, c: int) -> str | None:
        """What a row is whose Shopify ID was emptied or changed: still the same, what it names now, or a new row."""
        said = []
        with self.world.database.write() as tx:
            for at, one in enumerate(pairing.questions(tx, [mapping.id for mapping in self.world.mappings])):
                if one.kind not in ("emptied", "changed"):
                    continue
                [row] = one.rows
                things = [NEW_ROW] if one.kind == "emptied" else [thing["thing"] for thing in one.things]
                thing = [one.about["thing"], *things][(a + at) % (1 + len(things))]
                pairing.answer(tx, [Answer(one.mapping_id, row["row"], thing, row["looks"], "", "me")])
                pairing.answered(tx, [one.id])
                mapping = next(mapping for mapping in self.world.mappings if mapping.id == one.mapping_id)
                name = mapping.name
                if thing == NEW_ROW:  # it was said, so what it was stands there a second time
                    self.ledger.copied |= words(self.world.grist.rows[mapping.table].get(row["row"]))
                if thing == one.about["thing"] and thing in self.world.grist.marks.get(mapping.table, {}).values():
                    self.ledger.copies[mapping.table, thing] += 1  # … so another row that holds its ID is a copy
                inbox.note(tx, self.world.link_id, Side.LOCAL, [(name, row["row"])])
                inbox.note(tx, self.world.link_id, Side.REMOTE, [
                    (name, gid) for gid in (one.about["thing"], *(thing["thing"] for thing in one.things))])
                self.saw[f"said {'new' if thing == NEW_ROW else 'other' if thing in things else 'same'}"] += 1
                said.append(f"row {row['row']} of {name}, which was {one.about['thing']}: {thing}")
        return f"Answers: {', '.join(said)}" if said else None

    # --- hands --------------------------------------------------------------------------------------------

    def open_the_shop(self) -> None:
        """Four products, three of them with a variant that is in stock at one place."""
        shop = self.world.shopify
        shelf = shop.add("locations", name="Shelf")
        for number in range(4):
            product = shop.add("products", title=f"Title {self.ledger.token()}", handle=self.ledger.token(),
                               vendor=self.ledger.token(), status="ACTIVE")
            if number < 3:
                variant = shop.add("variants", product=product, sku=self.ledger.token(), price=self.ledger.price())
                (level,) = [gid for gid, cells in shop.things["inventory"].items() if cells["variant"] == variant]
                shop.edit(level, "available", 1000)
                self.ledger.stock[level] = 1000
        assert shelf

    def calm(self) -> None:
        """Faults stop: everything can be seen again, and nobody refuses."""
        self.world.grist.hidden_rows.clear()
        self.world.grist.hidden.clear()
        self.world.grist.sql_refused = False
        self.world.grist.retyped.clear()
        self.world.shopify.unproven.clear()
        self.world.shopify.catch_up()

    def _row(self, table: str, pick: int) -> int | None:
        rows = list(self.world.grist.rows.get(table, {}))
        return rows[pick % len(rows)] if rows else None

    def _thing(self, resource: str, pick: int) -> str | None:
        gids = list(self.world.shopify.things[resource])
        return gids[pick % len(gids)] if gids else None

    def _type(self, table: str, row: int, name: str, value: Any) -> str:
        was = self.world.grist.rows[table][row].get(name)
        self.world.grist.type(table, row, name, value)
        return f"Grist: {name} of row {row} of {table}: {was!r} → {value!r}"

    def _edit(self, gid: str, name: str, value: Any) -> str:
        was = self.world.shopify.thing(gid)[name]
        self.world.shopify.edit(gid, name, value)
        return f"Shopify: {name} of {gid}: {was!r} → {self.world.shopify.thing(gid)[name]!r}"

    def _add(self, table: str, values: dict[str, Any]) -> int:
        row = self.world.grist.add_row(table, **values)
        self._note_row(table, row)
        return row

    def _note_row(self, table: str, row: int) -> None:
        if (table, row) in self.freed:
            self.saw["reused ids"] += 1

    def _set(self, resource: str, mapping: Mapping) -> None:
        self.world.mappings = [mapping if one.name == resource else one for one in self.world.mappings]

    def _stock_cells(self) -> dict[int, tuple[Value, str]]:
        marks = self.world.grist.marks.get("Inventory", {})
        return {row: (cells.get("available"), marks.get(row, ""))
                for row, cells in self.world.grist.rows.get("Inventory", {}).items()}

    def _doubt_stock(self, before: dict[int, tuple[Value, str]]) -> None:
        """Figures that moved otherwise than by counting say nothing about the sum any more."""
        now = self._stock_cells()
        for row in before.keys() | now.keys():
            if before.get(row) != now.get(row):
                self.ledger.doubtful |= {before.get(row, (None, ""))[1], now.get(row, (None, ""))[1]}

    def _doubt_level(self, table: str, row: int) -> None:
        if table == "Inventory":
            self.ledger.doubtful.add(self.world.grist.marks.get(table, {}).get(row, ""))
