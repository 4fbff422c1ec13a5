"""Names of tables: their last part, and when two of them mean the same table."""


def last_part(name: str) -> str:
    """Return a table's own name, without project and schema, as written."""
    return name.rpartition(".")[2]


def table_key(name: str) -> str:
    """Return the last part of a table's name in lower case: names that mean the same table share it."""
    return last_part(name).lower()


def same_table(one: str, other: str, project: str | None = None) -> bool:
    """Whether two names may mean the same table: as many parts as both have are compared.

    Args:
        one: a name as written.
        other: another.
        project: what a name without a project belongs to; None when that is not known.
    """
    parts, others = one.lower().split("."), other.lower().split(".")
    if project and len(parts) != len(others):
        parts, others = ([project.lower(), *names] if len(names) == 1 else names for names in (parts, others))
    shared = min(len(parts), len(others))
    return bool(one) and bool(other) and parts[-shared:] == others[-shared:]
