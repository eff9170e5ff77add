"""Product variants, each with its inventory item: Shopify keeps SKU, cost, weight and origin there.

read_products is enough to read the item as well; writing its fields needs write_inventory, and without it only those
fields are refused.
"""

from backend.core.model import Field
from backend.shopify.resource import Kin, Right, StoreResource, Together

RESOURCE = StoreResource(
    name="variants",
    label="Variants",
    table="Variants",
    type="ProductVariant",
    match=("sku", "barcode"),
    title="displayName",
    scopes=("read_products",),
    write_scopes=("write_products",),
    rights=(Right(("inventoryItem.",), write=("write_inventory",)),),
    creatable=True,
    deletable=True,
    search="productVariants",
    topics=("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE", "INVENTORY_ITEMS_UPDATE"),
    place=2,
    connection="productVariants",
    kin=(Kin("InventoryItem", "inventoryItems", "variants(first: 10) { nodes { id } }", ("inventoryItem.",)),),
    needs=("product.id",),
    writer="variants",
    together=(Together("inventoryItem.measurement.weight", (
        ("value", "inventoryItem.measurement.weight.value"), ("unit", "inventoryItem.measurement.weight.unit"))),),
    owner="PRODUCTVARIANT",
    fields=(
        Field("displayName", "text", "Name", "metadata", path="displayName"),
        Field("product", "ref", "Product", "metadata", path="product.id", on_create="productId", target="products",
              required=True),
        Field("sku", "text", "SKU", "sku", path="inventoryItem.sku", write="inventoryItem.sku"),
        Field("barcode", "text", "Barcode", "sku", path="barcode", write="barcode"),
        Field("price", "money", "Price", "price", path="price", write="price", required=True),
        Field("compareAtPrice", "money", "Compare at", "price", path="compareAtPrice", write="compareAtPrice"),
        Field("cost", "money", "Cost", "price", path="inventoryItem.unitCost.amount", write="inventoryItem.cost"),
        Field("taxable", "boolean", "Taxable", "price", path="taxable", write="taxable"),
        Field("option1", "text", "Option 1", "metadata", path="selectedOptions.0.value", on_create="optionValues.0"),
        Field("option2", "text", "Option 2", "metadata", path="selectedOptions.1.value", on_create="optionValues.1"),
        Field("option3", "text", "Option 3", "metadata", path="selectedOptions.2.value", on_create="optionValues.2"),
        Field("inventoryPolicy", "choice", "When out of stock", "inventory", path="inventoryPolicy",
              write="inventoryPolicy", choices=("DENY", "CONTINUE")),
        Field("tracked", "boolean", "Tracked", "inventory", path="inventoryItem.tracked",
              write="inventoryItem.tracked"),
        Field("requiresShipping", "boolean", "Needs shipping", "metadata", path="inventoryItem.requiresShipping",
              write="inventoryItem.requiresShipping"),
        Field("weight", "decimal", "Weight", "metadata", path="inventoryItem.measurement.weight.value",
              write="inventoryItem.measurement.weight.value"),
        Field("weightUnit", "choice", "Weight unit", "metadata", path="inventoryItem.measurement.weight.unit",
              write="inventoryItem.measurement.weight.unit",
              choices=("GRAMS", "KILOGRAMS", "OUNCES", "POUNDS")),
        Field("harmonizedSystemCode", "text", "HS code", "metadata", path="inventoryItem.harmonizedSystemCode",
              write="inventoryItem.harmonizedSystemCode"),
        Field("countryCodeOfOrigin", "text", "Country of origin", "metadata",
              path="inventoryItem.countryCodeOfOrigin", write="inventoryItem.countryCodeOfOrigin"),
        Field("provinceCodeOfOrigin", "text", "Province of origin", "metadata",
              path="inventoryItem.provinceCodeOfOrigin", write="inventoryItem.provinceCodeOfOrigin"),
        Field("imageUrl", "text", "Image", "metadata", path="media.nodes.0.preview.image.url", usual=False),
        Field("title", "text", "Title", "metadata", path="title", usual=False),
        Field("position", "integer", "Position", "metadata", path="position"),
        Field("inventoryQuantity", "integer", "Total available", "inventory", path="inventoryQuantity"),
        Field("createdAt", "datetime", "Created", "metadata", path="createdAt"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
    ),
)
