"""Everything in a Python node that can carry SQL, or deletes data by a call of PyODPS or PySpark.

Holes of the templates: `<p>` an expression that is SQL, `<w>` SQL as a plain literal, `<t>` a table's name as
a literal, `<n>` a number that makes a name unique, `<x>` a statement of its own, indented as the hole is.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable

from review.dialects import Dialect
from tests.fuzz.compositions.composition import Composition, Part, join_parts, new_table
from tests.fuzz.compositions.shell_carriers import command
from tests.fuzz.compositions.sql_statements import destructive_statement

_HEAD = """import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from string import Template
from threading import Thread

import pandas as pd
import psycopg2
import pymysql
from odps import ODPS
from pyspark.sql import SparkSession
from sqlalchemy import create_engine, text

bizdate = args["bizdate"]
spark = SparkSession.builder.getOrCreate()
conn = pymysql.connect(host="h", user="u", password=os.environ["P"])
cursor = conn.cursor()
engine = create_engine("mysql+pymysql://h/dw")
pg = psycopg2.connect(host="h")
"""
_MAXCOMPUTE = (
    "o.execute_sql(<p>)",
    "o.run_sql(<p>)",
    "instance = o.execute_sql(<p>, hints={'odps.sql.submit.mode': 'script'})",
    "o.execute_sql(sql=<p>)",
    "with o.execute_sql(<p>).open_reader() as r:\n    print(r.count)",
    "execute_sql(<p>)",
    "getattr(o, 'execute_sql')(<p>)",
    "run<n> = o.execute_sql\nrun<n>(<p>)",
    "partial(o.execute_sql, <p>)()",
    "Thread(target=o.execute_sql, args=(<p>,)).start()",
    "ThreadPoolExecutor().submit(o.execute_sql, <p>)",
    "list(map(o.execute_sql, [<p>]))",
    "[o.execute_sql(s) for s in [<p>, 'SELECT 1']]",
    "ODPS.execute_sql(o, <p>)",
    "helper.run(<p>)",
    "run_hive(<p>)",
    "job = Job(sql=<p>)\njob.start()",
    "config = {'name': 'x', 'sql': <p>}\nsubmit(config)",
    "tasks<n>.append(<p>)",
    "class J<n>:\n    sql = <p>\n\n    def run(self):\n        o.execute_sql(self.sql)",
    "class K<n>:\n    def __init__(self):\n        self.sql = <p>\n\n    def run(self):\n        o.execute_sql(self.sql)",  # noqa: E501 - one template
    "def f<n>(sql=<p>):\n    o.execute_sql(sql)\n\n\nf<n>()",
    "def f<n>(sql):\n    o.execute_sql(sql)\n\n\nf<n>(<p>)",
    "def f<n>(name, sql):\n    log(name)\n    o.execute_sql(sql)\n\n\nf<n>('a', sql=<p>)",
    "def g<n>():\n    return <p>\n\n\no.execute_sql(g<n>())",
    "f<n> = lambda s: o.execute_sql(s)\nf<n>(<p>)",
    "for sql<n> in (<p>, 'SELECT 1'):\n    o.execute_sql(sql<n>)",
    "for i, sql<n> in enumerate([<p>]):\n    o.execute_sql(sql<n>)",
    "for sql<n> in <p>.split(';'):\n    o.execute_sql(sql<n>)",
    "sqls<n> = {'a': <p>}\nfor name, sql in sqls<n>.items():\n    o.execute_sql(sql)",
    "sqls<n> = []\nsqls<n>.append(<p>)\nfor sql in sqls<n>:\n    o.execute_sql(sql)",
    "sqls<n> = ['SELECT 1']\nsqls<n> += [<p>]\nfor sql in sqls<n>:\n    o.execute_sql(sql)",
    "sql<n> = <p>\no.execute_sql(sql<n>)",
    "sql<n> = <p>\nif full:\n    sql<n> = 'SELECT 1'\no.execute_sql(sql<n>)",
    "sql<n>: str = <p>\no.execute_sql(sql<n>.strip())",
    "if (sql<n> := <p>):\n    o.execute_sql(sql<n>)",
    "sql<n> = 'SELECT 1;'\nsql<n> += <p>\no.execute_sql(sql<n>)",
    "sql<n> = os.environ.get('S') or <p>\no.execute_sql(sql<n>)",
    "sql<n> = <p> if full else 'SELECT 1'\no.execute_sql(sql<n>)",
    "a<n>, b<n> = <p>, 1\no.execute_sql(a<n>)",
    "sql<n> = ';'.join(['SELECT 1', <p>])\no.execute_sql(sql<n>)",
    "o.execute_sql(';'.join([<p>]))",
    "sql<n> = Template(<p>).substitute()\no.execute_sql(sql<n>)",
    "sql<n> = textwrap.dedent(<p>)\no.execute_sql(sql<n>)",
    "o.execute_sql(str(<p>))",
    "o.execute_sql(clean(<p>))",
    "exec('o.execute_sql(' + repr(<p>) + ')')",
    "import json\nq<n> = json.loads('[' + json.dumps(<p>) + ']')\no.execute_sql(q<n>[0])",
)
_SPARK = (
    "spark.sql(<p>)",
    "df = spark.sql(<p>).toDF('a')",
    "sqlContext.sql(<p>)",
    "self.spark.sql(<p>)",
    "sc<n> = spark\nsc<n>.sql(<p>)",
    "SparkSession.builder.getOrCreate().sql(<p>)",
    "get_spark().sql(<p>)",
    "sql(<p>)",
)
_MYSQL = (
    "cursor.execute(<p>)",
    "cursor.execute(<p>, ())",
    "with conn.cursor() as c:\n    c.execute(<p>)\nconn.commit()",
    "conn.cursor().execute(<p>)",
    "engine.execute(<p>)",
    "engine.execute(text(<p>))",
    "with engine.begin() as c:\n    c.execute(text(<p>))",
    "pd.read_sql(<p>, conn)",
    "conn.query(<p>)",
    "MySQLHook(mysql_conn_id='x').run(<p>)",
    "self.cursor.execute(<p>)",
    "get_cursor().execute(<p>)",
    "cursor.executemany(<p>, [])",
    "db<n>.session.execute(<p>)",
)
_POSTGRES = ("pg.cursor().execute(<p>)", "cur<n> = pg.cursor()\ncur<n>.execute(<p>)", "c<n>.command(<p>)")
_CALLS = (
    "o.delete_table(<t>)",
    "o.delete_table(<t>, if_exists=True)",
    "o.get_table(<t>).drop()",
    "o.get_table(<t>).truncate()",
    "t<n> = o.get_table(<t>)\nt<n>.truncate()",
    "t<n> = o.get_table(<t>)\nt<n>.drop()",
    "o.get_table(<t>).delete_partition('ds=20240101')",
    "t<n> = o.get_table(<t>)\nt<n>.delete_partition('ds=20240101', if_exists=True)",
    "for name in [<t>]:\n    o.delete_table(name)",
    "def d<n>(name):\n    o.delete_table(name)\n\n\nd<n>(<t>)",
)
_PROGRAMS = (
    "os.system(<w>)",
    "os.popen(<w>).read()",
    "subprocess.run(<w>, shell=True, check=True)",
    "subprocess.call(<w>, shell=True)",
    "subprocess.check_output(['bash', '-c', <w>])",
    "subprocess.Popen(<w>, shell=True).wait()",
    "cmd<n> = <w>\nos.system(cmd<n>)",
    "subprocess.run(shlex.split(<w>))",
    "subprocess.getoutput(<w>)",
    "subprocess.run(<l>)",
    "subprocess.run(args=<l>, check=True)",
    "subprocess.run(['bash'], input=<w>.encode())",
    "os.execvp('hive', <l>)",
    "run_shell(<w>)",
    "sh<n>.exec_command(<w>)",
)
_CONTROL = (
    "if full:\n    <x>",
    "if full:\n    pass\nelif other:\n    <x>\nelse:\n    pass",
    "for i in range(3):\n    <x>",
    "while n < 3:\n    <x>\n    n += 1",
    "try:\n    <x>\nexcept Exception:\n    raise",
    "try:\n    pass\nfinally:\n    <x>",
    "with lock:\n    <x>",
    "def h<n>():\n    <x>\n\n\nh<n>()",
    "async def h<n>():\n    <x>",
    "class C<n>:\n    def run(self):\n        <x>",
    "if __name__ == '__main__':\n    <x>",
    "match kind:\n    case 1:\n        <x>",
    "@task\ndef h<n>():\n    '''It's a task.'''\n    <x>",
)
_FILLERS = (
    "# it's a comment\n",
    "x = 'it\\'s'\n",
    '"""It\'s a text."""\n',
    'print(f"{bizdate!r:>10} it\'s")\n',
    "df = o.get_table('t').to_df()\n",
    "log.info('done: %s', bizdate)\n",
    "o.execute_sql(f\"INSERT OVERWRITE TABLE a PARTITION (ds='{bizdate}') SELECT a FROM b WHERE ds='{bizdate}'\")\n",  # noqa: E501 - one template
    "import re; y = re.sub(r'\\d', '', 'a1')\n",
    "z = {**{}, 'a': [1, 2]}\n",
)


