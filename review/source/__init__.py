"""The text of a node before it is parsed: files, positions, scheduling parameters, statements."""
