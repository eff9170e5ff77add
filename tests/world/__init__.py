"""A small shop in which people, services, the wire and the clock do what they do, by the roll of a seed."""
