"""Collections. The members of a manual one are a list of handles: what is added or taken away is selected and
deselected in its source (2026-07 and later). Where conditions decide, the cell is empty and the kind says SMART.
"""

from backend.core.model import Field, Rule
from backend.shopify.resource import StoreResource, Verb

RESOURCE = StoreResource(
    name="collections",
    label="Collections",
    table="Collections",
    type="Collection",
    match=("handle",),
    title="title",
    scopes=("read_products",),
    write_scopes=("write_products",),
    creatable=True,
    deletable=True,
    search="collections",
    topics=("COLLECTIONS_CREATE", "COLLECTIONS_UPDATE", "COLLECTIONS_DELETE"),
    place=5,
    connection="collections",
    make=Verb("collectionCreate", "collection", "CollectionCreateInput!", "collection"),
    update=Verb("collectionUpdate", "collection", "CollectionUpdateInput!", "collection"),
    remove=Verb("collectionDelete", "input", "CollectionDeleteInput!", "deletedCollectionId"),
    owner="COLLECTION",
    named=(("members", "products"), ("memberRefs", "productIds")),
    finds="collectionByIdentifier",
    natural=(("handle", "handle"),),
    fields=(
        Field("title", "text", "Title", "metadata", path="title", write="title", required=True),
        Field("handle", "text", "Handle", "metadata", path="handle", write="handle"),
        Field("descriptionHtml", "html", "Description", "metadata", path="descriptionHtml", write="descriptionHtml"),
        Field("sortOrder", "choice", "Order", "metadata", path="sortOrder", write="sortOrder",
              choices=("MANUAL", "BEST_SELLING", "ALPHA_ASC", "ALPHA_DESC", "PRICE_ASC", "PRICE_DESC", "CREATED",
                       "CREATED_DESC", "MOST_RELEVANT")),
        Field("seo.title", "text", "SEO title", "metadata", path="seo.title", write="seo.title"),
        Field("seo.description", "text", "SEO description", "metadata", path="seo.description",
              write="seo.description"),
        Field("templateSuffix", "text", "Template", "metadata", path="templateSuffix", write="templateSuffix"),
        Field("kind", "choice", "Kind", "metadata", path="views.kind", choices=("MANUAL", "SMART")),
        Field("rules", "text", "Conditions", "metadata", path="views.rules", usual=False),
        Field("members", "list", "Members", "collections", path="views.members", write="@members", rule=Rule.MERGE,
              usual=False),
        Field("memberRefs", "refs", "Chosen products", "collections", path="views.memberRefs", write="@memberRefs",
              target="products", rule=Rule.MERGE, usual=False),
        Field("productsCount", "integer", "Products", "metadata", path="productsCount.count"),
        Field("imageUrl", "text", "Image", "metadata", path="image.url"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
    ),
)
