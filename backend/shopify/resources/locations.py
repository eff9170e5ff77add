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
        Field("city", "text", "City", "inventory", path="address.city"),
        Field("country", "text", "Country", "inventory", path="address.country"),
    ),
)
