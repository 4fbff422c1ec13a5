"""Table names: their last part, and whether two of them refer to the same table."""


def last_part(name: str) -> str:
    """Return a table's own name, without project and schema, as written."""
    return name.rpartition(".")[2]


def table_key(name: str) -> str:
    """Return the last part of a table's name in lower case, equal for names of the same table."""
    return last_part(name).lower()


def is_same_table(one: str, other: str, project: str | None = None) -> bool:
    """Whether two names may refer to the same table; only the parts that both have are compared.

    Args:
        one: a name as written.
        other: another.
        project: the project of a name without one; None if unknown.
    """
    parts, others = one.lower().split("."), other.lower().split(".")
    if project and len(parts) != len(others):
        parts, others = ([project.lower(), *names] if len(names) == 1 else names for names in (parts, others))
    shared = min(len(parts), len(others))
    return bool(one) and bool(other) and parts[-shared:] == others[-shared:]
