"""The base of every exception that dwgate defines; `docs/errors.md` shows the tree.

It lets a caller distinguish an expected failure, whose text is written for users, from a defect. Code catches
the narrowest class that it can handle, not this one.

An exception with arguments other than its text overrides `__reduce__`: pools send exceptions between
processes, and by default they are rebuilt from their text alone.
"""


class DwgateError(Exception):
    """An expected failure; the text says what is wrong and, where possible, how to fix it."""
