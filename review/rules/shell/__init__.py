"""Rules about shell nodes (SH)."""
