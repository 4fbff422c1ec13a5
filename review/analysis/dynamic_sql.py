"""Finding for SQL that Python or shell code builds at run time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from review.facts.queries import EmbeddedQuery
from review.rules.api import Hit, Text


def unread_hits(queries: Iterable[EmbeddedQuery]) -> Iterator[Hit]:
    """Yield a hit for each query whose SQL could not be reviewed."""
    for query in queries:
        if query.unread and not query.call:
            yield Hit(
                query.at,
                Text(
                    "This SQL is not passed to a call that is known to run it, and was not reviewed.",
                    "此 SQL 未传给已知会执行它的调用，未经检查。",
                ),
                key="",
            )
        elif query.unread:
            yield Hit(
                query.at,
                Text(
                    f"The SQL that {query.call} runs is not all in the script, and was not reviewed.",
                    f"{query.call} 执行的 SQL 不全在脚本中，未经检查。",
                ),
                key=query.call,
            )
