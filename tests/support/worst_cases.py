"""Code that is meant to make the review slow, at any length: for scaling tests and `bench.worst_cases`.

A case repeats a unit of text: openers without closers, unterminated strings and comments, alternating tokens,
deep nesting, long lines, many statements. `{i}` in a unit is the number of the repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from review.dialects import Dialect


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A family of texts.

    Attributes:
        name: its dialect and what is repeated.
        make: returns a text of about that number of characters.
    """

    name: str
    dialect: Dialect
    make: Callable[[int], str]


def worst_cases() -> tuple[WorstCase, ...]:
    """Return all cases; their names are distinct."""
    return tuple({case.name: case for case in _all()}.values())


def _all() -> Iterator[WorstCase]:
    yield from _statement_pairs()
    yield from _clause_pairs()
    yield from _python_pairs()
    yield from _lexical()
    yield from _secrets()
    yield from _suppressions()
    yield from _embedded()
    for dialect, units in _UNITS.items():
        for label, (head, unit, tail) in units.items():
            yield _repeated(dialect, label, unit, head, tail)


def _lexical() -> Iterator[WorstCase]:
    for dialect in (Dialect.MAXCOMPUTE, Dialect.HOLOGRES, Dialect.MYSQL, Dialect.ORACLE, Dialect.TSQL):
        for label, unit in _LEXICAL.items():
            yield _repeated(dialect, label, unit)


def _secrets() -> Iterator[WorstCase]:
    for dialect, (lead, between, tail) in _SECRET_LINES.items():
        for label, unit in _SECRETS.items():
            yield _repeated(dialect, f"secret {label}", unit, lead, tail)
            if dialect is Dialect.MAXCOMPUTE:
                yield _repeated(dialect, f"secret {label} in lines", f"{lead}{unit}{between}")


def _suppressions() -> Iterator[WorstCase]:
    for dialect in (Dialect.MAXCOMPUTE, Dialect.HOLOGRES, Dialect.PYTHON, Dialect.SHELL):
        mark = "--" if dialect.sql else "#"
        for label, unit in _SUPPRESSIONS.items():
            yield _repeated(dialect, f"suppression {label}", unit.replace("--", mark))


def _embedded() -> Iterator[WorstCase]:
    for dialect in (Dialect.PYTHON, Dialect.SHELL):
        lead, tail = ('o.execute_sql("""', '""")\n') if dialect is Dialect.PYTHON else ('odpscmd -e "', '"\n')
        for label, unit in _EMBEDDED.items():
            yield _repeated(dialect, f"SQL of {label}", unit, lead, tail)
            yield _repeated(dialect, f"SQL of {label}, often", f"{lead}{unit * 4}x{tail}")


def _statement_pairs() -> Iterator[WorstCase]:
    """Yield each kind of statement many times, followed by each kind many times."""
    for one, unit in _ON_ONE_TABLE.items():
        for other, unit2 in _ON_ONE_TABLE.items():
            yield _halves(Dialect.MAXCOMPUTE, f"{one}, then {other}", unit, unit2)


def _python_pairs() -> Iterator[WorstCase]:
    for one, unit in _PYTHON_ON_ONE_TABLE.items():
        for other, unit2 in _PYTHON_ON_ONE_TABLE.items():
            yield _halves(Dialect.PYTHON, f"{one}, then {other}", unit, unit2)


def _clause_pairs() -> Iterator[WorstCase]:
    """Yield a query for each two clauses, which are repeated."""
    clauses = tuple(_CLAUSES.items())
    for number, (one, (first, unit)) in enumerate(clauses):
        for other, (second, unit2) in clauses[number + 1 :]:
            label = f"query of {one} and {other}"
            yield _halves(Dialect.MAXCOMPUTE, label, unit, unit2, _query(first, second))


def _query(first: int, second: int) -> tuple[str, str, str]:
    """Return the text of a query before, between and after what follows two parts of its skeleton."""
    return (
        " ".join(_SKELETON[: first + 1]),
        " ".join(_SKELETON[first + 1 : second + 1]),
        " ".join(_SKELETON[second + 1 :]),
    )


