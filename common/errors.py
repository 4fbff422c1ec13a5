"""The base of every exception that dwgate defines; `docs/errors.md` draws the tree.

It exists so that a caller can tell a foreseen failure, whose text is written for people, from a defect. Code
catches the narrowest class that it can handle, not this one.

An exception whose arguments are more than its text overrides `__reduce__`: pools send exceptions between
processes, and by default they are rebuilt from their text alone.
"""


class DwgateError(Exception):
    """A failure that dwgate foresees; the text says what is wrong and, where possible, how to fix it."""
