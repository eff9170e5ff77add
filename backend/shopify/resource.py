"""What this connector needs to know of a resource besides what everybody knows. Data, no logic: a resource is one
file in `resources/`.

    connection   the list that holds all of it             orders(first: …, sortKey: ID)
    below        where it has no list of its own           order lines hang below orders
    create …     the mutation for each kind of write       orderUpdate(input: OrderInput!) → order
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.core.model import Field, Mapping, Resource
from backend.shopify.paths import NoSuchPath, custom_field, is_custom

METAFIELD = "metafields."
"""A field of this name is a metafield: `metafields.custom.material`. Which ones there are, the store says."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A mutation that writes one thing: `productUpdate(product: ProductUpdateInput!) { product { … } }`."""

    name: str
    argument: str
    type: str
    returns: str
    """Where the payload holds the thing, or for a deletion its id."""
    id_apart: bool = False
    """The id is an argument of its own and no part of the input: `draftOrderUpdate(id:, input:)`."""
    also: str = ""
    """What else to select of the thing that it returns."""


@dataclass(frozen=True, slots=True)
class Below:
    """A resource without a list of its own hangs below another type: stock levels below inventory items."""

    type: str
    """The type above: `InventoryItem`."""
    parent: str
    """How paths call the thing above: `item` in `item.sku`."""
    step: str
    """The nested list: `inventoryLevels`."""
    arguments: str = ""
    points_up: bool = True
    """Whether the thing can be asked for what is above it; an order line cannot."""


@dataclass(frozen=True, slots=True)
class Kin:
    """Another type whose changes may be this resource's: an inventory item holds a variant's SKU."""

    type: str
    """The other type: `InventoryItem`."""
    connection: str
    """The list that tells when it changed: `inventoryItems`."""
    leads: str
    """What to select of it to come to this resource's things: `variants(first: 10) { nodes { id } }`."""
    paths: tuple[str, ...] = ()
    """It matters only where a field is mapped whose path begins with one of these; always, where there are none."""


@dataclass(frozen=True, slots=True)
class Together:
    """Parts of an input that Shopify takes only as a whole: an address, a weight with its unit. Its name begins with @
    where a mutation of its own takes it."""

    write: str
    parts: tuple[tuple[str, str], ...]
    """(name in the input, path where it is read)."""


@dataclass(frozen=True, slots=True)
class Right:
    """Scopes that some fields need beside those of their resource. Of `read` and `write` any one is enough."""

    starts: tuple[str, ...]
    """How `path` or `write` of those fields begins."""
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    def covers(self, field: Field) -> bool:
        return field.path.startswith(self.starts) or (bool(field.write) and field.write.startswith(self.starts))


@dataclass(frozen=True)
class StoreResource(Resource):
    place: int = 100
    """Where it stands in lists, as far as it may stand before what refers to it."""
    connection: str = ""
    """The root that lists it, or that lists what it hangs below."""
    arguments: str = "sortKey: ID"
    """Of the connection, besides first, after and query."""
    below: Below | None = None
    kin: tuple[Kin, ...] = ()
    titles: tuple[str, ...] = ()
    """Paths that name a thing to people, where that is not one of its fields."""
    needs: tuple[str, ...] = ()
    """Paths that a write needs to know besides its own change."""
    together: tuple[Together, ...] = ()
    rights: tuple[Right, ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    """(field, what its words name): such a value is sent as the id of the thing of that name (`names`)."""
    writer: Literal["one", "variants", "stock"] = "one"
    """`one`: each thing by a mutation of its own, as said by the verbs. The other two have ways of their own."""
    make: Verb | None = None
    update: Verb | None = None
    remove: Verb | None = None
    given: tuple[tuple[str, str], ...] = ()
    """What a new thing holds unless its row says otherwise, by name in the input."""
    owner: str = ""
    """Its name among the owners of metafields (MetafieldOwnerType); "" where it can have none here."""
    finds: str = ""
    """The root that finds a thing by a key that we gave it: `productByIdentifier`."""
    natural: tuple[tuple[str, str], ...] = ()
    """(field, its name in the identifier): what else of a thing no two can share, so that it is found by that."""
    warns: tuple[tuple[str, str, str, str], ...] = ()
    """(field, value, another field, sentence): things that hold this value and nothing in the other field are told."""
    newest: str = ""
    """Where no root finds a thing by our key: the list whose newest entries are looked through for it."""
    window: str = ""
    """The scope without which old things are invisible (orders older than 60 days), so that nothing seen missing
    is proven gone."""

    def field(self, name: str) -> Field | None:
        """A field of the resource, a metafield, or a custom one: the way to any other value (`paths`)."""
        known = Resource.field(self, name)
        if known is not None:
            return known
        if name.startswith(METAFIELD):
            return metafield(name) if self.owner and name.count(".") == 2 and all(name.split(".")) else None
        try:
            return custom_field(self.type, name, self._above) if is_custom(name) else None
        except NoSuchPath:
            return None

    def no_field(self, name: str) -> str:
        """Why there is no field of this name, where more can be said than that there is none."""
        try:
            if is_custom(name) and not name.startswith(METAFIELD):
                custom_field(self.type, name, self._above)
        except NoSuchPath as error:
            return str(error)
        return ""

    @property
    def _above(self) -> tuple[str, str]:
        return (self.below.parent, self.below.type) if self.below else ("", "")


def metafield(name: str) -> Field:
    """A metafield as far as its name tells: text, until `prepare` has asked the store for its definition."""
    return Field(name, "text", name.split(".")[2].replace("_", " ").replace("-", " ").capitalize(), "metafields",
                 path=name, write=name, usual=False)


def shape(mapping: Mapping) -> StoreResource:
    """The resource of a mapping, as this connector knows it."""
    resource = mapping.resource
    if not isinstance(resource, StoreResource):
        raise TypeError(f"{resource.name} is not described for Shopify.")
    return resource
