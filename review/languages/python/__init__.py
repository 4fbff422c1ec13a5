"""Python nodes."""
