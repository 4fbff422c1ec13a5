"""What must hold when any text is reviewed as any language.

Reader and rules must not raise, must end in time, and must point into the text.
"""

from __future__ import annotations

import time

from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.facts import Script
from review.rules.api import Hit, RuleContext
from review.rules.registry import RULES
from review.script_reader import read_script
from review.tables.catalog import TableCatalog

LIMIT = 10.0
"""Seconds that a review may take."""

DIALECTS = tuple(Dialect)
_TABLES = {
    "dim_shop": TableMetadata(columns={"shop_id": "BIGINT", "shop_name": "STRING"}),
    "dwd_trd_order_di": TableMetadata({"ds": "STRING"}, {"order_id": "BIGINT", "user_id": "BIGINT"}),
}
CONTEXTS = (
    ReviewContext(),
    ReviewContext(project="shop_dw", tables=_TABLES),
    ReviewContext(
        NodeContext(
            "ads_x", production=True, parameters=frozenset({"bizdate"}), inputs=("p.a",), outputs=("p.b",)
        )
    ),
)


def read_and_check(
    code: str, dialect: Dialect, given: ReviewContext
) -> tuple[Script, tuple[tuple[str, Hit], ...]]:
    """Return the facts of `code` and what every rule says; what a rule raises comes through."""
    script = read_script(code, dialect, given, None, time.monotonic() + LIMIT)
    subject = RuleContext(script, TableCatalog(script))
    return script, tuple((rule.id, hit) for rule in RULES for hit in rule.hits(subject))


def check(code: str, dialect: Dialect, given: ReviewContext) -> None:
    """Raise when reading or judging `code` does, is too slow, or points outside of it."""
    started = time.monotonic()
    script, hits = read_and_check(code, dialect, given)
    took = time.monotonic() - started
    places = [(statement.verb, statement.at) for statement in script.statements]
    for name, at in (*places, *((rule, hit.at) for rule, hit in hits)):
        if not 0 <= at.begin <= at.end <= len(code):
            raise AssertionError(f"{name} points to {at} in a text of {len(code)} characters")
    if took > LIMIT + 1:
        raise AssertionError(f"took {took:.1f} s")
