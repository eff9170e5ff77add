"""Kill the engine at every step out into the world, and see what the next one makes of it."""