def compose_python(rng: random.Random) -> Composition:
    """Return a Python module that deletes data."""
    parts = [Part(_HEAD)]
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.4:
            parts.append(Part(rng.choice(_FILLERS)))
        text, table = _carried(rng)
        for _ in range(rng.choice((0, 0, 1, 2))):
            text = _indented(rng.choice(_CONTROL).replace("<n>", str(rng.randrange(1000))), text)
        parts.append(Part(f"{text}\n", table))
    return join_parts(parts)


def _indented(template: str, text: str) -> str:
    """Fill the hole with `text` on lines of its own; text within literals of several lines is not indented."""  # noqa: E501 - one template
    head, _, tail = template.partition("<x>")
    indent = head.rpartition("\n")[2]
    if '"""' in text or "'''" in text:
        return f"{head}pass{tail}\n{text}"
    return head + text.replace("\n", f"\n{indent}") + tail


def _carried(rng: random.Random) -> tuple[str, str]:
    kind = rng.randrange(10)
    number = str(rng.randrange(1000))
    if kind == 0:
        table = new_table(rng)
        return _filled(rng.choice(_CALLS), number, "<t>", repr(table)), table
    if kind == 1:
        text, table = command(rng)
        template = rng.choice(_PROGRAMS)
        if "$'" in text:
            template = template.replace("<l>", "<w>")
        words = shlex.split(text)
        return _filled(template.replace("<l>", repr(words)), number, "<w>", repr(text)), table
    templates, dialect = rng.choice(
        ((_MAXCOMPUTE, Dialect.MAXCOMPUTE), (_MAXCOMPUTE, Dialect.MAXCOMPUTE), (_SPARK, Dialect.SPARK),
         (_MYSQL, Dialect.MYSQL), (_POSTGRES, Dialect.POSTGRES))
    )  # fmt: skip
    sql, table = destructive_statement(rng, dialect)
    return _filled(rng.choice(templates), number, "<p>", _expression(sql, rng)), table


