"""Rules about names and declarations (MC-N)."""
