"""Locations: read only."""

from backend.core.model import Field, Resource

LOCATIONS = Resource(
    name="locations",
    label="Locations",
    table="Locations",
    type="Location",
    match=("name",),
    title="name",
    scopes=("read_locations",),
    fields=(
        Field("name", "text", "Name", "inventory", path="name"),
        Field("isActive", "boolean", "Active", "inventory", path="isActive"),
        Field("city", "text", "City", "inventory", path="address.city"),
        Field("country", "text", "Country", "inventory", path="address.country"),
    ),
)