def _filled(template: str, number: str, hole: str, text: str) -> str:
    return template.replace("<n>", number).replace(hole, text)


def _expression(sql: str, rng: random.Random) -> str:
    """Return an expression of Python whose value is `sql`."""
    makers: tuple[Callable[[str], str], ...] = (
        repr,
        repr,
        lambda text: f'"""{text}"""' if not text.endswith('"') else repr(text),
        lambda text: f'f"""{text} """',
        lambda text: f"f{text!r}",
        lambda text: f"({_halves(text, ' ', rng)})",
        lambda text: f"({_halves(text, ' + ', rng)})",
        lambda text: f"{text!r} % ()",
        lambda text: f"{text!r}.format()",
        lambda text: f"'%s; SELECT 1' % {text!r}",
        lambda text: f"'SELECT 1; ' + {text!r}",
        lambda text: f'f"""SELECT {{bizdate}}; {text} """',
        lambda text: f"{text!r}.strip()",
        lambda text: f"str({text!r})",
        lambda text: f"'' + {text!r} + f' -- {{bizdate}}'",
        lambda text: f"'\\n'.join([{text!r}])",
        lambda text: f"({text!r},)[0]",
    )
    return rng.choice(makers)(sql)


def _halves(text: str, joint: str, rng: random.Random) -> str:
    at = rng.choice([at for at, letter in enumerate(text) if letter.isspace()])
    return f"{text[:at]!r}{joint}{text[at:]!r}"
