"""Output formats: tables, code frames, SARIF, GitHub annotations."""
