"""Data integration nodes in script mode."""
