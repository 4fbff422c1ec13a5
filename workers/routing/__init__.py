"""Decides which process works on an event next: planned, or posted, by the nearest deadline."""
