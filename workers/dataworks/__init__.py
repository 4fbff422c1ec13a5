"""The OpenAPI of DataWorks behind a small typed facade that returns our own values."""
