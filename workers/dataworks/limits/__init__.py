"""Limits of OpenAPI calls: the time and size of one, and the share of one operation."""
