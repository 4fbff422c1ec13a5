"""Whether the parser that is installed can run our dialect: asked when a worker starts, and by the doctor."""

from __future__ import annotations

import importlib.metadata

from common.errors import DwgateError

_COMPILED = "sqlglotc"
_STATEMENT = "CREATE TABLE t (id BIGINT) PARTITIONED BY (ds STRING) LIFECYCLE 7"


class ParserUnusable(DwgateError):
    """SQL cannot be parsed here: install what the text names, or take it away."""


def refuse_compiled() -> None:
    """Refuse sqlglot's compiled extra: where it is installed, no dialect of ours runs.

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
        f" wants it taken away: pip uninstall {_COMPILED}"
    )


def probe() -> None:
    """Parse one statement in our dialect.

    Raises:
        ParserUnusable: the parser cannot do it.
    """
    refuse_compiled()
    try:
        from review.dialects import Dialect  # noqa: PLC0415 - a parser that cannot be loaded is the news
        from review.parsing.parse import Unread, parse  # noqa: PLC0415

        tree = parse(_STATEMENT, "CREATE", Dialect.MAXCOMPUTE)
    except (ImportError, TypeError, AttributeError) as error:
        raise ParserUnusable(f"sqlglot cannot be used: {error}; wants the version in the lock file") from None
    if isinstance(tree, Unread):
        raise ParserUnusable(
            f"sqlglot cannot parse MaxCompute: {tree.why}; wants the version in the lock file"
        )
