"""Diagnoses of `dwgate doctor`, by subject."""
