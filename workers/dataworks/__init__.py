"""Typed client of the DataWorks OpenAPI, with rate limits, retries and a shared lookup cache."""
