"""Code of other packages: loading it, and what it must not catch."""
