"""Statements that delete data, with the spelling that each dialect allows."""

from __future__ import annotations

import random
import re

from review.dialects import Dialect, LexicalRules, lexical_rules
from tests.fuzz.compositions.composition import new_table

_SHARED = ("DROP TABLE <t>", "DROP TABLE IF EXISTS <t>", "TRUNCATE TABLE <t>", "DELETE FROM <t>")
_UPDATE = ("UPDATE <t> SET a = 1",)
_CTE = ("WITH c AS (SELECT 1 AS a) DELETE FROM <t>",)
_HIVE = (
    *_SHARED,
    *_UPDATE,
    "ALTER TABLE <t> DROP PARTITION (ds = '20240101')",
    "ALTER TABLE <t> DROP IF EXISTS PARTITION (ds = '20240101'), PARTITION (ds = '20240102')",
    "DROP TABLE <t> PURGE",
    "TRUNCATE TABLE <t> PARTITION (ds = '20240101')",
)
_POSTGRES = (*_SHARED, *_UPDATE, *_CTE, "TRUNCATE <t>", "DROP TABLE <t> CASCADE", "DELETE FROM ONLY <t>")
_MYSQL = (*_SHARED, *_UPDATE, *_CTE, "TRUNCATE <t>", "DELETE FROM <t> WHERE 1 = 1")
_STATEMENTS = {
    Dialect.MAXCOMPUTE: (*_SHARED, *_UPDATE, "ALTER TABLE <t> DROP IF EXISTS PARTITION (ds = '20240101')"),
    Dialect.HIVE: _HIVE,
    Dialect.SPARK: _HIVE,
    Dialect.POSTGRES: _POSTGRES,
    Dialect.HOLOGRES: _POSTGRES,
    Dialect.REDSHIFT: (*_SHARED, *_UPDATE, "TRUNCATE <t>", "DROP TABLE <t> CASCADE"),
    Dialect.MYSQL: _MYSQL,
    Dialect.STARROCKS: (*_SHARED, *_UPDATE, "ALTER TABLE <t> DROP PARTITION p1"),
    Dialect.DORIS: (*_SHARED, *_UPDATE, "ALTER TABLE <t> DROP PARTITION p1"),
    Dialect.CLICKHOUSE: (
        *_SHARED,
        "ALTER TABLE <t> DROP PARTITION '2024'",
        "ALTER TABLE <t> DELETE WHERE 1",
        "DROP TABLE <t> SYNC",
        "TRUNCATE TABLE IF EXISTS <t> ON CLUSTER c",
    ),
    Dialect.ORACLE: (
        "DROP TABLE <t>",
        "DROP TABLE <t> PURGE",
        "TRUNCATE TABLE <t>",
        "DELETE FROM <t>",
        "DELETE <t>",
        *_UPDATE,
    ),
    Dialect.TSQL: (*_SHARED, *_UPDATE, *_CTE, "DELETE <t>", "DELETE FROM <t> OUTPUT deleted.a"),
}
_COMMENTS = ("/* c */", "/* it's ; */", "-- it's ;\n")


def destructive_statement(rng: random.Random, dialect: Dialect) -> tuple[str, str]:
    """Return a statement of `dialect` that deletes data, and the name of its table."""
    table = new_table(rng)
    words = lexical_rules(dialect)
    template = rng.choice(_STATEMENTS.get(dialect, _SHARED))
    text = _respaced(_recased(template, rng), rng)
    return text.replace("<t>", _spelled(table, words, rng)), table


def _spelled(table: str, words: LexicalRules, rng: random.Random) -> str:
    name = rng.choice((table, table, f"dw.{table}"))
    quotes = ["[]"] if words.bracket_name else []
    quotes += [] if words.double_string else ['""']
    quotes += ["``"] if words.backslash else []
    if quotes and rng.random() < 0.3:
        pair = rng.choice(quotes)
        name = ".".join(f"{pair[0]}{part}{pair[1]}" for part in name.split("."))
    return name


def _recased(text: str, rng: random.Random) -> str:
    change = rng.choice((str, str, str.lower, str.title))
    return re.sub(
        r"<t>|'[^']*'|\w+", lambda match: match[0] if match[0][0] in "<'" else change(match[0]), text
    )


def _respaced(text: str, rng: random.Random) -> str:
    if rng.random() < 0.6:
        return text
    first, *words = text.split(" ")
    blanks = [rng.choice((" ", " ", "\n", "  ", "\t", f" {rng.choice(_COMMENTS)} ")) for _ in words]
    return first + "".join(blank + word for blank, word in zip(blanks, words, strict=True))
