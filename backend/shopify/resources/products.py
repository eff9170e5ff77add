"""Products.

Sales channels and collections are lists of names: what is added or taken away is published, unpublished, joined and
left, one by one. Images are given by their addresses when a product is made; Shopify keeps them under addresses of its
own, of which the first is shown.
"""

from backend.core.model import Field, Rule
from backend.shopify.resource import Right, StoreResource, Verb

RESOURCE = StoreResource(
    name="products",
    label="Products",
    table="Products",
    type="Product",
    match=("handle",),
    title="title",
    scopes=("read_products",),
    write_scopes=("write_products",),
    creatable=True,
    deletable=True,
    archives=("status", "ARCHIVED"),
    search="products",
    topics=("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE"),
    place=1,
    connection="products",
    make=Verb("productCreate", "product", "ProductCreateInput!", "product",
              also="variants(first: 2) { nodes { id selectedOptions { value } } }"),
    update=Verb("productUpdate", "product", "ProductUpdateInput!", "product"),
    remove=Verb("productDelete", "input", "ProductDeleteInput!", "deletedProductId"),
    # A half-filled row must not appear in the shop; the owner publishes by setting the status.
    given=(("status", "DRAFT"),),
    owner="PRODUCT",
    rights=(Right(("views.channels", "@channels"), read=("read_publications", "read_product_listings"),
                  write=("write_publications",)),),
    warns=(("status", "ACTIVE", "channels", "active, but on no sales channel, so nobody can see them"),),
    named=(("category", "categories"), ("channels", "channels"), ("collections", "collections"),
           ("collectionRefs", "collectionIds")),
    finds="productByIdentifier",
    natural=(("handle", "handle"),),
    fields=(
        Field("title", "text", "Title", "metadata", path="title", write="title", required=True),
        Field("handle", "text", "Handle", "metadata", path="handle", write="handle"),
        Field("status", "choice", "Status", "metadata", path="status", write="status",
              choices=("ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED")),
        Field("vendor", "text", "Vendor", "metadata", path="vendor", write="vendor"),
        Field("productType", "text", "Product type", "metadata", path="productType", write="productType"),
        Field("tags", "list", "Tags", "metadata", path="tags", write="tags", rule=Rule.MERGE),
        Field("descriptionHtml", "html", "Description", "metadata", path="descriptionHtml", write="descriptionHtml"),
        Field("seo.title", "text", "SEO title", "metadata", path="seo.title", write="seo.title"),
        Field("seo.description", "text", "SEO description", "metadata", path="seo.description",
              write="seo.description"),
        Field("templateSuffix", "text", "Template", "metadata", path="templateSuffix", write="templateSuffix"),
        Field("category", "text", "Category", "metadata", path="category.fullName", write="category"),
        Field("channels", "list", "Sales channels", "channels", path="views.channels", write="@channels",
              rule=Rule.MERGE),
        Field("collections", "list", "Collections", "collections", path="views.collections", write="@collections",
              rule=Rule.MERGE, usual=False),
        Field("collectionRefs", "refs", "In collections", "collections", path="views.collectionRefs",
              write="@collectionRefs", target="collections", rule=Rule.MERGE, usual=False),
        Field("options", "text", "Options", "metadata", path="views.options", on_create="@options", usual=False),
        Field("imageUrl", "text", "Image", "metadata", path="views.image", on_create="@media"),
        Field("totalInventory", "integer", "Total stock", "inventory", path="totalInventory"),
        Field("onlineStoreUrl", "text", "Online store URL", "metadata", path="onlineStoreUrl"),
        Field("createdAt", "datetime", "Created", "metadata", path="createdAt"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
        Field("publishedAt", "datetime", "Published", "metadata", path="publishedAt"),
    ),
)
