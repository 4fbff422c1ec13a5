"""The emulated OpenAPI operations."""
