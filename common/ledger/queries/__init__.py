"""Finding events: the values that they are indexed by, and the search over these indexes."""
