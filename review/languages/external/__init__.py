"""External linters: ruff, shellcheck and squawk."""
