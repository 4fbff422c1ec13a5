"""Checks that the installed parser can run our dialects: at a worker's start, and in the doctor."""

from __future__ import annotations

import importlib.metadata

from common.errors import DwgateError

_COMPILED = "sqlglotc"
_STATEMENT = "CREATE TABLE t (id BIGINT) PARTITIONED BY (ds STRING) LIFECYCLE 7"


class ParserUnusable(DwgateError):
    """The installed parser cannot parse SQL; the message names what to install or uninstall."""


def require_pure_python() -> None:
    """Reject sqlglot's compiled extra: where it is installed, none of our dialects works.

    Source: tobymao/sqlglot, issues 7265 and 7923.

    Raises:
        ParserUnusable: it is installed.
    """
    try:
        version = importlib.metadata.version(_COMPILED)
    except importlib.metadata.PackageNotFoundError:
        return
    raise ParserUnusable(
        f"{_COMPILED} {version} is installed: MaxCompute's dialect cannot run on sqlglot's compiled extra;"
        f" uninstall it: pip uninstall {_COMPILED}"
    )


def run_self_test() -> None:
    """Parse one statement in our dialect.

    Raises:
        ParserUnusable: the parser cannot parse it.
    """
    require_pure_python()
    try:
        from review.dialects import Dialect  # noqa: PLC0415 - a failed import is what is checked
        from review.parsing.parse import Unparsed, parse_statement  # noqa: PLC0415

        tree = parse_statement(_STATEMENT, "CREATE", Dialect.MAXCOMPUTE)
    except (ImportError, TypeError, AttributeError) as error:
        raise ParserUnusable(
            f"sqlglot cannot be used: {error}; install the version in the lock file"
        ) from None
    if isinstance(tree, Unparsed):
        raise ParserUnusable(
            f"sqlglot cannot parse MaxCompute: {tree.reason}; install the version in the lock file"
        )
