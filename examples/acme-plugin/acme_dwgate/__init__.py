"""ACME's check and review rule for dwgate."""
