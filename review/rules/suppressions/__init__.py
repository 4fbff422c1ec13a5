"""Rules about suppression comments (DW)."""
