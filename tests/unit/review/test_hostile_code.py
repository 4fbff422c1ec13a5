"""Code that once stalled the review, at the size of the largest node: each is read within seconds."""

from __future__ import annotations

import time

import pytest

from review.context import ReviewContext
from review.dialects import Dialect
from review.rules.api import RuleContext
from review.rules.registry import RULES
from review.script_reader import read_script
from review.source.parameter_mask import parameter_name
from review.tables.catalog import TableCatalog

SIZE = 131_072
SECONDS = 5.0
"""CPU seconds; linear time takes a tenth, quadratic time a minute, exponential time never ends."""


def _fill(unit: str, head: str = "", tail: str = "") -> str:
    return head + unit * ((SIZE - len(head) - len(tail)) // len(unit)) + tail


CODE = {
    "comments before no verb, Python": (Dialect.PYTHON, _fill("/**/", "o.execute_sql('", "z')")),
    "comments before no verb, here-document": (Dialect.SHELL, _fill("/**/", "hive <<EOF\n", "z\nEOF\n")),
    "secrets in a comment": (Dialect.MAXCOMPUTE, _fill("#password:", "-- ", "\nSELECT 1")),
    "secrets in a URL": (Dialect.MAXCOMPUTE, _fill("//pwd=", "-- ", "\nSELECT 1")),
    "blanks after a Python 2 print": (Dialect.PYTHON, _fill(" ", "print 'a'\nprint", "\n")),
    "tabs after a Python 2 exec": (Dialect.PYTHON, _fill("\t", "print 'a'\nexec", "\n")),
    "traps": (Dialect.SHELL, _fill("trap ")),
    "options of set": (Dialect.SHELL, _fill("set -")),
    "definers": (Dialect.ORACLE, _fill("end ", "create " + "definer=a " * 4_000)),
    "temporary": (Dialect.MAXCOMPUTE, _fill("if ", "create " + "temporary " * 6_000)),
    "open brackets": (Dialect.TSQL, _fill("[", "SELECT ")),
    "delimiters": (Dialect.MYSQL, "".join(f"DELIMITER x{index}\n;\n" for index in range(SIZE // 20))),
    "here-documents": (
        Dialect.SHELL,
        "".join(f"cat <<E{index}\na\nE{index}\n" for index in range(6_000)),
    ),
    "one string, run often": (
        Dialect.PYTHON,
        _fill("o.execute_sql(s)\n", f"s = 'select {'a, ' * 20_000} 1'\n"),
    ),
    "names of names": (Dialect.PYTHON, _fill("a = b\nb = a\no.execute_sql(a)\n")),
    "types in a cast": (
        Dialect.MAXCOMPUTE,
        "SELECT CAST(x AS STRUCT<" + "a:INT," * 20_000 + "b:DECIMAL(1,2),c:DECIMAL(1,2)>) FROM t",
    ),
    "a renamed table": (Dialect.MYSQL, _fill("a", "RENAME TABLE ", " TO b")),
    "blanks in a hint": (Dialect.MAXCOMPUTE, _fill(" ", "SELECT /*+ MAPJOIN(a)", "*/ 1 FROM t")),
    "blanks in a time": (Dialect.MAXCOMPUTE, _fill(" ", "SELECT 1 FROM t WHERE ds = '$[yyyymmdd", "x'")),
    "escaped quotes of a call": (Dialect.MYSQL, _fill("\\'", "PREPARE s FROM '")),
    "quotes of a call": (Dialect.HOLOGRES, _fill("''a", "CALL p('")),
    "tags of a call": (Dialect.HOLOGRES, "CALL p(" + "".join(f"$a{index}$" for index in range(15_000))),
    "statements of a block": (Dialect.ORACLE, _fill("DELETE FROM a; ", "BEGIN ", "END;")),
    "conditions of a block": (Dialect.ORACLE, _fill("IF x ", "BEGIN ", "END;")),
    "queries of a block": (Dialect.ORACLE, _fill("x := (SELECT ", "BEGIN ", "END;")),
    "words of T-SQL": (Dialect.TSQL, _fill("SELECT ")),
    "joins without a condition": (Dialect.TSQL, _fill("JOIN s ", "SELECT 1 FROM t ")),
    "loops in loops": (Dialect.MAXCOMPUTE, _fill("LOOP @i\n")),
    "returned values": (Dialect.ORACLE, _fill("returning ", "BEGIN DELETE FROM a ", "END;")),
    "parts of a connection string": (Dialect.PYTHON, _fill("user=a;", "c = '", "'")),
    "blanks of a connection string": (Dialect.PYTHON, _fill("host = a ", "c = '", "'")),
    "a variable of many letters": (Dialect.MAXCOMPUTE, _fill("a", "@", "")),
}


@pytest.mark.parametrize("name", CODE)
def test_is_read_in_time(name: str) -> None:
    dialect, code = CODE[name]
    begin = time.process_time()
    script = read_script(code, dialect, ReviewContext(), None, time.monotonic() + 60)
    subject = RuleContext(script, TableCatalog(script))
    for rule in RULES:
        list(rule.hits(subject))
    assert time.process_time() - begin < SECONDS


def test_a_name_like_a_time_format_is_read_in_time() -> None:
    begin = time.process_time()
    name = "y" * 2_000 + "x"
    assert parameter_name(f"${{{name}}}") == name
    assert parameter_name("${" + "yyyymmdd" * 200 + "}") == ""
    assert time.process_time() - begin < 1.0
