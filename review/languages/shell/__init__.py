"""Shell nodes."""
