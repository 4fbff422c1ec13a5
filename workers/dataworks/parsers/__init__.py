"""Responses of the DataWorks OpenAPI as values."""
