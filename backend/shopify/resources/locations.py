"""Locations: read only."""

from backend.core.model import Field
from backend.shopify.resource import StoreResource

RESOURCE = StoreResource(
    name="locations",
    label="Locations",
    table="Locations",
    type="Location",
    match=("name",),
    title="name",
    scopes=("read_locations",),
    topics=("LOCATIONS_CREATE", "LOCATIONS_UPDATE", "LOCATIONS_DELETE", "LOCATIONS_ACTIVATE",
            "LOCATIONS_DEACTIVATE"),
    place=3,
    connection="locations",
    # Without the two flags a closed location would look deleted.
    arguments="sortKey: ID, includeInactive: true, includeLegacy: true",
    write_scopes=("write_locations",),
    owner="LOCATION",
    fields=(
        Field("name", "text", "Name", "inventory", path="name"),
        Field("isActive", "boolean", "Active", "inventory", path="isActive"),
        Field("fulfillsOnlineOrders", "boolean", "Fulfils online orders", "inventory", path="fulfillsOnlineOrders",
              usual=False),
        Field("address1", "text", "Address", "inventory", path="address.address1", usual=False),
        Field("address2", "text", "Address 2", "inventory", path="address.address2", usual=False),
        Field("zip", "text", "Postcode", "inventory", path="address.zip", usual=False),
        Field("city", "text", "City", "inventory", path="address.city"),
        Field("province", "text", "Province", "inventory", path="address.province", usual=False),
        Field("country", "text", "Country", "inventory", path="address.country"),
        Field("phone", "text", "Phone", "inventory", path="address.phone", usual=False),
        Field("createdAt", "datetime", "Created", "inventory", path="createdAt", usual=False),
        Field("updatedAt", "datetime", "Updated", "inventory", path="updatedAt", usual=False),
    ),
)