def _halves(
    dialect: Dialect, label: str, one: str, other: str, fixed: tuple[str, str, str] = ("", "", "")
) -> WorstCase:
    head, between, tail = fixed

    def make(length: int) -> str:
        first, second = (_repeated(dialect, "", unit).make(max(1, length // 2)) for unit in (one, other))
        return f"{head} {first} {between} {second} {tail}"

    return WorstCase(f"{dialect}: {label}", dialect, make)


def _repeated(dialect: Dialect, label: str, unit: str, head: str = "", tail: str = "") -> WorstCase:
    def make(length: int) -> str:
        count = max(1, (length - len(head) - len(tail)) // len(unit))
        if "{i}" not in unit and "{j}" not in unit:
            return head + unit * count + tail
        parts: list[str] = []
        size = len(head) + len(tail)
        while size < length:
            parts.append(unit.replace("{i}", str(len(parts))).replace("{j}", str(len(parts) + 1)))
            size += len(parts[-1])
        return head + "".join(parts) + tail

    return WorstCase(f"{dialect}: {label}", dialect, make)


_LEXICAL = {
    "single quotes apart": "' ",
    "odd quotes": "'\"`",
    "escaped quotes": "\\'",
    "double quotes apart": '" a',
    "backquotes": "` ",
    "open brackets": "[",
    "open brackets in lines": "[\n",
    "open parentheses": "(",
    "open braces": "{",
    "open comments": "/*",
    "comments": "/**/",
    "open hints": "/*+ ",
    "line comments": "-- a\n",
    "dashes": "-",
    "hashes": "# ",
    "dollars": "$",
    "dollar tags": "$a$ ",
    "dollar tags, distinct": "$a{i}$ ",
    "open parameters": "${",
    "parameters": "${a{i}} ",
    "times": "$[a",
    "templates": "{{",
    "components": "@@{",
    "raw strings": "r'a(",
    "raw strings, distinct": "r'a{i}(",
    "q strings": "q'[",
    "nq strings": "nq'x ",
    "e strings": "e'\\",
    "backslashes": "\\",
    "semicolons": ";",
    "separators": "GO\n",
    "slashes": "/\n",
    "delimiters": "DELIMITER x\n;\n",
    "delimiters, distinct": "DELIMITER x{i}\n;\n",
    "BEGIN": "BEGIN ",
    "BEGIN and END": "BEGIN x END ",
    "END": "END ",
    "END with blanks": "END\n\n\n\n\n",
    "CASE": "CASE ",
    "IF": "if ",
    "CREATE": "create ",
    "CREATE OR REPLACE": "create or replace ",
    "routine with definers": "definer=a end ",
    "DECLARE": "declare ",
    "words of blocks": "begin case if end while function type event ",
    "variables": "@a ",
    "assignments": "@a := ",
    "assignments of tables": "@a TABLE (",
    "blanks": " ",
    "newlines": "\n",
    "tabs and newlines": "\t\n",
    "form feeds": "\f",
    "names": "a ",
    "dotted names": "a.",
    "one name": "a",
    "numbers": "1 ",
    "one number": "1",
    "numbers with dots": "1.",
    "commas": "a,",
    "operators": "a=",
    "mixed": "a'(\"[{`$;",
    "Chinese": "中文，",
    "set": "set a=",
    "add jar": "add jar a as ",
    "purge": "purge table ",
    "grant": "grant a on ",
}
"""Units for every dialect of SQL, repeated to one long text."""

_STATEMENTS = {
    "deletions": ("", "DELETE FROM t{i};\n", ""),
    "drops": ("", "DROP TABLE t{i};\n", ""),
    "drops of one table": ("", "DROP TABLE t;\n", ""),
    "truncations": ("", "TRUNCATE TABLE t{i};\n", ""),
    "creations": ("", "CREATE TABLE t{i} (a INT, b STRING);\n", ""),
    "creations by query": ("", "CREATE TABLE t{j} AS SELECT * FROM t{i};\n", ""),
    "inserts": ("", "INSERT INTO t{j} SELECT a FROM t{i};\n", ""),
    "inserts to one table": ("", "INSERT INTO t SELECT a FROM t;\n", ""),
    "values": ("INSERT INTO t VALUES ", "({i}, 'a'), ", "(1, 'a')"),
    "columns": ("SELECT ", "NVL(c{i}, 0) AS d{i}, ", "1 FROM t"),
    "divisions": ("SELECT ", "a{i} / b{i}, ", "1 FROM t"),
    "sums": ("SELECT ", "SUM(c{i}), ", "1 FROM t"),
    "distinct counts": ("SELECT ", "COUNT(DISTINCT c{i}), ", "1 FROM t"),
    "casts": ("SELECT ", "CAST(c{i} AS STRING), ", "1 FROM t"),
    "casts by ::": ("SELECT ", "c{i}::text, ", "1 FROM t"),
    "windows": ("SELECT ", "ROW_NUMBER() OVER (PARTITION BY a ORDER BY b{i}) AS r{i}, ", "1 FROM t"),
    "intervals": ("SELECT ", "a + INTERVAL {i} DAY, ", "1 FROM t"),
    "aliases": ("SELECT ", "a AS a, ", "a FROM t"),
    "CASE branches": ("SELECT CASE ", "WHEN c{i} > {i} THEN {i} ", "END AS x FROM t"),
    "CASE columns": ("SELECT ", "CASE WHEN a{i} IN (1, 2) THEN 'b' ELSE 'c' END AS x{i}, ", "1 FROM t"),
    "IF calls": ("SELECT ", "IF(a{i} = 1, b{i}, 0), ", "1 FROM t"),
    "concatenations": ("SELECT a", " || b{i}", " FROM t"),
    "additions": ("SELECT a", " + b{i}", " FROM t"),
    "brackets after names": ("SELECT a", "[{i}]", " FROM t"),
    "AND": ("SELECT a FROM t WHERE 1 = 1 ", "AND c{i} > {i} ", ""),
    "OR": ("SELECT a FROM t WHERE 1 = 1 ", "OR c{i} > {i} ", ""),
    "AND of ORs": ("SELECT a FROM t WHERE 1 = 1 ", "AND (a = {i} OR b = {i}) ", ""),
    "dates": ("SELECT a FROM t WHERE 1 = 1 ", "OR ds = '20240{i}' ", ""),
    "date calls": ("SELECT a FROM t WHERE ds > ", "DATEADD(", "a"),
    "date functions": ("SELECT a FROM t WHERE 1 = 1 ", "OR ds > DATEADD(ds, -{i}, 'dd') ", ""),
    "NOT": ("SELECT a FROM t WHERE ", "NOT ", "a"),
    "NOT in parentheses": ("SELECT a FROM t WHERE ", "NOT (", "a"),
    "EXISTS": ("SELECT a FROM t WHERE 1 = 1 ", "AND EXISTS (SELECT 1 FROM u{i} WHERE u{i}.a = t.a) ", ""),
    "NOT IN": ("SELECT a FROM t WHERE 1 = 1 ", "AND a NOT IN (SELECT b FROM u{i}) ", ""),
    "LIKE": ("SELECT a FROM t WHERE 1 = 1 ", "AND a LIKE '%x{i}%' ", ""),
    "BETWEEN": ("SELECT a FROM t WHERE 1 = 1 ", "AND a BETWEEN {i} AND {j} ", ""),
    "IN list": ("SELECT a FROM t WHERE b IN (", "'{i}', ", "'x')"),
    "IN list of numbers": ("SELECT a FROM t WHERE b IN (", "{i}, ", "1)"),
    "joins": ("SELECT a FROM t0 x ", "JOIN t{i} y{i} ON y{i}.k = x.k ", ""),
    "joins of bare columns": ("SELECT a FROM t0 x ", "LEFT JOIN t{i} ON k{i} = k{j} ", ""),
    "joins in commas": ("SELECT a FROM t", ", t{i}", " WHERE 1 = 1"),
    "joins with USING": ("SELECT * FROM t x ", "JOIN t y{i} USING (a) ", ""),
    "cross joins": ("SELECT a FROM t x ", "CROSS JOIN u{i} ", ""),
    "UNION ALL": ("SELECT a FROM t ", "UNION ALL SELECT a FROM t{i} ", ""),
    "UNION": ("SELECT a FROM t ", "UNION SELECT {i} AS a FROM t ", ""),
    "CTEs": ("WITH c AS (SELECT 1 AS a)", ", c{i} AS (SELECT a FROM t{i})", " SELECT a FROM c"),
    "CTEs that read each other": (
        "WITH c0 AS (SELECT a FROM t)",
        ", c{j} AS (SELECT a FROM c{i})",
        " SELECT a FROM c0",
    ),
    "CTEs that join each other": (
        "WITH c0 AS (SELECT a FROM t)",
        ", c{j} AS (SELECT x.a FROM c{i} x JOIN c{i} y)",
        " SELECT a FROM c0",
    ),
    "one CTE often": ("WITH c AS (SELECT a FROM t) SELECT 1 FROM c ", "JOIN c x{i} ON x{i}.a = c.a ", ""),
    "subqueries": ("", "SELECT a FROM (", "t"),
    "closed subqueries": ("SELECT a FROM t WHERE 1 = 1 ", "AND a = (SELECT MAX(b) FROM u{i}) ", ""),
    "nested calls": ("SELECT ", "f(", "a"),
    "nested CASE": ("SELECT ", "CASE WHEN a THEN ", "b"),
    "GROUP BY": ("SELECT a FROM t GROUP BY a", ", c{i}", ""),
    "ORDER BY": ("SELECT a FROM t ORDER BY a", ", c{i} DESC", ""),
    "stars": ("SELECT ", "t{i}.*, ", "1 FROM t"),
    "lateral views": ("SELECT a FROM t ", "LATERAL VIEW EXPLODE(a) x{i} AS y{i} ", ""),
    "values of a pivot": ("SELECT a FROM t PIVOT (SUM(b) FOR c IN ('x' AS x", ", '{i}' AS v{i}", "))"),
    "aggregates of a pivot": (
        "SELECT a FROM t PIVOT (SUM(b) AS x",
        ", SUM(b) AS s{i}",
        " FOR c IN ('y' AS y))",
    ),
    "columns of an unpivot": ("SELECT a FROM t UNPIVOT (v FOR k IN (c", ", c{i}", "))"),
    "pivots": ("SELECT a FROM t ", "PIVOT (SUM(b) FOR c IN ('{i}' AS v{i})) ", ""),
    "exceptions of a star": ("SELECT * EXCEPT (a", ", c{i}", ") FROM t"),
    "replacements of a star": ("SELECT * REPLACE (1 AS a", ", c{i} + 1 AS c{i}", ") FROM t"),
    "assigned columns": ("UPDATE t SET a = 1", ", c{i} = b{i}", " WHERE a = 1"),
    "WHENs": (
        "MERGE INTO t USING s ON t.a = s.a ",
        "WHEN MATCHED AND s.b = {i} THEN UPDATE SET c = s.c ",
        "",
    ),
    "column definitions": ("CREATE TABLE t (a INT", ", c{i} STRING COMMENT 'x'", ")"),
    "partitions": ("ALTER TABLE t DROP PARTITION (ds='1')", ", PARTITION (ds='{i}')", ""),
    "added columns": ("ALTER TABLE t ADD COLUMNS (a INT", ", c{i} STRING", ")"),
    "alterations": ("", "ALTER TABLE t CHANGE COLUMN c{i} c{j} BIGINT;\n", ""),
    "renames": ("", "ALTER TABLE t{i} RENAME TO t{j};\n", ""),
    "settings": ("", "SET odps.sql.x{i}=true;\n", ""),
    "hint names": ("SELECT /*+ MAPJOIN(a", ", b{i}", ") */ a FROM t"),
    "comments between": ("SELECT a", " /* c */ ", "FROM t"),
    "commented code": ("", "-- SELECT a, b FROM t WHERE c = 1;\n", "SELECT 1"),
    "long comment": ("/* ", "select a, b from t where ", "*/"),
    "long line comment": ("-- ", "select a(b) as ", "\nSELECT 1"),
    "line comment of names": ("-- ", "a.b ", "\nSELECT 1"),
    "long string": ("SELECT '", "select a from ", "'"),
    "strings": ("SELECT ", "'a{i}', ", "1"),
    "MAX_PT": ("SELECT a FROM t WHERE 1 = 1 ", "OR ds = MAX_PT('t{i}') ", ""),
    "parameters in strings": ("SELECT a FROM t WHERE 1 = 1 ", "OR ds = '${a{i}}' ", ""),
    "scheduling times": ("SELECT a FROM t WHERE 1 = 1 ", "OR ds = '$[yyyymmdd-{i}]' ", ""),
    "one open string": ("SELECT '", "a", ""),
    "blanks in a statement": ("SELECT", " ", "a FROM t"),
    "blanks in an expression": ("SELECT a FROM t WHERE a = ", " ", "1"),
    "newlines in a statement": ("SELECT", "\n", "a FROM t"),
    "merges": ("", "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = {i};\n", ""),
    "updates": ("", "UPDATE t SET a = {i};\n", ""),
    "set columns": ("UPDATE t SET a = 1", ", c{i} = {i}", " WHERE a = 1"),
    "mixed statements": ("", "SELECT a FROM t{i} WHERE b = '${x}' AND c > {i}; -- c\n", ""),
    "statements without an end": ("", "SELECT a FROM t{i} ", ""),
    "many WITH": ("", "WITH a AS ", ""),
    "many SELECT": ("", "SELECT ", "a"),
    "closing parentheses": ("SELECT a", ")", ""),
}
"""Units of statements: what precedes them, the unit, what follows."""

_ON_ONE_TABLE = {
    "deletions": "DELETE FROM t;\n",
    "filtered deletions": "DELETE FROM t WHERE ds = '{i}';\n",
    "truncations": "TRUNCATE TABLE t;\n",
    "drops": "DROP TABLE t;\n",
    "conditional drops": "DROP TABLE IF EXISTS t{i};\n",
    "dropped partitions": "ALTER TABLE t DROP PARTITION (ds='{i}');\n",
    "partitions of distinct columns": "ALTER TABLE t DROP PARTITION (c{i}='1');\n",
    "creations": "CREATE TABLE t (a INT) PARTITIONED BY (ds STRING);\n",
    "conditional creations": "CREATE TABLE IF NOT EXISTS t{i} (a INT);\n",
    "creations by query": "CREATE TABLE t AS SELECT a, b FROM s;\n",
    "renames": "ALTER TABLE t RENAME TO t{i};\n",
    "renames back": "ALTER TABLE t{i} RENAME TO t;\n",
    "column changes": "ALTER TABLE t CHANGE COLUMN c{i} d{i} BIGINT;\n",
    "inserts": "INSERT INTO t PARTITION (ds='{i}') SELECT a FROM s WHERE ds = '{i}';\n",
    "inserts of one partition": "INSERT INTO t PARTITION (ds='${bizdate}') SELECT a FROM s;\n",
    "overwrites": "INSERT OVERWRITE TABLE t PARTITION (ds='{i}') SELECT a FROM s;\n",
    "overwrites of distinct tables": "INSERT OVERWRITE TABLE t{i} SELECT a FROM t;\n",
    "reads": "SELECT a FROM t WHERE ds = '{i}';\n",
    "reads of distinct tables": "SELECT a FROM t{i};\n",
    "updates": "UPDATE t SET a = 1 WHERE b = {i};\n",
    "settings": "SET odps.sql.x{i}=1;\n",
    "resources": "ADD JAR x{i}.jar;\n",
    "variables": "@v{i} := SELECT a FROM t;\n",
    "suppressions": "-- dwgate:ignore MC-S02 x{i}\n",
    "secrets": "-- password: aA1{i}xyz\n",
}
"""Statements on one table, in which rules compare each with the others."""

_PYTHON_ON_ONE_TABLE = {
    "dropped tables": "\no.delete_table('t')",
    "writes": "\no.write_table('t', rows, partition='ds={i}')",
    "reads": "\no.read_table('t')",
    "created tables": "\no.create_table('t{i}', 'a bigint')",
    "emptied tables": "\no.get_table('t').truncate()",
    "entries": "\no = ODPS('a', 'b{i}')",
    "SQL deletions": "\no.execute_sql('delete from t')",
    "SQL inserts": "\no.execute_sql('insert into t select {i}')",
    "SQL variables": "\ns = 'select {i}'",
    "SQL of a variable": "\no.execute_sql(s)",
    "templates of a variable": "\no.execute_sql(s % x)",
    "other names": "\ns{i} = s",
    "SQL of other names": "\no.execute_sql(s{i})",
    "functions": "\ndef f{i}(s):\n    o.execute_sql(s)",
    "calls of functions": "\nf{i}('select 1')",
    "connections": "\nimport pymysql; c = pymysql.connect()",
    "queries": "\nc.execute('select 1')",
    "functions with queries": "\ndef g{i}(): c.execute('select 1')",
    "rows": "\nrows = t.open_reader()",
    "loops": "\nfor r in rows: o.execute_sql('select 1')",
}
"""Statements of a Python node about one table or name."""

_SKELETON = (
    "WITH c AS (SELECT 1 AS a)",
    "SELECT a",
    "FROM t x",
    "WHERE a = 1",
    "GROUP BY a",
    "HAVING a = 1",
    "ORDER BY a",
)
_CLAUSES: dict[str, tuple[int, str]] = {
    "CTEs": (0, ", c{i} AS (SELECT a FROM t{i})"),
    "columns": (1, ", c{i} AS d{i}"),
    "qualified columns": (1, ", y{i}.c AS e{i}"),
    "calls": (1, ", NVL(c{i}, 0)"),
    "sums": (1, ", SUM(c{i})"),
    "divisions": (1, ", a / c{i}"),
    "stars": (1, ", y{i}.*"),
    "windows": (1, ", ROW_NUMBER() OVER (PARTITION BY a ORDER BY c{i})"),
    "scalar queries": (1, ", (SELECT MAX(a) FROM s{i})"),
    "joins": (2, " JOIN t y{i} ON y{i}.k = x.k"),
    "left joins": (2, " LEFT JOIN t{i} y{i} ON y{i}.k = x.k AND y{i}.ds = '1'"),
    "commas": (2, ", t{i}"),
    "derived tables": (2, " JOIN (SELECT a FROM t{i}) y{i} ON y{i}.a = x.a"),
    "lateral views": (2, " LATERAL VIEW EXPLODE(a) l{i} AS y{i}"),
    "conditions": (3, " AND c{i} = {i}"),
    "qualified conditions": (3, " AND y{i}.ds = '{i}'"),
    "alternatives": (3, " OR c{i} = {i}"),
    "column conditions": (3, " AND y{i}.k = y{j}.k"),
    "NOT IN": (3, " AND a NOT IN (SELECT a FROM s{i})"),
    "EXISTS": (3, " AND EXISTS (SELECT 1 FROM s{i} WHERE s{i}.a = x.a)"),
    "groups": (4, ", c{i}"),
    "HAVING": (5, " AND c{i} = 1"),
    "orders": (6, ", c{i}"),
    "unions": (6, " UNION ALL SELECT a FROM t{i}"),
}
"""Clauses of a query: the index of the part of the skeleton that they follow, and the repeated text."""

_READER = '{"type": "job", "steps": [{"stepType": "mysql", "category": "reader", "parameter": {'

_UNITS: dict[Dialect, dict[str, tuple[str, str, str]]] = {
    Dialect.MAXCOMPUTE: {
        **_STATEMENTS,
        "create temporary": ("", "create temporary temporary ", "if " * 1_000),
        "routine of temporary": ("create ", "temporary ", "if end"),
        "variables that read each other": (
            "@v0 := SELECT a FROM t;\n",
            "@v{j} := SELECT a FROM @v{i};\n",
            "",
        ),
        "variables with tables": ("", "@v{i} TABLE (a STRING) := SELECT a FROM t;\n", ""),
        "blocks": ("", "IF @a = 1 BEGIN SELECT 1; END\n", ""),
        "open blocks": ("", "IF @a = 1 BEGIN SELECT 1;\n", ""),
        "multi-insert": ("FROM t ", "INSERT OVERWRITE TABLE t{i} SELECT a ", ""),
        "overwrites": ("", "INSERT OVERWRITE TABLE t PARTITION (ds='{i}') SELECT a FROM t;\n", ""),
        "functions": ("", "FUNCTION f{i} (@a BIGINT) AS @a + 1;\n", ""),
    },
    Dialect.HOLOGRES: {
        **_STATEMENTS,
        "DO blocks": ("", "DO $$ BEGIN DELETE FROM t; END $$;\n", ""),
        "procedures": ("", "CREATE PROCEDURE p{i}() AS $$ BEGIN SELECT 1; END $$;\n", ""),
        "CALL": ("", "CALL set_table_property('t{i}', 'a', 'b');\n", ""),
    },
    Dialect.MYSQL: {
        "procedures": ("", "CREATE PROCEDURE p{i}() BEGIN SELECT 1; END;\n", ""),
        "procedure with many statements": ("CREATE PROCEDURE p() BEGIN ", "SELECT {i}; ", "END"),
        "routine with many definers": ("create ", "definer = a ", "if end"),
        "REPLACE": ("", "REPLACE INTO t VALUES ({i});\n", ""),
        "two delimiters": ("", "DELIMITER //\nSELECT 1 //\nDELIMITER ;\nSELECT 1;\n", ""),
        "long delimiters": ("DELIMITER ", "a{i}", "\nSELECT 1"),
    },
    Dialect.CLICKHOUSE: {
        "arrays": ("SELECT ", "[1, ", "2"),
        "lambdas": ("SELECT ", "arrayMap(x -> x + {i}, a), ", "1"),
    },
    Dialect.ORACLE: {
        "definers": ("", "create definer=a ", "end " * 1_000),
        "routine with many ends": ("create definer=a ", "end ", ""),
        "packages": ("", "CREATE PACKAGE BODY p{i} AS BEGIN NULL; END;\n/\n", ""),
        "anonymous blocks": ("", "DECLARE x INT; BEGIN NULL; END;\n/\n", ""),
        "open blocks": ("", "DECLARE x INT; ", ""),
        "nq strings of one kind": ("SELECT ", "nq'! ", ""),
    },
    Dialect.TSQL: {
        "bracket names": ("SELECT ", "[a b], ", "1"),
        "procedures": ("", "CREATE PROCEDURE p{i} AS BEGIN SELECT 1 END\nGO\n", ""),
        "IF blocks": ("", "IF 1 = 1 BEGIN SELECT 1 END\n", ""),
        "SELECT of open brackets": ("SELECT ", "[", ""),
        "open brackets with newlines": ("SELECT ", "[[[[[[[[\n", ""),
    },
    Dialect.PYTHON: {
        "comments": ("", "# a\n", ""),
        "one comment": ("", "#", ""),
        "escaped quotes": ("", "\\'", ""),
        "open strings": ("", "'\n", ""),
        "escaped open strings": ("x = ", "'\\", ""),
        "triple quotes": ("", "''' ", ""),
        "odd triple quotes": ("", "'''\"\"\"", ""),
        "names": ("", "a\n", ""),
        "additions": ("x = ''", " + 'a'", ""),
        "additions of SQL": ("o.execute_sql('select 1'", " + 'a'", ")"),
        "grown SQL": ("s = 'select a from t'\n", "s += ' where {i}'\n", "o.execute_sql(s)\n"),
        "grown SQL, run often": ("s = 'select 1'\n", "s += ' and {i}'\no.execute_sql(s)\n", ""),
        "one name, run often": ("s = 'select a from t'\n", "o.execute_sql(s)\n", ""),
        "one name, set often": ("", "s = 'select {i}'\no.execute_sql(s)\n", ""),
        "names of names": ("s0 = 'select 1'\n", "s{j} = s{i}\no.execute_sql(s{j})\n", ""),
        "templates": ("s = '", "%s {a} ", "' % x\no.execute_sql(s)\n"),
        "template, run often": ("s = 'select %s'\n", "o.execute_sql(s % {i})\n", ""),
        "format calls": ("", "o.execute_sql('select {} from t'.format({i}))\n", ""),
        "open braces": ("o.execute_sql('select ", "{", "'.format(1))\n"),
        "braces": ("o.execute_sql('select ", "{a{", "'.format(1))\n"),
        "percents": ("o.execute_sql('select ", "%(", "' % x)\n"),
        "percent flags": ("o.execute_sql('select %", "0", "' % x)\n"),
        "f-strings": ("", "o.execute_sql(f'select {a} from t{i}')\n", ""),
        "f-string with many values": ("o.execute_sql(f'select ", "{a}, ", "1')\n"),
        "f-string with open brackets": ("o.execute_sql(f'select {a", "[0]", "}')\n"),
        "adjacent literals": ("o.execute_sql('select 1'", " 'a'", ")\n"),
        "adjacent literals in lines": ("o.execute_sql('select 1'", "\n # c\n 'a'", ")\n"),
        "escapes": ("o.execute_sql('select ", "\\n", "')\n"),
        "calls": ("", "f(", "x"),
        "calls in a row": ("", "o.get_table('t{i}').drop()\n", ""),
        "attributes": ("x = a", ".b", ""),
        "methods": ("x = a", ".b()", ""),
        "methods of SQL": ("o.execute_sql('select 1'", ".strip()", ")"),
        "brackets": ("x = ", "[", ""),
        "nested lists": ("x = ", "[" * 40 + "1" + "]" * 40 + " + ", "[]"),
        "subscripts": ("x = a", "[0]", ""),
        "lists": ("x = [", "'select {i}', ", "]\nfor s in x:\n    o.execute_sql(s)\n"),
        "list, run often": (
            "x = [" + "'select 1', " * 500 + "]\n",
            "for s in x:\n    o.execute_sql(s)\n",
            "",
        ),
        "dictionaries": ("x = {", "'a{i}': 'select {i}', ", "}\no.execute_sql(x['a1'])\n"),
        "functions": ("", "def f{i}(s):\n    o.execute_sql(s)\nf{i}('select 1')\n", ""),
        "functions that call each other": (
            "def f0(s):\n    o.execute_sql(s)\n",
            "def f{j}(s):\n    f{i}(s)\n",
            "",
        ),
        "arguments": ("def f(a", ", a{i}", "):\n    o.execute_sql(a)\n"),
        "calls with many arguments": ("o.execute_sql('select 1'", ", a{i}", ")\n"),
        "keywords": ("o.execute_sql('select 1'", ", a{i}=1", ")\n"),
        "loops": ("", "for r in t.open_reader():\n    o.execute_sql('select {i}')\n", ""),
        "nested loops": (
            "",
            "".join(f"{' ' * depth}for a{depth} in x:\n" for depth in range(18))
            + " " * 18
            + "o.execute_sql(s)\n",
            "",
        ),
        "one loop with many calls": ("for r in t.open_reader():\n", "    o.execute_sql('select {i}')\n", ""),
        "loops over one name": (
            "rows = t.open_reader()\n",
            "for r in rows:\n    o.execute_sql('select 1')\n",
            "",
        ),
        "assignments of one name": ("", "rows = x{i}\n", "for r in rows:\n    o.execute_sql('select 1')\n"),
        "assignments and loops of one name": (
            "",
            "rows = x{i}\nfor r in rows:\n    o.execute_sql('select 1')\n",
            "",
        ),
        "imports": ("", "import a{i}.b\n", ""),
        "imports of drivers": ("", "import pymysql as a{i}\n", "a0.connect().cursor().execute('select 1')\n"),
        "dotted imports and names": ("", "import a{i}.b\na.b.c{i}()\n", ""),
        "connections": (
            "import pymysql\n",
            "c{i} = pymysql.connect()\nc{i}.cursor().execute('select {i}')\n",
            "",
        ),
        "one connection": (
            "import pymysql\nc = pymysql.connect()\n",
            "c.cursor().execute('select {i}')\n",
            "",
        ),
        "connection set often": (
            "import pymysql\n",
            "c = pymysql.connect()\nc.execute('select {i}')\n",
            "",
        ),
        "conditions": ("", "if a{i}:\n    pass\n", ""),
        "elif": ("if a:\n    pass\n", "elif a{i}:\n    pass\n", ""),
        "conditional expressions": ("o.execute_sql(", "'select {i}' if a else ", "'')\n"),
        "lambdas": ("x = ", "lambda: ", "0"),
        "long line": ("x = 1", "; x = {i}", ""),
        "blank lines": ("", "\n", ""),
        "form feeds": ("", "\f\n", ""),
        "carriage returns": ("", "\r", ""),
        "header of blanks": ("", " \n", "x"),
        "header of comments": ("", "#\n \n", "x"),
        "not ASCII": ("", "x = '中文'; y = '文'\n", ""),
        "not ASCII in one line": ("x = 1", "; y = '文'", ""),
        "SQL in one line, not ASCII": ("x = 1", "; o.execute_sql('select 文')", ""),
        "syntax error": ("", "x = {i}\n", ") ("),
        "python 2 prints": ("", "print 'a{i}'\n", ""),
        "python 2 print of blanks": ("print 'a'\nprint", " ", "\n"),
        "python 2 prints with blanks": ("print 'a'\n", "print" + " " * 300 + "\n", ""),
        "python 2 prints of >>": ("print 'a'\n", "print >> ", "\n"),
        "python 2 exec of tabs": ("print 'a'\nexec", "\t", "\n"),
        "python 2 backquotes": ("print 'a'\n", "`", ""),
        "python 2 raise": ("print 'a'\nraise", " ", "\n"),
        "python 2 raise of dots": ("print 'a'\nraise a", ".a", "\n"),
        "python 2 raises": ("print 'a'\n", "raise ", "\n"),
        "python 2 excepts": ("print 'a'\n", "except ", "\n"),
        "python 2 except of dots": ("print 'a'\nexcept a", ".a", "\n"),
        "python 2 blank lines": ("print 'a'\n", " \t \n", ")"),
        "python 2 blanks": ("print 'a'\n", " ", ")"),
        "python 2 commas": ("print 'a'\n", "a, ", ")"),
        "python 2 comma of blanks": ("print 'a'\nexcept a,", " ", ")"),
        "python 2 numbers": ("print 'a'\nx = ", "0", "L)"),
        "python 2 long numbers": ("print 'a'\n", "x = 07L + 1l\n", ")"),
        "python 2 open strings": ("print 'a'\n", "'\\", ")"),
        "python 2 quotes": ("print 'a'\n", "''' \\' ", ")"),
        "python 2 from future": ("print 'a'\n", "from\t", ")"),
    },
    Dialect.SHELL: {
        "traps": ("", "trap ", ""),
        "traps and ERR": ("", "trap ERRx ", ""),
        "sets": ("", "set -", ""),
        "sets of options": ("set", " -a", ""),
        "sets in lines": ("", "set -a -b -c\n", ""),
        "sets of blanks": ("set", " ", "x"),
        "shebang": ("#!", " -a", "\n"),
        "shebangs": ("", "#! -a\n", ""),
        "comments": ("", "# a\n", ""),
        "one comment": ("", "#", ""),
        "words": ("echo", " a", ""),
        "commands": ("", "cmd{i} a\n", ""),
        "commands with $?": ("", "cmd{i} $?\n", ""),
        "semicolons": ("", ";", ""),
        "pipes": ("cat", " | cat", ""),
        "and": ("true", " && true", ""),
        "single quotes": ("", "'", ""),
        "single quotes in words": ("echo ", "a'b'", ""),
        "double quotes": ("", '"', ""),
        "double quotes in words": ("echo ", 'a"b"', ""),
        "quoted variables": ("echo ", '"$a"', ""),
        "variables": ("echo ", "$a", ""),
        "braced variables": ("echo ", "${a}", ""),
        "open braces": ("echo ", "${", ""),
        "open braces in quotes": ('echo "', "${", '"'),
        "open brackets": ("echo ", "$[", ""),
        "backquotes": ("echo ", "`", ""),
        "backquotes apart": ("echo ", "` ", ""),
        "escaped backquotes": ("echo ", "\\`", ""),
        "backquotes in SQL": ("odpscmd -e '", "`", "'"),
        "open backquotes in SQL": ('odpscmd -e "select ', "`\\", '"'),
        "escaped backquotes in SQL": ('odpscmd -e "select ', "\\`", '"'),
        "substitutions": ("echo ", "$(", ""),
        "closed substitutions": ("echo ", "$(a)", ""),
        "nested substitutions": ("", "x=$(a $(b $(c)))\n", ""),
        "deep substitutions": ("", "x=" + "$(" * 30 + "a" + ")" * 30 + "\n", ""),
        "substitutions in quotes": ('echo "', "$(a)", '"'),
        "backquotes in substitutions": ("", "x=$(a `b $(c `d`)`)\n", ""),
        "nested backquotes": ("echo ", "$(`", ""),
        "substitution of SQL": ("", 'x=$(odpscmd -e "select {i}")\n', ""),
        "open substitutions in SQL": ('odpscmd -e "select ', "$(", '"'),
        "arithmetic": ("echo ", "$((", ""),
        "arithmetic, closed": ("echo ", "$((1+1))", ""),
        "nested arithmetic": ("echo $((1", "+$((1", ""),
        "parentheses": ("", "(", ""),
        "process substitutions": ("cat ", "<(", ""),
        "closed process substitutions": ("cat ", "<(a) ", ""),
        "here-documents": ("", "cat <<E{i}\na\nE{i}\n", ""),
        "here-documents in a line": ("cat", " <<E{i}", "\n"),
        "open here-documents": ("", "cat <<E{i}\n", ""),
        "one here-document": ("cat <<E\n", "a\n", ""),
        "here-document of tabs": ("cat <<-E\n", "\t", "\n"),
        "here-documents with tabs": ("cat <<-E\n", "\t\tF\n", ""),
        "here-document of SQL": ("hive <<E\n", "select {i};\n", "E\n"),
        "here-strings": ("", "hive <<< 'select {i}'\n", ""),
        "redirections": ("echo", " > a", ""),
        "redirections apart": ("", "<>", ""),
        "less-than": ("", "<", ""),
        "assignments": ("", "a{i}=1\n", ""),
        "assignments of SQL": ("", "s{i}='select {i}'\nodpscmd -e \"$s{i}\"\n", ""),
        "one variable, set often": ("", "s='select {i}'\nodpscmd -e \"$s\"\n", ""),
        "one variable, run often": ("s='select a from t'\n", 'odpscmd -e "$s"\n', ""),
        "joined variables": ("s='select 1;'\nodpscmd -e \"", "$s", '"'),
        "joined variables and text": ("s='select 1;'\nodpscmd -e \"", "$s a ", '"'),
        "long assigned value": ("s='select ", "a, ", "1'\n" + 'odpscmd -e "$s"\n' * 200),
        "assignments in one command": ("", "a=1 ", "cmd"),
        "sudo": ("", "sudo ", "cmd"),
        "clients": ("", "mysql -p a -e 'select {i}'\n", ""),
        "one client with many options": ("mysql", " -e 'select 1'", ""),
        "passwords": ("mysql", " -psecret{i}", ""),
        "password variables": ("", "PGPASSWORD=a{i}b2C ", "psql"),
        "echoes": ("", "echo 'select {i}' | hive\n", ""),
        "deletions": ("", "rm -rf /a/$b{i}\n", ""),
        "deletion of many": ("rm -rf", " /a/$b{i}", ""),
        "deletion of variables": ("rm -rf /", "$a{i}/", ""),
        "reads": ("", "read a b c\n", ""),
        "read of options": ("read", " -a", ""),
        "read of names": ("read a", " a", ""),
        "read documents": ("", "read -d '' s{i} <<E\nselect 1\nE\n", ""),
        "for loops": ("", "for a in b; do c; done\n", ""),
        "for names": ("for", " a", ""),
        "getopts": ("getopts", " a", ""),
        "getopts, often": ("", "getopts ", ""),
        "functions": ("", "f{i}() { a; }\n", ""),
        "function of blanks": ("", "f  ", ""),
        "tests": ("", "[ -z $a{i} ]\n", ""),
        "tests of blanks": ("[ -z", " ", ""),
        "open tests": ("", "[[ ", ""),
        "long word": ("", "a", ""),
        "long word of dashes": ("", "-", ""),
        "lines continued": ("echo", " \\\n", ""),
        "blanks": ("", " ", ""),
        "newlines": ("", "\n", ""),
        "tabs": ("", "\t", ""),
        "carriage returns": ("", "\r\n", ""),
        "templates": ("echo ", "{{", ""),
        "backslashes": ("echo ", "\\", ""),
        "ansi strings": ("echo ", "$'\\'", ""),
        "shellcheck directives": ("", "# shellcheck disable=SC2086\necho $a\n", ""),
        "nested ifs": ("", "if a; then ", ""),
        "cases": ("case $a in ", "b{i}) c;; ", "esac"),
    },
    Dialect.DI: {
        "open arrays": ("", "[", ""),
        "open objects": ("", '{"a":', ""),
        "numbers": ("[", "1,", "1]"),
        "long number": ("[", "9", "]"),
        "long numbers": ("[", "9" * 4_000 + ",", "1]"),
        "long fraction": ("[1.", "9", "]"),
        "long exponent": ("[1e", "9", "]"),
        "strings": ("[", '"a",', '"a"]'),
        "long string": ('["', "a", '"]'),
        "open string": ('["', "a", ""),
        "escapes": ('["', "\\n", '"]'),
        "open escapes": ('["', '\\"', ""),
        "wrong escapes": ('["', "\\u12", ""),
        "blanks": ("[", " ", "]"),
        "open blanks": ("[", " ", ""),
        "byte order marks": ("", "\ufeff", ""),
        "parameters": ("[", "${a},", "1]"),
        "open parameters": ("[", "${", ""),
        "fields": ("{", '"a{i}": 1,', '"z": 1}'),
        "same field": ("{", '"a": 1,', '"z": 1}'),
        "steps": (
            '{"type": "job", "steps": [',
            '{"stepType": "odps", "category": "reader", "parameter": {"column": ["a{i}"]}},',
            '{"stepType": "odps", "category": "writer", "parameter": {}}]}',
        ),
        "wrong steps": (
            '{"type": "job", "steps": [',
            '{"stepType": "", "parameter": [{i}]},',
            "{}]}",
        ),
        "columns": (
            '{"type": "job", "steps": [{"stepType": "odps", "category": "reader", "parameter": {"column": [',
            '"c{i}",',
            '"z"]}}]}',
        ),
        "credentials": (
            '{"type": "job", "steps": [{"stepType": "odps", "category": "reader", "parameter": {',
            '"password{i}": "Hunter2Hunter2",',
            '"z": "z"}}]}',
        ),
        "where": (
            _READER + '"where": "',
            "a = 'b' and ds >= '20240101' or ",
            '1"}}]}',
        ),
        "where of one name": (
            _READER + '"where": "',
            "a",
            '"}}]}',
        ),
        "where of blanks": (
            '{"type": "job", "steps": [{"stepType": "mysql", "category": "reader", "parameter": {"where": "a',
            " ",
            '"}}]}',
        ),
        "query of blanks": (
            _READER + '"querySql": ["',
            " ",
            'x"]}}]}',
        ),
        "query of comments": (
            _READER + '"querySql": ["',
            "/**/",
            'x"]}}]}',
        ),
        "queries": (
            _READER + '"querySql": [',
            '"select * from t{i}",',
            '"z"]}}]}',
        ),
        "number with a dollar": (
            '{"type": "job", "steps": [], "setting": {"errorLimit": {"record": "',
            "$",
            '\\n"}}}',
        ),
        "number with braces": (
            '{"type": "job", "steps": [], "setting": {"errorLimit": {"record": "',
            "{{",
            '"}}}',
        ),
        "order": (
            '{"type": "job", "steps": [], "order": {"hops": [',
            '{"from": 1},',
            "{}]}}",
        ),
    },
}
"""Units for one dialect."""

_SECRETS = {
    "password:": "#password:",
    "password=": "password=",
    "pwd=": "//pwd=",
    "pwd in a URL": "://a?pwd=",
    "password comment": "-- password: ",
    "password comment of letters": "-- password: aA1",
    "Chinese password": "# 密码：aA",
    "dashes": "--",
    "hashes": "# #",
    "slashes": "// ",
    "URL": "a://",
    "URL with a name": "a://b:c",
    "URL with a token": "a://b?token=",
    "URL with questions": "a://b?c?",
    "URL with a webhook": "a://b/webhook/",
    "URL with one long part": "a://" + "b" * 90,
    "jdbc": "jdbc:a;",
    "jdbc with a password": "jdbc:password",
    "oracle": "jdbc:oracle:thin:a/",
    "host": "host=a ",
    "user and password": "uid=password=",
    "pymysql": "pymysql.connect('a', ",
    "pymysql open": "pymysql.connect('",
    "pymysql blanks": "pymysql.connect(    ",
    "getenv": "getenv('key', '",
    "getenv of names": "getenv('keykeykey",
    "identified": "identified by ",
    "identified by blanks": "identified    ",
    "mysql": "mysql -p",
    "mysql without an option": "mysql ",
    "mysql of blanks": "mysql     ",
    "beeline": "beeline -p ",
    "redis-cli": "redis-cli -a",
    "curl": "curl -u a:",
    "curl without an option": "curl ",
    "--password": " --password ",
    "bearer": "bearer ",
    "bearer of letters": "bearer aaaaaaaa",
    "bearer of dots": "bearer ........",
    "sk-": "sk-a",
    "sk- of letters": " sk-aaaaaaaaaaaaaaaaaaaaaaa",
    "LTAI": "LTAI",
    "LTAI with a key": "LTAI1234567890123456 ",
    "STS": "STS.a",
    "tokens": "ghp_a AKIA xoxb- AIza ",
    "private key": "-----BEGIN A ",
    "key": "key='",
    "key of blanks": "key    ",
    "key of a name": "access_key",
    "key with signs": "key := 'a",
    "key and a value": "key='abcdefgh1' ",
    "token": "token='a1",
    "token and a long value": "secret = '" + "a" * 150,
    "pass": "pass=a1",
    "pw": "pw = 'a",
    "compared": "and key = 'a' ",
}
"""Units that resemble secrets."""

_SECRET_LINES = {
    Dialect.MAXCOMPUTE: ("-- ", "\n", "\nSELECT 1"),
    Dialect.HOLOGRES: ("SELECT '", "';\n", "'"),
    Dialect.PYTHON: ("# ", "\n", "\n"),
    Dialect.SHELL: ("cmd ", "\n", "\n"),
}

_SUPPRESSIONS = {
    "in a line": "-- dwgate:ignore MC-S01 x\n",
    "in one line": "-- dwgate:ignore MC-S01 x ",
    "of many rules": "-- dwgate:ignore " + "MC-S01, " * 19 + "MC-S02 x\n",
    "of a long list": "-- dwgate:ignore " + "MC-S01," * 200 + "\n",
    "of a long name": "-- dwgate:ignore MC-" + "a" * 200 + "\n",
    "without a rule": "-- dwgate: ignore\n",
    "of a file": "-- dwgate:ignore-file MC-S01 x\n",
    "of blanks": "-- dwgate:ignore" + " \t" * 100 + "\n",
    "of commas": "-- dwgate:ignore MC-S01" + " , " * 100 + "\n",
    "with findings": "DELETE FROM t; -- dwgate:ignore MC-S02 x\n",
}

_EMBEDDED = {
    "comments": "/**/",
    "line comments": "-- a\n",
    "open comments": "/*",
    "blanks": " ",
    "newlines": "\n",
    "parentheses": "(",
    "semicolons": ";",
    "mixed": " (;/**/",
    "odd quotes": "'",
    "escaped quotes": "\\'",
    "values": "{a}%s$a",
    "parameters": "select ${a};",
    "statements": "select a from t;\n",
}
"""Units of SQL in code of another language."""
