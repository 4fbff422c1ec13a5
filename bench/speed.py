"""How fast a review is: against the bare parser, against sqlfluff, and for nodes of 10 KB."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import sqlglot
from sqlfluff.core import Linter
from sqlglot.errors import SqlglotError

from bench.corpora import Corpus, corpus
from bench.quantiles import quantile
from workers.review.dialects import Dialect
from workers.review.engine import review

NODE_BYTES = 10_000
NODES = 100
SAMPLE = 15
"""Statements of a node that sqlfluff is given: it is slow."""

_BARE = {Dialect.MAXCOMPUTE: "hive", Dialect.HOLOGRES: "postgres"}


def measured(folders: list[Path]) -> None:
    """Print a line of figures per folder: of nodes put together of its statements."""
    print("ms per KB: sqlglot alone, the review, sqlfluff; ms for a node of 10 KB (best of 3): p50, p99")
    print(
        f"{'dialect':<12}{'alone':>8}{'review':>8}{'ratio':>7}{'sqlfluff':>10}{'times':>7}{'p50':>8}{'p99':>8}"
    )
    gc.collect()
    gc.freeze()  # what is there after start is not looked through again
    for folder in folders:
        source = corpus(folder)
        nodes = _nodes(source)
        size = sum(len(text) for node in nodes for text in node) / 1024
        alone, ours, times = 0.0, 0.0, []
        for node in nodes:
            # One after the other, so that both meet the same machine.
            runs = [
                (_seconds(_parse, node, source.dialect), _seconds(_review, node, source.dialect))
                for _ in range(3)
            ]
            alone += min(run[0] for run in runs)
            ours += min(run[1] for run in runs)
            times.append(1000 * min(run[1] for run in runs))
        sample = nodes[0][:SAMPLE]
        fluff = _seconds(_fluff, sample, source.dialect) / _seconds(_review, sample, source.dialect)
        parsing = (
            f"{source.dialect:<12}{1000 * alone / size:>8.2f}{1000 * ours / size:>8.2f}{ours / alone:>7.2f}"
        )
        rival = f"{fluff * 1000 * ours / size:>10.1f}{fluff:>7.0f}"
        print(f"{parsing}{rival}{quantile(times, 0.5):>8.1f}{quantile(times, 0.99):>8.1f}", flush=True)


def _parse(texts: list[str], dialect: Dialect) -> None:
    for text in texts:
        with suppress(SqlglotError):
            sqlglot.parse(text, dialect=_BARE.get(dialect, dialect.value))


def _review(texts: list[str], dialect: Dialect) -> None:
    review(";\n".join(texts), dialect)


def _fluff(texts: list[str], dialect: Dialect) -> None:
    name = _BARE.get(dialect, dialect.value)
    linter = Linter(dialect="sparksql" if name == "spark" else name)
    for text in texts:
        linter.lint_string(text)


def _nodes(source: Corpus) -> list[list[str]]:
    """Return nodes of 10 KB, each a list of real statements."""
    texts = [
        piece.text for _, piece in source.statements() if not piece.client and len(piece.text) < NODE_BYTES
    ]
    chance, nodes = random.Random(11), []  # noqa: S311 - the same nodes each time
    for _ in range(NODES):
        node: list[str] = []
        while sum(len(text.encode()) for text in node) < NODE_BYTES:
            node.append(chance.choice(texts))
        nodes.append(node)
    return nodes


def _seconds(run: Callable[[list[str], Dialect], None], texts: list[str], dialect: Dialect) -> float:
    begin = time.perf_counter()
    run(texts, dialect)
    return time.perf_counter() - begin
