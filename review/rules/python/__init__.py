"""Rules about Python nodes (PY)."""
