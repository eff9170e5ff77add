"""Collections. Members are only counted: a column that refers to many products is not there yet.

Which products a collection holds is chosen in Shopify (by hand, by conditions, or both since 2026-07).
"""

from backend.core.model import Field
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
        Field("productsCount", "integer", "Products", "metadata", path="productsCount.count"),
        Field("imageUrl", "text", "Image", "metadata", path="image.url"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
    ),
)
