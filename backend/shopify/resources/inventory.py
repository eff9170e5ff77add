"""Inventory levels: the stock of one inventory item at one location.

`available` and `onHand` move together in Shopify, so a mapping writes one of the two. Available merges: a person
who types 15 over 10 means "five more", whatever was sold meanwhile. On hand is a count of the shelf and asks.
`item.variant` is deprecated since one item can belong to several variants; the first stands for the row.
A new row that names a variant and a location stocks the variant there.
The level's variant needs read_products; its location is readable with read_inventory too.
"""

from backend.core.model import Field, Rule
from backend.shopify.resource import Below, Kin, StoreResource

RESOURCE = StoreResource(
    name="inventory",
    label="Inventory",
    table="Inventory",
    type="InventoryLevel",
    match=("variant+location",),
    title="",
    scopes=("read_inventory", "read_products"),
    write_scopes=("write_inventory",),
    topics=("INVENTORY_LEVELS_CONNECT", "INVENTORY_LEVELS_UPDATE", "INVENTORY_LEVELS_DISCONNECT"),
    creatable=True,
    place=20,
    connection="inventoryItems",
    arguments="",
    below=Below("InventoryItem", "item", "inventoryLevels", "includeInactive: true"),
    # Whether stock moves the time stamp of its item or its product nobody promises (facts §5): where it does, a poll
    # finds it at once.
    kin=(
        Kin("Product", "products", "variants(first: 250) { nodes { inventoryItem { inventoryLevels(first: 20, "
                                   "includeInactive: true) { nodes { id } } } } }"),
    ),
    titles=("item.variants.nodes.0.displayName", "location.name"),
    needs=("item.id", "location.id", "isActive"),
    writer="stock",
    shows=("tracked",),
    fields=(
        Field("variant", "ref", "Variant", "inventory", path="item.variants.nodes.0.id", on_create="inventoryItemId",
              target="variants", required=True),
        Field("location", "ref", "Location", "inventory", path="location.id", on_create="locationId",
              target="locations", required=True),
        Field("available", "integer", "Available", "inventory", path="quantities.available",
              write="quantities.available", rule=Rule.MERGE),
        Field("onHand", "integer", "On hand", "inventory", path="quantities.on_hand", write="quantities.on_hand"),
        Field("committed", "integer", "Committed", "inventory", path="quantities.committed"),
        Field("incoming", "integer", "Incoming", "inventory", path="quantities.incoming"),
        Field("reserved", "integer", "Reserved", "inventory", path="quantities.reserved", usual=False),
        Field("damaged", "integer", "Damaged", "inventory", path="quantities.damaged", usual=False),
        Field("safetyStock", "integer", "Safety stock", "inventory", path="quantities.safety_stock", usual=False),
        Field("qualityControl", "integer", "Quality control", "inventory", path="quantities.quality_control",
              usual=False),
        Field("isActive", "boolean", "Stocked here", "inventory", path="isActive"),
        Field("createdAt", "datetime", "Created", "inventory", path="createdAt", usual=False),
        Field("updatedAt", "datetime", "Updated", "inventory", path="updatedAt"),
    ),
)
