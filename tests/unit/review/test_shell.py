"""Shell nodes: the SQL in them at its own places, what goes wrong quietly, what outside tools say."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from common.verdicts import Finding, Severity
from review.context import NodeContext, ReviewContext
from review.dialects import Dialect
from review.engine import review
from review.languages import parse_embedded, run_external_linter
from review.languages.external.shellcheck import SHELLCHECK
from review.languages.external.squawk import SQUAWK
from review.languages.shell import shell_node
from review.script_reader import read_script
from tests.support.review_assertions import lines, sheets


def statements(code: str) -> list[str]:
    texts = sheets(code, Dialect.SHELL).values()
    return [" ".join(one.split()) for text in texts for one in text.split("\n;") if one.strip()]


def hits(code: str, given: ReviewContext = ReviewContext()) -> list[Finding]:  # noqa: B008 - frozen
    return [item for item in review(code, Dialect.SHELL, given) if not item.rule.startswith("SH-SC")]


def own(code: str, given: ReviewContext = ReviewContext()) -> list[tuple[str, int, Severity]]:  # noqa: B008 - frozen
    return [
        (item.rule, item.line or 0, item.severity)
        for item in hits(code, given)
        if item.rule.startswith("SH-")
    ]


def test_a_finding_of_sql_stands_where_the_sql_does() -> None:
    code = "#!/bin/bash\n# 订单\nodpscmd -e \"\n  select *\n  from ods_a where ds = '${bizdate}'\"\n"
    [star] = [item for item in hits(code) if item.rule == "MC-P04"]
    assert (star.line, star.column) == (4, 10)


@pytest.mark.parametrize(
    ("code", "dialect", "sql"),
    [
        ('odpscmd -e "select 1"', Dialect.MAXCOMPUTE, "select 1"),
        ("/opt/odps/bin/odpscmd --project=p -e 'select 1;'", Dialect.MAXCOMPUTE, "select 1;"),
        ("$ODPSCMD -e 'select 1'", Dialect.MAXCOMPUTE, "select 1"),
        ("sudo nohup odpscmd -e 'select 1' > /dev/null 2>&1 &", Dialect.MAXCOMPUTE, "select 1"),
        ("n=$(mysql -h h -uroot -Ne 'select 1')", Dialect.MYSQL, "select 1"),
        ("mysql -e'select 1'", Dialect.MYSQL, "select 1"),
        ('mysql --execute="select 1"', Dialect.MYSQL, "select 1"),
        ("psql -h h -tAc 'select 1'", Dialect.HOLOGRES, "select 1"),
        ("PGPASSWORD=$1 psql --command 'select 1'", Dialect.HOLOGRES, "select 1"),
        ("clickhouse-client --query='select 1'", Dialect.CLICKHOUSE, "select 1"),
        ("spark-sql -e 'select 1'", Dialect.SPARK, "select 1"),
        ("hive -S -e 'select 1' | head", Dialect.HIVE, "select 1"),
        ("beeline -u jdbc:hive2://h -e 'select 1'", Dialect.HIVE, "select 1"),
        ("trino --execute 'select 1'", Dialect.TRINO, "select 1"),
        ("hive <<EOF\nselect 1\nEOF", Dialect.HIVE, "select 1"),
        ("mysql <<-'EOF'\n\tselect 1\n\tEOF\necho done", Dialect.MYSQL, "select 1"),
        ("psql <<< 'select 1'", Dialect.HOLOGRES, "select 1"),
        ("cat <<EOF | hive\nselect 1\nEOF", Dialect.HIVE, "select 1"),
        ("echo 'select 1' | mysql", Dialect.MYSQL, "select 1"),
        ('sql="select 1"\nodpscmd -e "$sql"', Dialect.MAXCOMPUTE, "select 1"),
        ("export SQL='select 1'\nodpscmd -e \"${SQL}\"", Dialect.MAXCOMPUTE, "select 1"),
        ("if ! odpscmd -e 'select 1'; then exit 1; fi", Dialect.MAXCOMPUTE, "select 1"),
        ("for d in 1 2; do odpscmd -e 'select 1'; done", Dialect.MAXCOMPUTE, "select 1"),
        ("run() {\n  odpscmd -e 'select 1'\n}", Dialect.MAXCOMPUTE, "select 1"),
        ("odpscmd \\\n  -e 'select 1'", Dialect.MAXCOMPUTE, "select 1"),
    ],
)
def test_sql_is_found_in_every_form(code: str, dialect: Dialect, sql: str) -> None:
    assert [*sheets(code, Dialect.SHELL)] == [dialect]
    assert statements(code) == [sql]


@pytest.mark.parametrize(
    "code",
    [
        "# odpscmd -e 'select 1'",
        "echo \"odpscmd -e 'select 1'\"",
        "cat <<'EOF'\nodpscmd -e 'select 1'\nEOF",
        "odpscmd -f job.sql",
        "mysql -h h",
        "grep -e 'select 1' x",
    ],
)
def test_what_only_looks_like_sql_is_none(code: str) -> None:
    assert sheets(code, Dialect.SHELL) == {}


@pytest.mark.parametrize(
    ("written", "sql"),
    [
        ("\"select a from t where b = '${bizdate}'\"", "select a from t where b = '${bizdate}'"),
        ("\"select a from t where b = '$1'\"", "select a from t where b = '$p'"),
        ("\"select a from t where b = '$(date +%F)'\"", "select a from t where b = '$[pppppppp]'"),
        ("\"select a from t where b = '`date`'\"", "select a from t where b = '$[ppp]'"),
        ('"select \\"a\\" from \\`t\\`"', 'select "a" from `t`'),
        ("'select a from t where b = '\"$x\"", "select a from t where b = $x"),
        ("$'select 1\\nfrom t'", "select 1 from t"),
    ],
)
def test_a_word_is_read_at_its_own_length(written: str, sql: str) -> None:
    assert statements(f"odpscmd -e {written}") == [sql]


@pytest.mark.parametrize(
    "code",
    [
        'odpscmd -e "$(cat job.sql)"',
        'odpscmd -e "$sql"',
        "sql='select 1'\nsql='select 2'\nodpscmd -e \"$sql\"",
        'odpscmd -e "select a from t $where"',
        'odpscmd -e "select \'a from t"',
    ],
)
def test_sql_made_at_run_time_is_said(code: str) -> None:
    assert [rule for rule, _, _ in own(code)] == ["SH-004"]


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("python a.py\npython b.py", [1]),
        ("set -e\npython a.py\npython b.py", []),
        ("#!/bin/bash -e\npython a.py\npython b.py", []),
        ("set -euo pipefail\npython a.py\npython b.py", []),
        ("set -o errexit\npython a.py\npython b.py", []),
        ("trap 'exit 1' ERR\npython a.py\npython b.py", []),
        ("python a.py", []),
        ("python a.py || exit 1\npython b.py", []),
        ("python a.py && python b.py", []),
        ("python a.py\nif [ $? -ne 0 ]; then exit 1; fi\npython b.py", []),
        ("if python a.py; then echo yes; fi\npython b.py", []),
        ("echo start\ndate\npython b.py", []),
        ("python a.py | tee log\npython b.py", [1]),
        ("# python a.py\npython b.py", []),
        ("note() {\n  echo $1\n}\nnote a\npython b.py", []),
    ],
)
def test_failures_passed_over(code: str, lines: list[int]) -> None:
    assert [line for rule, line, _ in own(code) if rule == "SH-002"] == lines


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("rm -rf $dir/*", Severity.BLOCK),
        ('rm -rf "$dir"/', Severity.BLOCK),
        ("rm -rf ${dir}/logs", Severity.WARN),
        ("rm -fr /tmp/$1", Severity.WARN),
        ("hadoop fs -rm -r -skipTrash /$d", Severity.BLOCK),
        ("rm -rf $dir", None),
        ("rm -rf ${dir:?}/*", None),
        ("rm -rf ${dir:-/tmp/x}/*", None),
        ("dir=/tmp/x\nrm -rf $dir/*", None),
        ("set -u\nrm -rf $dir/*", None),
        ('[ -z "$dir" ] && exit 1\nrm -rf $dir/*', None),
        ("for dir in a b; do rm -rf $dir/*; done", None),
        ("rm -rf /data/export/$d", None),
        ("[ $# -ne 2 ] && exit 1\nrm -rf $1/$2", None),
        ('if [ "$#" -lt 1 ]; then exit 1; fi\nrm -rf $1/*', None),
        ("if (( $# < 1 )); then exit 1; fi\nrm -rf $1/*", None),
        ("echo $#\nrm -rf $1/*", Severity.BLOCK),
        ("rm $dir/*", None),
        ("echo rm -rf $dir/*", None),
    ],
)
def test_deletions_too_wide(code: str, severity: Severity | None) -> None:
    found = [weight for rule, _, weight in own(code) if rule == "SH-003"]
    assert found == ([severity] if severity else [])


def test_a_parameter_that_the_node_defines_is_set() -> None:
    given = ReviewContext(NodeContext(parameters=frozenset({"bizdate"})))
    assert [rule for rule, _, _ in own("rm -rf /data/${bizdate}")] == ["SH-003"]
    assert own("rm -rf /data/${bizdate}", given) == []


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("odpscmd -u id -p tiger99 -e 'select 1'", True),
        ("ossutil cp a oss://b -i id -k tiger99", True),
        ("mysql -h h -ptiger99 -e 'select 1'", True),
        ("PGPASSWORD=tiger99 psql -h h", True),
        ("curl -u etl:tiger99 http://h", True),
        ("sshpass -p tiger99 ssh h", True),
        ("odpscmd -u id -p $key -e 'select 1'", False),
        ("odpscmd -u id -p '${key}' -e 'select 1'", False),
        ("mysql -p -e 'select 1'", False),
        ("mysql -P 3306 -e 'select 1'", False),
        ("odpscmd -u id -p xxxx -e 'select 1'", False),
        ("mkdir -p a/b/c", False),
        ("curl -u $user:$password http://h", False),
        ("# odpscmd -p tiger99", False),
    ],
)
def test_passwords_are_told_once(code: str, seen: bool) -> None:
    found = [item for item in hits(code) if item.rule in ("SH-001", "MC-S01")]
    assert len(found) == seen
    assert not any("tiger99" in item.message for item in found)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "$(" * 3000,
        "`" * 9999,
        '"$(' * 3000,
        "x \x0b y \u3000z \x85",
        "DELETE -- x /* LIMIT 1 ` @v := EXISTS ； NOT IN (SELECT WHERE /* TRANSFORM",
        "cat <<A\n" * 500,
        "cat <<",
        "${" * 5000,
        "<" * 5000,
        "|" * 5000,
        "\\\n" * 5000,
        "a\\",
        "'",
        '"',
        "$'",
        "((",
        "x=$((1",
        "odpscmd -e",
        "mysql -e ''",
        "psql <<< ",
        "\ud800",
        "\0",
        "echo\r\nodpscmd -e 'select 1'\r\n",
    ],
)
def test_no_code_makes_it_raise(code: str) -> None:
    found = parse_embedded(code, Dialect.SHELL, time.monotonic() + 10)
    assert all(len(part.text) == len(code) for part in found.embedded)


@pytest.mark.parametrize(
    ("code", "until", "why"),
    [
        ("$(" * 3000, 10.0, "it is nested too deeply"),
        ("a\n" * 10, -1.0, "the review timed out"),
        ("a=1\n" * (1 << 18), 10.0, "it is too long"),
    ],
)
def test_what_could_not_be_read_is_said(code: str, until: float, why: str) -> None:
    assert [item.unread for item in shell_node.read_shell(code, time.monotonic() + until).unread] == [why]


def test_shellcheck_speaks_at_its_place_and_knows_scheduling_parameters() -> None:
    code = "# 中文\necho '中文' $undefined\necho \"$[yyyymmdd-1] ${bizdate}\"\n"
    [hit] = run_external_linter(code, Dialect.SHELL, 5)
    assert (hit.rule, hit.severity) == ("SH-SC2086", Severity.INFO)
    assert code[hit.at.begin : hit.at.end] == "$undefined"


def test_squawk_speaks_of_definitions_only_and_at_their_place() -> None:
    code = "/* 中文 */ ALTER TABLE 表 DROP COLUMN 列;"
    found = [*run_external_linter(code, Dialect.HOLOGRES, 5)]
    assert {hit.rule for hit in found} == {"PG-ban-drop-column", "PG-prefer-robust-stmts"}
    assert {code[hit.at.begin : hit.at.end] for hit in found} == {"DROP COLUMN 列"}
    assert [*run_external_linter("SELECT 1", Dialect.HOLOGRES, 5)] == []


def test_other_languages_have_no_outside_tool() -> None:
    assert [*run_external_linter("DROP TABLE t", Dialect.MAXCOMPUTE, 5)] == []


@pytest.mark.parametrize(
    ("module", "tool", "dialect"),
    [("shellcheck", SHELLCHECK, Dialect.SHELL), ("squawk", SQUAWK, Dialect.HOLOGRES)],
)
def test_a_missing_tool_is_said(
    monkeypatch: pytest.MonkeyPatch, module: str, tool: object, dialect: Dialect
) -> None:
    known = SHELLCHECK if tool is SHELLCHECK else SQUAWK
    name = f"review.languages.external.{module}.{module.upper()}"
    monkeypatch.setattr(name, replace(known, name="no-such-program"))
    [hit] = run_external_linter("DROP TABLE t", dialect, 5)
    assert hit.rule == known.missing
    assert "not installed" in hit.message.en


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        ('sql=$(cat <<EOF\nselect 1\nEOF\n)\nodpscmd -e "$sql"', ["select 1"]),
        ("sql=\"$(cat <<-'E-1'\n\tselect '$x'\n\tE-1\n)\"\nhive -e \"${sql}\"", ["select '$x'"]),
        ('export sql=`cat <<EOF\nselect 1\nEOF\n`\nhive -e "$sql"', ["select 1"]),
        ("read -r -d '' sql <<EOF || true\nselect 1\nEOF\nhive -e \"$sql\"", ["select 1"]),
        ('IFS= read -rd \'\' sql <<< "select 1"\nhive -e "$sql"', ["select 1"]),
        ('sql=$(echo "select 1")\nhive -e "use x; $sql"', ["select 1", "use x;"]),
        ('hive -e "$(cat <<EOF\nselect 1\nEOF\n)"', ["select 1"]),
        ('read sql <<EOF\nselect 1\nEOF\nhive -e "$sql"', []),
        ("read -r -d '' a b <<EOF\nselect 1\nEOF\nhive -e \"$a\"", []),
        ('sql=$(cat x.sql)\nhive -e "$sql"', []),
        ('sql=$(cat <<EOF | sed s/1/2/\nselect 1\nEOF\n)\nhive -e "$sql"', []),
        ("hive -e \"$(echo 'select a from b') where (1)\"", []),
        ('sql=$(cat <<EOF\nselect 1\nEOF\n)\nsql=$(cat <<EOF\nselect 2\nEOF\n)\nhive -e "$sql"', []),
        ('sql=$()\nhive -e "$sql"', []),
    ],
)
def test_a_kept_here_document_is_followed(code: str, sql: list[str]) -> None:
    assert sorted(statements(code)) == sorted(sql)
    assert ("SH-004" in {rule for rule, _, _ in own(code)}) == (not sql)


def test_a_kept_here_document_is_judged_at_its_own_lines() -> None:
    code = "set -e\nsql=$(cat <<EOF\nselect *\nfrom a where ds = '$d'\nEOF\n)\nodpscmd -e \"$sql\"\n"
    [star] = [item for item in hits(code) if item.rule == "MC-P04"]
    assert (star.line, star.column) == (3, 8)


def names(code: str) -> list[str]:
    """Return the names of the tables that a script drops, creates and renames, in the order of statements."""
    script = read_script(code, Dialect.SHELL, ReviewContext(), None, time.monotonic() + 10)
    return [
        name
        for item in script.statements
        for name in (
            *(gone.name for gone in item.removals),
            *(made.name for made in item.creations),
            *(new for change in item.alterations for new in change.names),
        )
    ]


@pytest.mark.parametrize(
    ("code", "tables"),
    [
        ('mysql -e "drop table \\`mall\\`.\\`stock\\`"', ["mall.stock"]),
        ('sql="drop table \\`stock\\`"\nmysql -e "$sql"', ["stock"]),
        ('psql -c "drop table \\"Mall\\".\\"Stock\\""', ["Mall.Stock"]),
        ('hive -e "drop table $T; drop table ${T}; drop table "$T""', ["${T}"] * 3),
        ('hive -e "drop table stock_$1; drop table stock_${1}"', ["stock_$1"] * 2),
        ('hive -e "drop table "$db".stock"', ["${db}.stock"]),
        ("hive -e 'drop table `'$db'`.stock'", ["${db}.stock"]),
        ("hive -e 'drop table '\"$db\"'_copy.stock'", ["${db}_copy.stock"]),
        ("hive -e 'drop table mall.'stock", ["mall.stock"]),
        ('hive -e "drop table s_$(date  +%d); drop table s_`date +%d`"', ["s_$(date +%d)"] * 2),
        ('hive -e "drop table ${t:-stock}"', ["${t:-stock}"]),
        ('hive -e "drop table ${t:-a_${day}}"', ["${t:-a_${day}}"]),
        ("hive -e $'drop table\\tstock'", ["stock"]),
        ('hive -e $"drop table stock"', ["stock"]),
        ("hive -e drop\\ table\\ stock", ["stock"]),
        ('hive -e "drop \\\ntable stock"', ["stock"]),
        ('hive <<< "drop table stock"', ["stock"]),
        ("hive <<'EOF'\ndrop table $t\nEOF", ["$t"]),
        ('hive -e "drop table v\\$stock"', ["v$stock"]),
    ],
)
def test_names_follow_the_quoting_rules_of_the_shell(code: str, tables: list[str]) -> None:
    assert names(code) == tables


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ('t=tmp_stock\nhive -e "drop table $t"', "tmp_stock"),
        ("readonly t='tmp_stock'\nhive -e \"drop table ${t}\"", "tmp_stock"),
        ("t=tmp_stock\nhive <<EOF\ndrop table mall.$t\nEOF", "mall.tmp_stock"),
        ("t=tmp_stock\nssh h \"hive -e 'drop table $t'\"", "tmp_stock"),
        ('db=mall\nt="$db.stock"\nhive -e "drop table $t"', "mall.stock"),
        ('t="tmp_stock_${bizdate}"\nhive -e "drop table $t"', "tmp_stock_${bizdate}"),
        ('t=tmp_a\nt=tmp_b\nhive -e "drop table $t"', "${t}"),
        ('t=tmp_a\nt+=_b\nhive -e "drop table $t"', "${t}"),
        ('for t in tmp_a tmp_b; do hive -e "drop table $t"; done', "${t}"),
        ('t=tmp_a\nread t\nhive -e "drop table $t"', "${t}"),
        ('if [ $1 ]; then t=tmp_a; fi\nhive -e "drop table $t"', "${t}"),
        ('[ $1 ] && t=tmp_a\nhive -e "drop table $t"', "${t}"),
        ('(t=tmp_a)\nhive -e "drop table $t"', "${t}"),
        ('t=tmp_a\n. ./settings.sh\nhive -e "drop table $t"', "${t}"),
        ('t=tmp_a\nprintf -v t x\nhive -e "drop table $t"', "${t}"),
        ('hive -e "drop table $t"\nt=tmp_a', "${t}"),
        ('t=$1\nhive -e "drop table $t"', "${t}"),
        ('t=x_$RANDOM\nhive -e "drop table $t"', "${t}"),
        ("t=tmp_a\nhive -e 'drop table $t'", "$t"),
        ("t=tmp_a\nssh h 'hive -e \"drop table $t\"'", "${t}"),
    ],
)
def test_a_name_is_the_value_of_a_variable_that_has_only_one(code: str, table: str) -> None:
    assert names(code) == [table]


def test_statements_of_variables_count_in_the_order_in_which_they_run() -> None:
    code = (
        'swap="rename table stock to stock_old, stock_new to stock"\n'
        'mysql -e "drop table stock_old"\nmysql <<EOF\n$swap\nEOF\n'
    )
    assert names(code) == ["stock_old", "stock_old", "stock"]
    assert "MC-S02" not in {item.rule for item in hits(code)}


@pytest.mark.parametrize(
    "command",
    [
        "timeout 60 {}",
        "timeout -s KILL -k 5 60 {}",
        "nohup nice -n 5 {} &",
        "/usr/bin/env -u X LANG=C {}",
        "exec {}",
        "time -p {}",
        "setsid stdbuf -oL {}",
        "sudo -u etl {}",
        "sudo -iu etl {}",
        "flock -w 5 /tmp/lock {}",
        "docker exec -it -e A=1 db {}",
        "docker run --rm -v /a:/b --network host image {}",
        "docker compose -f a.yml exec -T db {}",
        "kubectl -n etl exec -i pod -c main -- {}",
        "kubectl exec pod {}",
        "find . -name x -exec {} \\;",
        'bash -lc "{}"',
        'su - etl -c "{}"',
        'sudo su etl -s /bin/sh -c "{}"',
        "runuser -u etl -- {}",
        'flock /tmp/lock -c "{}"',
        'ssh -p 22 -i key etl@h "cd /data; {}"',
        'ssh h "sudo -u etl {}"',
        'ssh a "ssh b \\"{}\\""',
        "ssh h <<EOF\n{}\nEOF",
        "ssh h bash -s <<'EOF'\n{}\nEOF",
        'eval "{}"',
        'run="{}"\nssh h "$run"',
        'echo "{}" | bash',
        'trap "{}" EXIT',
        "coproc {}",
        "time ! {}",
    ],
)
def test_clients_are_found_behind_other_commands(command: str) -> None:
    assert names(command.format("hive -e 'drop table stock'")) == ["stock"]


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ('ssh h "hive -e \\"drop table stock\\""', "stock"),
        ("ssh h hive -e \"'drop table stock'\"", "stock"),
        ("ssh h 'hive -e \"drop table stock\"'", "stock"),
        ('ssh h "sql=\\"drop table stock\\"; hive -e \\"\\$sql\\""', "stock"),
        ('ssh h "bash -c \\"hive -e \\\\\\"drop table stock\\\\\\"\\""', "stock"),
        ("ssh h 'hive -e '\"'drop table stock'\"", "stock"),
        ("ssh h 'hive -e '\\''drop table stock'\\'", "stock"),
        ("docker exec -i db mysql <<EOF\ndrop table stock\nEOF", "stock"),
        ("ssh h 'mysql mall' <<EOF\ndrop table stock\nEOF", "stock"),
        ("echo 'drop table stock' | ssh h mysql", "stock"),
        ("HIVE='hive -S -e'\n$HIVE 'drop table stock'", "stock"),
        ("spark3-sql -e 'drop table stock'", "stock"),
        ("clickhouse client -q 'drop table stock'", "stock"),
        ("sqoop eval --connect jdbc:mysql://h/d --query 'drop table stock'", "stock"),
        ("echo \"hive -e \\$'drop table stock'\" | ssh h", "stock"),
    ],
)
def test_sql_is_found_in_every_form_behind_other_commands(code: str, table: str) -> None:
    assert names(code) == [table]


def double_quoted(text: str) -> str:
    return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'


@pytest.mark.parametrize("sql", ["drop table dw.stock", "drop table `dw`.`stock`", "drop table `dw`. stock"])
@pytest.mark.parametrize("client", ["hive -e", "$HIVE_HOME/bin/hive -e", "sudo -u etl hive -S -e"])
@pytest.mark.parametrize(
    "quotes",
    [
        quotes
        for depth in (2, 3, 4)
        for quotes in product((shlex.quote, double_quoted), repeat=depth)
        if depth < 4 or quotes[0] is not quotes[1]
    ],
    ids=lambda quotes: "-".join(quote.__name__ for quote in quotes),
)
def test_sql_is_found_whatever_quotes_are_around_it(
    sql: str, client: str, quotes: tuple[Callable[[str], str], ...]
) -> None:
    first, *outer = quotes
    code = f"{client} {first(sql)}"
    for quote in outer:
        code = f"bash -c {quote(code)}"
    assert names(code) == ["dw.stock"]


@pytest.mark.parametrize(
    "code",
    [
        "run_cmd mysql -e'Update `t` Set /* it'\"'\"'s; */ A = 1'",
        'run_cmd mysql -e"truncate \\`stock\\`"',
        'ssh h mysql dw < <(echo "truncate \\`stock\\`")',
        "ssh h mysql dw < stock.sql",
    ],
)
def test_sql_that_cannot_be_read_is_reported(code: str) -> None:
    queries = shell_node.read_shell(code, time.monotonic() + 60).facts.queries
    assert {query.unread for query in queries} == {True}


@pytest.mark.parametrize(
    ("code", "unread"),
    [
        ("sqoop eval --connect $url --query 'delete from stock'", True),
        ("sqlcmd -S h -Q 'delete from stock'", True),
        ("bq query 'delete from stock'", True),
        ("ls | xargs -n 1 hive -e", True),
        ("sql='delete from stock'\nrun_job.sh \"$sql\"", True),
        ("ansible all -a \"hive -e 'delete from stock'\"", True),
        ("gsh <<EOF\ndelete from stock\nEOF", True),
        ("echo 'delete from stock'", False),
        ("write_log 'delete from stock'", False),
        ("grep 'delete from stock' job.sql", False),
        ("run() { python job.py \"$1\"; }\nrun 'delete from stock'", False),
    ],
)
def test_sql_that_is_given_to_other_programs_is_said(code: str, unread: bool) -> None:
    assert ("SH-004" in {rule for rule, _, _ in own(code)}) == unread


@pytest.mark.parametrize(
    ("code", "is_unread"),
    [
        ("hive -f job.sql", True),
        ("hive -i setup.sql -e 'SELECT 1'", True),
        ("psql -d d -qf job.sql", True),
        ("psql --file=job.sql", True),
        ("spark-sql -f job.sql", True),
        ("odpscmd -f job.sql", True),
        ("clickhouse-client --queries-file job.sql", True),
        ("sqlplus u/p@d @job.sql", True),
        ("mysql d < job.sql", True),
        ("cat job.sql | hive", True),
        ("mysql d -e 'source job.sql'", True),
        (r"psql d -c '\i job.sql'", True),
        ("mysql d -f < /dev/null", False),
        ("hive -f /dev/stdin <<E\nSELECT 1\nE", False),
        ("clickhouse-client --query 'INSERT INTO a FORMAT CSV' < a.csv", False),
        ("cat a.csv | clickhouse-client --query 'INSERT INTO a FORMAT CSV'", False),
        ("echo 'SELECT 1' | hive", False),
        ("mysql -e 'SHOW DATABASES'", False),
    ],
)
def test_sql_in_a_file_is_reported_as_not_reviewed(code: str, is_unread: bool) -> None:
    assert bool(lines("SH-004", code, dialect=Dialect.SHELL)) is is_unread


def test_a_client_command_that_runs_a_file_is_reported_as_not_reviewed() -> None:
    assert lines("MC-C19", "USE d;\nSOURCE job.sql;\nSELECT 1", dialect=Dialect.MYSQL) == [2]
