"""Python nodes: the SQL in them at its own places, what they do with tables, and what ruff says."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from common.text.i18n import Text
from common.verdicts import Finding, Severity
from review.context import NodeContext, ReviewContext, TableMetadata
from review.dialects import Dialect
from review.engine import review
from review.languages import parse_embedded, run_external_linter
from review.languages.external.external_tool import ExternalTool, ToolFailed, run
from review.languages.external.ruff import RUFF
from review.languages.python import python_node
from review.script_reader import read_script
from tests.support.review_assertions import lines, sheets

PARTITIONED = ReviewContext(tables={"dwd_order_di": TableMetadata({"ds": "STRING"}, {"id": "BIGINT"})})
PRODUCTION = ReviewContext(NodeContext(production=True))


def statements(code: str) -> list[str]:
    texts = sheets(code, Dialect.PYTHON).values()
    return [one.strip() for text in texts for one in text.split("\n;") if one.strip()]


def hits(code: str, given: ReviewContext = PARTITIONED) -> list[Finding]:
    return [item for item in review(code, Dialect.PYTHON, given) if not item.rule.startswith("PY-F")]


def told(code: str, given: ReviewContext = PARTITIONED) -> set[tuple[str, int]]:
    return {(item.rule, item.line or 0) for item in hits(code, given)}


def test_a_finding_of_sql_stands_where_the_sql_does() -> None:
    code = '''
# 订单
sql = """
-- 每日订单
select *
from dwd_order_di
"""
o.execute_sql(sql)
'''
    found = {item.rule: item for item in hits(code)}
    assert (found["MC-P04"].line, found["MC-P04"].column) == (5, 8)
    assert (found["MC-P01"].line, found["MC-P01"].column) == (6, 6)
    assert "dwd_order_di" in found["MC-P01"].message


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        ("o.execute_sql('select 1')", ["select 1"]),
        ("o.run_sql(sql='select 1')", ["select 1"]),
        ("o.execute_sql('select a'\n  ' from b')", ["select a    from b"]),
        ("x = 'select 1'\ny = x\no.execute_sql(y.strip())", ["select 1"]),
        ("o.execute_sql('a' if x else 'select 1')", ["select 1"]),
        ("for s in ['select 1', 'select 2']:\n    o.execute_sql(s)", ["select 1", "select 2"]),
        ("for s in 'select 1;select 2'.split(';'):\n    o.execute_sql(s)", ["select 1;select 2"]),
        ("for i, s in enumerate(['select 1']):\n    o.execute_sql(s)", ["select 1"]),
        ("d = {'a': 'select 1'}\no.execute_sql(d['a'])", ["select 1"]),
        ("s = 'select a '\ns += 'from b'\no.execute_sql(s)", ["select a        from b"]),
        ("def run(day, sql):\n    o.execute_sql(sql)\nrun(1, 'select 1')", ["select 1"]),
        ("def run(day, sql):\n    o.execute_sql(sql)\nrun(1, sql='select 1')", ["select 1"]),
        ("class A:\n    def run(self, q):\n        o.run_sql(q)\nA().run('select 1')", ["select 1"]),
        ("o.execute_sql(textwrap.dedent('''select 1'''))", ["select 1"]),
        ("from tools import execSql\nexecSql('select 1')", ["select 1"]),
        ("def execSql(a): pass\nexecSql('select 1')", []),
        ("print('select 1')", []),
        ("o.execute_sql(b'select 1')", []),
        ("o.execute_sql('hello')", []),
    ],
)
def test_sql_is_followed_to_what_runs_it(code: str, sql: list[str]) -> None:
    assert [" ".join(one.split()) for one in statements(code)] == [" ".join(one.split()) for one in sql]


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        (r"o.execute_sql('select \'a\'')", r"select  'a'"),
        (r"o.execute_sql('select \"a\"')", r'select  "a"'),
        (r"o.execute_sql('select 1\n-- x\nfrom t')", "select 1 \n-- x \nfrom t"),
        (r"o.execute_sql('''select '\\\\d' ''')", r"select '  \\d'"),
        (r"o.execute_sql(r'''select '\d' ''')", r"select '\d'"),
        (
            "o.execute_sql(f'select {a} from t_{b} where c = \\'{{x}}\\'')",
            r"select ${} from t_${} where c =  '{ x} '",
        ),
        ("o.execute_sql(f\"select a from t where b = '{d['x']}'\")", "select a from t where b = '$[ppppp]'"),
        (
            "o.execute_sql(\"select a from t where b = '%s' and c like 'x%%'\" % x)",
            "select a from t where b = '$p' and c like 'x% '",
        ),
        ("o.execute_sql('select {} from {table}'.format(a, table=b))", "select $p from $[pppp]"),
        (
            'o.execute_sql("select a from t where b = \'" + day + "\'")',
            "select a from t where b = '$[pppppppp]'",
        ),
        ("o.execute_sql('select a from t where b = ' + str(x))", "select a from t where b = $[ppppppp]"),
        ("o.execute_sql('中文' + 'select')", ""),
    ],
)
def test_a_literal_is_read_at_its_own_length(code: str, sql: str) -> None:
    assert "".join(statements(code)).strip() == sql


def test_sql_stands_at_its_own_offsets() -> None:
    code = "s = '中文'; o.execute_sql(f'''\nselect a,\n  {b} from t ''')"
    text = sheets(code, Dialect.PYTHON)[Dialect.MAXCOMPUTE]
    for word in ("select a,", " from t"):
        assert text.index(word) == code.index(word)


@pytest.mark.parametrize(
    "code",
    [
        "o.execute_sql(build())",
        "o.execute_sql(open('x').read())",
        "o.execute_sql(f'select a from t {where}')",
        "o.execute_sql(f'select a from t where {condition}')",
        "o.execute_sql('select a from t ' + where)",
        "s = 'select a from t'\nif x:\n    s += ' where b = 1'\no.execute_sql(s)",
        "o.execute_sql(f'{sql} limit 10')",
        'o.execute_sql("select \'a from t")',
    ],
)
def test_sql_made_at_run_time_is_said(code: str) -> None:
    assert [rule for rule, _ in told(code)] == ["PY-005"]


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        ("spark.sql('select 1')", Dialect.SPARK),
        ("import pymysql\ncursor.execute('select 1')", Dialect.MYSQL),
        ("import psycopg2\npd.read_sql('select 1', c)", Dialect.HOLOGRES),
        ("from clickhouse_driver import Client\nc.execute('select 1')", Dialect.CLICKHOUSE),
        ("pd.read_sql('select 1', c)", Dialect.MAXCOMPUTE),
    ],
)
def test_the_dialect_follows_from_what_runs_it(code: str, dialect: Dialect) -> None:
    assert [*sheets(code, Dialect.PYTHON)] == [dialect]


def test_rules_of_one_engine_leave_the_sql_of_others_alone() -> None:
    code = "import pymysql\nc.execute('create table a (id int)')\no.execute_sql('create table c (id bigint)')"
    assert [item.line for item in hits(code) if item.rule == "MC-N03"] == [3]


@pytest.mark.parametrize(
    ("code", "line", "severity"),
    [
        ("o.get_table('dwd_order_di').open_reader()", 1, Severity.BLOCK),
        ("t = o.get_table('dwd_order_di')\nwith t.open_reader() as r:\n    r.to_pandas()", 2, Severity.BLOCK),
        ("df = DataFrame(o.get_table('dwd_order_di'))\ndf.to_pandas()", 2, Severity.BLOCK),
        ("o.read_table('dwd_order_di')", 1, Severity.BLOCK),
        ("spark.table('dwd_order_di').toPandas()", 1, Severity.BLOCK),
        ("o.get_table('dwd_other_di').to_df().to_pandas()", 1, Severity.INFO),
    ],
)
def test_whole_tables_are_seen(code: str, line: int, severity: Severity) -> None:
    found = [(item.line, item.severity) for item in hits(code) if item.rule == "PY-003"]
    assert found == [(line, severity)]


@pytest.mark.parametrize(
    "code",
    [
        "o.get_table('dwd_order_di').open_reader(partition='ds=' + d)",
        "o.get_table('dwd_order_di').open_reader('ds=' + d)",
        "o.get_table('dwd_order_di').get_partition('ds=' + d).open_reader()",
        "with o.get_table('dwd_order_di').open_reader() as r:\n    print(r[:10])",
        "o.read_table('dwd_order_di', 10)",
        "df = DataFrame(o.get_table('dwd_order_di'))\ndf[df.ds == d].to_pandas()",
        "o.get_table('dim_city').to_df().to_pandas()",
        "o.get_table(name).open_reader()",
        "open_reader('dwd_order_di')",
    ],
)
def test_narrowed_reads_are_fine(code: str) -> None:
    assert "PY-003" not in {rule for rule, _ in told(code)}


@pytest.mark.parametrize(
    ("code", "rules"),
    [
        ("o.write_table('t_a', r, partition='ds=' + d)", {"PY-004"}),
        ("o.get_table('t_a').open_writer(partition='ds=' + d)", {"PY-004"}),
        ("df.persist('t_a', overwrite=False)", {"PY-004"}),
        ("df.persist('t_a')", set()),
        ("o.write_table('t_a', r, overwrite=True)", set()),
        ("o.write_table('tmp_a', r)", set()),
        ("o.get_table('t_a').truncate()\no.write_table('t_a', r)", set()),
        ("o.execute_sql('truncate table t_a')\no.write_table('t_a', r)", set()),
        ("o.write_table('t_a', r)\no.get_table('t_a').truncate()", {"PY-004", "PY-007"}),
        ("o.delete_table('t_a')", {"PY-007"}),
        ("o.delete_table('t_a')\no.create_table('t_a', 'id bigint', lifecycle=7)", set()),
        ("o.delete_table('dwd_a')\no.execute_sql('create table dwd_a lifecycle 1 as select 1 as x')", set()),
        ("df.drop('t_a')\nt.truncate()", set()),
        ("o.write_table('t_a', r, partition='ds=20240501', overwrite=True)", {"PY-006"}),
        ("o.write_table('t_a', r, partition='ds=99991231', overwrite=True)", set()),
        ("ODPS('a-id', 'a-secret', 'p')", {"PY-001"}),
        ("ODPS(os.environ['A'], secret_access_key=args['b'])", set()),
        ("ODPS('${id}', '${key}')", set()),
    ],
)
def test_calls_of_pyodps(code: str, rules: set[str]) -> None:
    assert {rule for rule, _ in told(code)} == rules


def test_an_appending_call_blocks_in_production_and_is_silent_by_hand() -> None:
    code = "o.write_table('t_a', r)"
    assert [item.severity for item in hits(code, PRODUCTION)] == [Severity.BLOCK]
    assert hits(code, replace(PRODUCTION, node=NodeContext(scheduled=False))) == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("for r in o.execute_sql('select 1').open_reader():\n    o.execute_sql('select 2')", [2]),
        ("with t.open_reader() as rd:\n    for r in rd:\n        o.execute_sql('select 2')", [3]),
        ("for i, r in df.iterrows():\n    o.execute_sql('select 2')", [2]),
        ("for n in range(3):\n    o.execute_sql('select 2')", []),
        ("for r in df.iterrows():\n    pass\no.execute_sql('select 2')", []),
        ("for r in df.iterrows():\n    def f():\n        o.execute_sql('select 2')", []),
    ],
)
def test_queries_in_a_loop_over_rows(code: str, lines: list[int]) -> None:
    assert [item.line for item in hits(code) if item.rule == "PY-002"] == lines


def test_a_syntax_error_is_said_with_its_place() -> None:
    [item] = [item for item in review("x = 1\nif x\n    y", Dialect.PYTHON) if item.rule == "MC-C19"]
    assert (item.line, item.column) == (2, 5)


@pytest.mark.parametrize(
    "code",
    [
        "print 'x'\no.execute_sql('select * from a')",
        "print 'x'\nprint 'a', b,\nprint\nprint >>f, x\no.execute_sql('select * from a')",
        "try:\n    pass\nexcept Exception, e:\n    raise ValueError, 'x'\no.execute_sql('select * from a')",
        "reload(sys)\nif a <> 1L or `b` == 0777:\n    exec 'x'\no.execute_sql(ur'select * from a')",
    ],
)
def test_python_2_is_said_and_its_sql_reviewed(code: str) -> None:
    found = review(code, Dialect.PYTHON)
    assert "Python 2" in next(item.message for item in found if item.rule == "MC-C19")
    [star] = [item for item in found if item.rule == "MC-P04"]
    assert star.line == code.count("\n") + 1


@pytest.mark.parametrize(
    "code",
    [
        "",
        "\ufeffo.execute_sql('select 1')",
        "x = 1\0",
        "x = '\ud800'",
        "(" * 5000,
        "-" * 50000 + "1",
        "+".join(["1"] * 20000),
        "f'{" * 300,
        "o.execute_sql('''",
        "x\r\ro.execute_sql('select 1')\r",
        "x=1\n\x0co.execute_sql('select 1')",
        "s += 'x'\no.execute_sql(s)",
        "s = s\no.execute_sql(s)",
        "o.execute_sql(*a, **b)",
        "o.execute_sql('' + x)",
        "def f(sql): f(sql)",
    ],
)
def test_no_code_makes_it_raise(code: str) -> None:
    found = parse_embedded(code, Dialect.PYTHON, time.monotonic() + 10)
    assert all(len(part.text) == len(code) for part in found.embedded)


def test_time_that_is_up_is_said() -> None:
    found = python_node.read_python("x = 1", time.monotonic() - 1)
    assert [item.unread for item in found.unread] == ["the review timed out"]


def test_ruff_finds_names_that_are_not_defined_at_their_place() -> None:
    code = "# 中文\nx = '中文' + undefined\nprint(o, odps, args)\n"
    [hit] = run_external_linter(code, Dialect.PYTHON, 5)
    assert (hit.rule, hit.severity) == ("PY-F821", Severity.WARN)
    assert code[hit.at.begin : hit.at.end] == "undefined"
    assert hit.message == Text("A name is not defined.", "使用了未定义的名称。")


def test_ruff_leaves_sql_and_layout_alone() -> None:
    code = "day=args['bizdate']\no.execute_sql(f\"select  a from t where ds = '{day}'\")\nassert   day"
    assert [*run_external_linter(code, Dialect.PYTHON, 5)] == []


def test_ruff_has_nothing_to_say_of_what_is_no_python() -> None:
    assert [*run_external_linter("print 'x'", Dialect.PYTHON, 5)] == []


def test_many_hits_are_counted() -> None:
    found = [*run_external_linter("".join(f"print(u{number})\n" for number in range(150)), Dialect.PYTHON, 5)]
    assert len(found) == 101
    assert found[-1].rule == "PY-RUFF"
    assert "50 more" in found[-1].message.en


def test_a_missing_tool_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.languages.external.ruff.RUFF", replace(RUFF, name="no-such-program"))
    [hit] = run_external_linter("x = 1", Dialect.PYTHON, 5)
    assert hit.rule == "PY-RUFF"
    assert "not installed" in hit.message.en


@pytest.mark.parametrize(
    ("name", "arguments", "seconds", "told"),
    [
        ("sleep", ("60",), 0.1, "longer"),
        ("cat", (), 5, "without a valid result"),
        ("no-such-program", (), 5, "not installed"),
    ],
)
def test_a_tool_that_gives_no_answer(
    name: str, arguments: tuple[str, ...], seconds: float, told: str
) -> None:
    with pytest.raises(ToolFailed, match=told) as error:
        run(ExternalTool(name, "X", arguments), "select secret", seconds)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        ("import mysql.connector\nc = mysql.connector.connect()\nc.cursor().execute('select 1')", "mysql"),
        ("from pyhive import presto\npresto.connect(h).cursor().execute('select 1')", "presto"),
        ("from impala.dbapi import connect\nconnect(h).cursor().execute('select 1')", "hive"),
        ("import odps.dbapi\nodps.dbapi.connect().cursor().execute('select 1')", "maxcompute"),
        ("import clickhouse_connect as k\nc = k.get_client()\nc.command('select 1')", "clickhouse"),
        ("import pymysql, pymssql\nwith pymssql.connect() as c:\n    c.cursor().execute('select 1')", "tsql"),
        (
            "from sqlalchemy import *\nu = 'trino://%s' % h\ne = create_engine(u)\ne.execute('select 1')",
            "trino",
        ),
        (
            (
                "import sqlalchemy as sa\n"
                "with sa.create_engine(sa.URL.create('oracle+oracledb')).connect() as c:\n"
                "    c.execute(sa.text('select 1'))"
            ),
            "oracle",
        ),
        (
            (
                "import pymysql\nfrom sqlalchemy import create_engine, orm\n"
                "S = orm.sessionmaker(bind=create_engine(url))\ns = S()\ns.execute('select 1')"
            ),
            "mysql",
        ),
        (
            (
                "import pymysql\nfrom sqlalchemy import text\n"
                "def run(q):\n    c.execute(text(q.strip()))\nrun('select 1')"
            ),
            "mysql",
        ),
    ],
)
def test_the_dialect_is_that_of_the_connection(code: str, dialect: str) -> None:
    found = sheets(code, Dialect.PYTHON)
    assert list(found) == [Dialect(dialect)]
    assert found[Dialect(dialect)].split("\n;")[0].strip() == "select 1"


@pytest.mark.parametrize(
    "code",
    [
        "import sqlalchemy\nc.execute('select 1')",
        "import pymysql, psycopg2\nself.c.execute('select 1')",
        "import sqlite3\nc.execute('select 1')",
        "from sqlalchemy import create_engine\npd.read_sql('select 1', create_engine(url))",
    ],
)
def test_sql_for_an_unknown_database_is_said(code: str) -> None:
    assert [rule for rule, _ in told(code)] == ["PY-005"]
    assert not sheets(code, Dialect.PYTHON)


@pytest.mark.parametrize(
    "code",
    [
        "import sqlalchemy\npool.execute(job)",
        "import pymysql\npd.read_sql('rpt_city', c)",
        "import clickhouse_connect\nframe.query('select > 1')",
        "from clickhouse_driver import Client\nc.execute('INSERT INTO t (a) VALUES', rows)",
        "import pymysql\nframe.to_sql('rpt_city', engine, if_exists='append')",
    ],
)
def test_what_is_no_sql_is_passed_over(code: str) -> None:
    assert not told(code)
    assert not sheets(code, Dialect.PYTHON)


@pytest.mark.parametrize(
    "code",
    [
        "import pymysql\nc.execute('delete from t where a = %s and b = %(b)s', (1,))",
        "import pymysql\nc.executemany('insert into t values (%s, %s) on duplicate key update a = 1', r)",
        "import pymysql\nc.execute('select a from %s where b = %%s' % t, (1,))",
        "import pymysql\nc.execute(\"select a from t where b like 'x%' \")",
        "import psycopg2\nc.execute('select a from t where b = %s::date', (1,))",
        "import oracledb\nc.execute('select a from t where b = :1 and c = :d', [1])",
        "import pymysql\ndef run(q, *a):\n    c.execute(q, a)\nrun('delete from t where a = %s', 1)",
    ],
)
def test_values_that_the_driver_puts_in_are_understood(code: str) -> None:
    assert not told(code)
    assert sheets(code, Dialect.PYTHON)


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("o.create_table('t', s)", {1}),
        ("o.create_table('t', s, lifecycle=None)", {1}),
        ("from odps import ODPS\nx = ODPS(project='p')\nx.create_table(n, s)", {3}),
        ("o.create_table('t', s, lifecycle=3)", set()),
        ("o.create_table('t', s, None, None, False, 3)", set()),
        ("o.create_table('t', s, **more)", set()),
        ("o.create_table(*more)", set()),
        ("o.create_table('t', s, external_stored_by='x')", set()),
        ("options.lifecycle = 3\no.create_table('t', s)", set()),
        ("o.create_table('t', s).set_lifecycle(3)", set()),
        ("o.create_table('t', s)\no.execute_sql('alter table t set lifecycle 3')", set()),
        ("o.create_table('t', s)\no.execute_sql('alter table u set lifecycle 3')", {1}),
        ("o.create_table('t', s)\no.execute_sql(f'alter table {t} set lifecycle 3')", set()),
        ("glue.create_table('t', s)", set()),
        ("o = Other()\no.create_table('t', s)", set()),
        ("def make(o):\n    o.create_table('t', s)", set()),
        ("from mine import o\no.create_table('t', s)", set()),
        ("from mine import *\no.create_table('t', s)", set()),
    ],
)
def test_a_table_made_without_a_lifecycle_is_said(code: str, lines: set[int]) -> None:
    assert {line for rule, line in told(code) if rule == "PY-008"} == lines


def names(code: str) -> list[str]:
    """Return the names of the tables that a module drops and creates, in the order of its statements."""
    script = read_script(code, Dialect.PYTHON, ReviewContext(), None, time.monotonic() + 10)
    return [
        name
        for item in script.statements
        for name in (*(gone.name for gone in item.removals), *(made.name for made in item.creations))
    ]


@pytest.mark.parametrize(
    "written",
    [
        "'drop table mall.%s' % t",
        "'drop table mall.%s' % (t,)",
        "'drop table mall.%s' % str(t)",
        "'drop table mall.%(a)s' % {'a': t}",
        "'drop table mall.%(a)s' % dict(a=t)",
        "'drop table mall.%(t)s' % locals()",
        "'drop table mall.{}'.format(t)",
        "'drop table mall.{0}'.format(t)",
        "'drop table mall.{a!s}'.format(a=t)",
        "'drop table mall.{t}'.format(**locals())",
        "f'drop table mall.{t}'",
        "f'drop table mall.{t!s}'",
        "'drop table mall.' + t",
        "'drop table mall.' + str(t) + ' '",
        "'drop table mall' '.' + t",
        "'drop table `mall`.`%s`' % t",
        '"drop table \\"mall\\".\\"%s\\"" % t',
    ],
)
def test_a_value_that_is_inserted_has_one_spelling(written: str) -> None:
    assert names(f"o.execute_sql({written})") == ["mall.{t}"]


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ("o.execute_sql('drop table %s' % 'stock')", "stock"),
        ("o.execute_sql('drop table %s.%s' % ('mall', t))", "mall.{t}"),
        ("o.execute_sql('drop table {1}.{0}'.format(t, 'mall'))", "mall.{t}"),
        ("o.execute_sql('drop table ' + self.t)", "{self.t}"),
        ("o.execute_sql('drop table {0.t}'.format(self))", "{self.t}"),
        ("o.execute_sql('drop table {a[t]}'.format(a=b))", "{b[t]}"),
        ("o.execute_sql('drop table %(t)s' % names)", "{names['t']}"),
        ("o.execute_sql('drop table {t}'.format(**names))", "{names['t']}"),
        ("o.execute_sql('drop table s_%02d' % n)", "s_{n:02d}"),
        ("o.execute_sql('drop table %s_%02d' % (t, n))", "{t}_{n:02d}"),
        ("o.execute_sql(f'drop table s_{n:02d}')", "s_{n:02d}"),
        ("o.execute_sql('drop table s_' + day( 'x' ))", "s_{day('x')}"),
        ("o.execute_sql('drop table ' + a + b)", "{a}{b}"),
        ("sql = 'drop table %s'\no.execute_sql(sql % 'stock')", "stock"),
        ("sql = 'drop table {}'\no.execute_sql(sql.format(t))", "{t}"),
        ("t = 'stock'\no.execute_sql('drop table %s' % t)", "stock"),
        ("t = 'stock'\no.execute_sql('drop table {}'.format(t))", "stock"),
        ("t = 'stock'\no.execute_sql(f'drop table {t}')", "stock"),
        ("t = 'stock'\no.execute_sql('drop table ' + t)", "stock"),
        ("db, t = 'mall', 'stock'\no.execute_sql('drop table ' + db + '.' + t)", "mall.stock"),
        ("db = 'mall'\nt = '%s.stock' % db\no.execute_sql('drop table ' + t)", "mall.stock"),
        ("t = 'tmp_{}'.format(day)\no.execute_sql('drop table ' + t)", "tmp_{day}"),
        ("T = 'stock'\ndef run():\n    o.execute_sql(f'drop table {T}')", "stock"),
        ("def run():\n    t = 'stock'\n    o.execute_sql(f'drop table {t}')", "stock"),
    ],
)
def test_a_name_is_what_is_inserted_or_its_only_value(code: str, table: str) -> None:
    assert names(code) == [table]


@pytest.mark.parametrize(
    "code",
    [
        "t = 'tmp_b'\n",
        "t += '_b'\n",
        "for t in tables: pass\n",
        "with x as t: pass\n",
        "a, *t = x\n",
        "del t\n",
        "def run():\n    global t\n    t = 'x'\n",
        "try: pass\nexcept E as t: pass\n",
        "import t\n",
        "globals()['t'] = 'x'\n",
        "exec(x)\n",
    ],
)
def test_a_name_that_may_change_is_not_replaced_by_a_value(code: str) -> None:
    assert names(f"t = 'tmp_a'\n{code}o.execute_sql('drop table ' + t)") == ["{t}"]


@pytest.mark.parametrize(
    "code",
    [
        "t = input()\no.execute_sql('drop table ' + t)",
        "t = 'tmp_a'\ndef run(t):\n    o.execute_sql('drop table ' + t)",
        "t = 'tmp_a'\ndef run(t):\n    def inner():\n        o.execute_sql('drop table ' + t)",
        "t = 'tmp_a' + suffix()\no.execute_sql('drop table ' + t)",
        "t = 'tmp_a, stock'\no.execute_sql('drop table ' + t)",
    ],
)
def test_a_name_without_a_certain_value_is_its_expression(code: str) -> None:
    assert names(code) == ["{t}"]


def test_different_values_are_different_tables() -> None:
    code = (
        "o.execute_sql('drop table %s' % 'dwd_a')\no.execute_sql('create table %s as select 1 as x' % {!r})"
    )
    assert "MC-S02" in {rule for rule, _ in told(code.format("dwd_b"))}
    assert "MC-S02" not in {rule for rule, _ in told(code.format("dwd_a"))}


def test_a_template_is_read_with_each_of_its_values() -> None:
    code = "gone = 'drop table %s'\nfor t in x: o.execute_sql(gone % t)\no.execute_sql(gone % 'dwd_a')\n"
    assert names(code) == ["{t}", "dwd_a"]
    many = "".join(f"o.execute_sql(gone % 'dwd_{number}')\n" for number in range(30))
    assert names(f"gone = 'drop table %s'\n{many}")[19:] == ["dwd_19", "%s"]


def test_messages_show_the_inserted_expression() -> None:
    [message] = [
        item.message for item in hits("o.execute_sql('drop table ' + t + '')") if item.rule == "MC-S02"
    ]
    assert "table {t} is dropped" in message


@pytest.mark.parametrize(
    ("code", "is_reported"),
    [
        ("import os\nos.system(\"hive -e 'delete from t'\")\n", True),
        ("from subprocess import run as start\nstart(['beeline', '-e', sql])\n", True),
        ("import subprocess\nc = 'mysql -e \"drop table %s\"' % t\nsubprocess.call(c, shell=True)\n", True),
        ("import os\nos.system('ls /warehouse/hive')\n", False),
        ("import subprocess\nsubprocess.run(['python', 'x.py', '--query', 'a'])\n", False),
        ("class A:\n    pass\nA().system('hive -e x')\n", False),
    ],
)
def test_a_client_that_is_started_with_sql_is_reported(code: str, is_reported: bool) -> None:
    assert ("PY-005" in {rule for rule, _ in told(code)}) is is_reported


def test_a_method_for_sql_runs_its_argument_of_that_name() -> None:
    code = "import db\nq = 'DELETE FROM shop.city'\ns = db.session()\ns.load_mysql(sql=q)\ns.load(sql=q)\n"
    assert lines("MC-C14", code, dialect=Dialect.PYTHON) == [2]


def test_rows_may_come_back_by_a_statement_that_cannot_be_read() -> None:
    code = "DELETE FROM a;\nLOAD nonsense INTO TABLE {}"
    for table, severity in (("a", Severity.WARN), ("b", Severity.BLOCK)):
        found = review(code.replace("{}", table), Dialect.MYSQL)
        assert [item.severity for item in found if item.rule == "MC-C14"] == [severity], table
