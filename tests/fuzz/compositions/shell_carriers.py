"""Everything in a shell script that can carry SQL: clients, wrappers, here-documents, control flow."""

from __future__ import annotations

import random
import re
import shlex

from review.dialects import Dialect
from tests.fuzz.compositions.composition import Composition, Part, join_parts
from tests.fuzz.compositions.sql_statements import destructive_statement

_CLIENTS = (
    ("hive -e <w>", Dialect.HIVE),
    ("/opt/hive/bin/hive -S --hiveconf a=1 -e <w>", Dialect.HIVE),
    ("$HIVE_HOME/bin/hive -e <w>", Dialect.HIVE),
    ("hive --database dw -e <w>", Dialect.HIVE),
    ("beeline -u 'jdbc:hive2://h:10000/dw' -n u -e <w>", Dialect.HIVE),
    ('beeline -u "jdbc:hive2://h:10000/dw;auth=noSasl" --silent=true -e <w>', Dialect.HIVE),
    ("impala-shell -i h -q <w>", Dialect.HIVE),
    ("impala-shell --query=<w>", Dialect.HIVE),
    ("spark-sql --master yarn -e <w>", Dialect.SPARK),
    ("spark3-sql -S -e <w>", Dialect.SPARK),
    ("mysql -h h -u u -N -e <w> dw", Dialect.MYSQL),
    ("mysql -hh -uu -Ne <w>", Dialect.MYSQL),
    ("mysql dw -e<w>", Dialect.MYSQL),
    ("mysql --execute=<w>", Dialect.MYSQL),
    ("mysql --defaults-file=/x --execute <w>", Dialect.MYSQL),
    ("psql -h h -d dw -c <w>", Dialect.HOLOGRES),
    ("PGPASSWORD=$PW psql -Atc <w>", Dialect.HOLOGRES),
    ("psql --command=<w>", Dialect.HOLOGRES),
    ("odpscmd -e <w>", Dialect.MAXCOMPUTE),
    ("$ODPSCMD --config=/x.ini -e <w>", Dialect.MAXCOMPUTE),
    ("clickhouse-client --multiquery --query=<w>", Dialect.CLICKHOUSE),
    ("clickhouse-client -q <w>", Dialect.CLICKHOUSE),
    ("clickhouse client --query <w>", Dialect.CLICKHOUSE),
    ("presto --server h:8080 --execute <w>", Dialect.PRESTO),
    ("trino --execute <w>", Dialect.TRINO),
    ("sqoop eval --connect jdbc:mysql://h/dw --username u --query <w>", Dialect.MYSQL),
    ("sqoop eval --connect jdbc:oracle:thin:@h:1521/dw -e <w>", Dialect.ORACLE),
    ("sqlcmd -S h -Q <w>", Dialect.TSQL),
    ("snowsql -q <w>", Dialect.POSTGRES),
    ("db2 <w>", Dialect.POSTGRES),
    ("my_retry.sh 3 hive -e <w>", Dialect.HIVE),
    ("python3 run_sql.py --sql <w>", Dialect.HIVE),
    ("run_sql <w>", Dialect.HIVE),
)
_READERS = (
    ("hive", Dialect.HIVE),
    ("beeline -u jdbc:hive2://h", Dialect.HIVE),
    ("mysql -h h dw", Dialect.MYSQL),
    ("psql -d dw", Dialect.HOLOGRES),
    ("clickhouse-client --multiquery", Dialect.CLICKHOUSE),
    ("sqlplus -s u/p@h", Dialect.ORACLE),
    ("docker exec -i db mysql dw", Dialect.MYSQL),
    ("ssh h mysql dw", Dialect.MYSQL),
    ("sudo -u hive hive", Dialect.HIVE),
    ("timeout 60 psql", Dialect.HOLOGRES),
)
"""Clients that read SQL from standard input."""
_PREFIXES = (
    "timeout 60 ", "timeout -k 5 1h ", "nohup ", "sudo ", "sudo -u hive ", "sudo -E -u hive -- ", "env A=1 B=2 ",  # noqa: E501 - one template
    "env -i PATH=/bin ", "A=1 ", "nice -n 5 ", "ionice -c2 -n7 ", "time ", "stdbuf -oL ", "flock /tmp/l ",
    "flock -n /tmp/l ", "setsid ", "command ", "exec ", "docker exec -i db ", "docker exec -e A=1 -u root db ",  # noqa: E501 - one template
    "docker run --rm -e A=1 image ", "kubectl exec pod -- ", "kubectl -n ns exec -it pod -c x -- ", "xargs ",
    "xargs -I{} -P 4 ", "systemd-run --scope ", "runuser -u hive -- ", "gosu hive ", "unbuffer ", "retry 3 ",
    "run_cmd ", "srun -n1 ", "caffeinate ", "docker-compose exec -T db ", "! ",
    "strace -f ", "nohup timeout 1h ", "proxychains4 ",
)  # fmt: skip
_QUOTING = (
    "ssh h <w>", "ssh -p 22 -o StrictHostKeyChecking=no u@h <w>", "bash -c <w>", "sh -lc <w>", "su - hive -c <w>",  # noqa: E501 - one template
    "su hive -s /bin/bash -c <w>", "sudo su - hive -c <w>", "eval <w>", "docker exec db sh -c <w>",
    "kubectl exec pod -- bash -c <w>", "flock /tmp/l -c <w>", "timeout 60 bash -c <w>", "trap <w> EXIT",
    "script -qc <w> /dev/null", "watch -n 60 <w>", "runuser -l hive -c <w>", "sg hive -c <w>",
    "ansible all -m shell -a <w>", "pdsh -w h[1-3] <w>", "screen -dm bash -c <w>", "tmux new -d <w>",
    "salt '*' cmd.run <w>", "gcloud compute ssh h --command=<w>", "expect -c <w>", "run_remote h <w>",
    "bash <<< <w>", "echo <w> | bash", "echo <w> | ssh h", "echo <w> | at now", "xargs -I{} sh -c <w>",
    "find . -name x -exec sh -c <w> \\;", "parallel <w> ::: 1",
)  # fmt: skip
_SCRIPT_DOCUMENTS = ("bash", "sh -s", "ssh h", "ssh h 'bash -s'", "sudo su - hive", "docker exec -i db sh")
_CONTROL = (
    "if [ -f x ]; then\n  <x>\nfi",
    "if <x>; then echo ok; fi",
    'if [ "$a" = 1 ]; then :; elif true; then\n<x>\nelse :; fi',
    "for i in 1 2 3; do\n  <x>\ndone",
    "for ((i=0; i<3; i++)); do <x>; done",
    "while read -r line; do\n  <x>\ndone < x.txt",
    "until <x>; do sleep 1; done",
    'case "$1" in\n  a|b) <x> ;;\n  *) echo no ;;\nesac',
    "f() {\n  <x>\n}\nf",
    "function g {\n  <x>\n}\ng",
    "( <x> )",
    "{ <x>; }",
    "cd /tmp && <x>",
    "test -f x || <x>",
    "n=$( <x>)",
    "n=`<x>`",
    'echo "rows: $( <x>)"',
    "<x> > /tmp/log 2>&1",
    "<x> &",
    "<x> | tee -a /tmp/log",
    "<x> | grep -v WARN > x.txt",
    "diff <(<x>) y.txt",
    "! <x> || exit 1",
    "set -e; <x>",
    "export A=1; <x>",
    "local r; r=$( <x>) || return 1",
    "[[ -n $x ]] && <x>",
    "coproc <x>",
    "time <x>",
    "echo 'it'\"'\"'s'; <x>",
    "# it's a comment\n<x>",
    'x="it\'s"\n<x>',
    "cat <<E1 > x.txt\nit's $(date)\nE1\n<x>",
)
_DELETE_WITHOUT_FROM = re.compile(r"delete\s(?!.*\bfrom\b)", re.IGNORECASE | re.DOTALL)
"""A statement of Oracle and SQL Server that, given to an unknown program, is like plain English."""
_FILLERS = (
    "#!/bin/bash\n", "set -euo pipefail\n", "dt=${bizdate}\n", "echo \"it's done\"\n", "# it's fine\n", "\n",
    "log() { echo \"$(date) $*\"; }\n", "x=${1:-default}\n", "arr=(a b \"c d\")\n", "y=$((1 + 2))\n",
    "hdfs dfs -ls /x\n", "cat <<'E2'\nit's \"text\n\nE2\n",
)  # fmt: skip


def compose_shell(rng: random.Random) -> Composition:
    """Return a shell script with SQL that deletes data."""
    parts: list[Part] = []
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.4:
            parts.append(Part(rng.choice(_FILLERS)))
        text, table = _carried(rng)
        parts.append(Part(f"{text}\n", table))
    return join_parts(parts)


def _carried(rng: random.Random) -> tuple[str, str]:
    make = rng.choice((_plain, _plain, _quoted, _variable, _document, _piped, _script_document, _array))
    text, table = make(rng)
    for _ in range(rng.choice((0, 0, 1, 2))):
        # A here-document ends in a line of its own.
        text = f"x=1\n{text}" if "<<" in text else _within(rng.choice(_CONTROL), text)
    return text, table


def _within(control: str, text: str) -> str:
    """Return `text` within a construct; backquotes cannot be within backquotes."""
    return control.replace("<x>", text) if "`" not in control or "`" not in text else text


def command(rng: random.Random) -> tuple[str, str]:
    """Return a command of one line that runs SQL, and the table whose data it deletes."""
    template, dialect = rng.choice(_CLIENTS)
    sql, table = _statement(rng, dialect)
    sql = _without_line_comments(sql)
    if rng.random() < 0.3:
        sql = f"SELECT 1; {sql};"
    text = template.replace("<w>", _word(sql, rng, glued="-e<w>" in template))
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        text = rng.choice(_PREFIXES) + text
    return text, table


def _statement(rng: random.Random, dialect: Dialect) -> tuple[str, str]:
    while True:
        sql, table = destructive_statement(rng, dialect)
        if not _DELETE_WITHOUT_FROM.match(sql):
            return sql, table


def _without_line_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*\n", "\n", sql)


def _word(text: str, rng: random.Random, *, glued: bool = False) -> str:
    """Return `text` as one word of a shell."""
    kinds = [_double_quoted, shlex.quote]
    if not glued and "'" not in text and "\\" not in text:
        kinds.append(lambda given: f"$'{given}'")
    return rng.choice(kinds)(text)


def _double_quoted(text: str) -> str:
    return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'


def _plain(rng: random.Random) -> tuple[str, str]:
    return command(rng)


def _quoted(rng: random.Random) -> tuple[str, str]:
    text, table = command(rng)
    for _ in range(rng.choice((1, 1, 1, 2))):
        text = rng.choice(_QUOTING).replace("<w>", _word(text, rng))
    return text, table


def _variable(rng: random.Random) -> tuple[str, str]:
    template, dialect = rng.choice(_CLIENTS[:20])
    sql, table = _statement(rng, dialect)
    sql = _without_line_comments(sql)
    number = rng.randrange(1000)
    use = template.replace("-e<w>", "-e <w>").replace(
        "<w>", rng.choice((f'"$sql{number}"', f'"${{sql{number}}};"'))
    )
    declare = rng.choice(("", "", "export ", "local ", "readonly ", "declare -r "))
    between = rng.choice(("", "echo x\n", "if true; then :; fi\n"))
    forms = (
        f"{declare}sql{number}={_word(sql, rng)}\n{between}{use}",
        f"sql{number}=$(cat <<EOF\n{_escaped(sql)}\nEOF\n)\n{between}{use}",
        f"read -r -d '' sql{number} <<'EOF'\n{sql}\nEOF\n{between}{use}",
        f"sql{number}=$(echo {_word(sql, rng)})\n{between}{use}",
        f"sql{number}={_word('SELECT 1;', rng)}\nsql{number}+={_word(sql, rng)}\n{between}{use}",
        f"a{number}={_word(sql, rng)}\nsql{number}=$a{number}\n{between}{use}",
        f'a{number}={_word(sql, rng)}\nsql{number}="SET x=1; $a{number};"\n{between}{use}',
        f"printf -v sql{number} '%s' {_word(sql, rng)}\n{between}{use}",
        f"run{number}() {{ {use.replace(f'sql{number}', '1')}; }}\nrun{number} {_word(sql, rng)}",
        f"for sql{number} in {_word('SELECT 1', rng)} {_word(sql, rng)}; do {use}; done",
        f"CMD{number}={_word(template.partition(' <w>')[0], rng)}\n$CMD{number} {_word(sql, rng)}"
        if template.endswith(" <w>") and "'" not in template and '"' not in template
        else f"sql{number}={_word(sql, rng)}\n{use}",
        f'cmd{number}={_word(template.replace("-e<w>", "-e <w>").replace("<w>", shlex.quote(sql)), rng)}\neval "$cmd{number}"',  # noqa: E501 - one template
    )
    return rng.choice(forms), table


def _escaped(text: str) -> str:
    return re.sub(r"([\\$`])", r"\\\1", text)


def _document(rng: random.Random) -> tuple[str, str]:
    template, dialect = rng.choice(_READERS)
    sql, table = _statement(rng, dialect)
    number = rng.randrange(1000)
    forms = (
        f"{template} <<EOF\n{_escaped(sql)};\nEOF",
        f"{template} <<'EOF'\n{sql};\nEOF",
        f'{template} <<"E{number}" > /tmp/log 2>&1\n{sql};\nE{number}',
        f"{template} <<-EOF\n\t{_escaped(sql)};\n\tEOF",
        f"{template} <<< {_word(_without_line_comments(sql), rng)}",
        f"SELECT=1 {template} << EOF | tee x\nSET x = 1;\n{_escaped(sql)};\nEOF",
        f"cat <<EOF | {template}\n{_escaped(sql)};\nEOF",
        f"(cat <<EOF\n{_escaped(sql)};\nEOF\n) | {template}",
        f"{template} < <(echo {_word(_without_line_comments(sql), rng)})",
    )
    return rng.choice(forms), table


def _piped(rng: random.Random) -> tuple[str, str]:
    template, dialect = rng.choice(_READERS)
    sql, table = _statement(rng, dialect)
    word = _word(f"{_without_line_comments(sql)};", rng)
    number = rng.randrange(1000)
    forms = (
        f"echo {word} | {template}",
        f"echo -e {word} | {template}",
        f"printf '%s\\n' {word} | {template}",
        f"printf {word} | {template}",
        f"echo {word} | sed 's/a/b/' | {template}",
        f"(echo 'SELECT 1;'; echo {word}) | {template}",
        f"(echo {word}; echo 'SELECT 1;') | {template}",
        f"{{ echo {word}; }} | {template}",
        f'v{number}={word}; echo "$v{number}" | {template}',
        f"echo {word} > /tmp/f{number}.sql; {template} < /tmp/f{number}.sql",
        f"echo {word} | tee /tmp/x | {template}",
        f"cat > /tmp/f{number}.sql <<'EOF'\n{sql};\nEOF\n{template} < /tmp/f{number}.sql",
        f"cat <<'EOF' > /tmp/f{number}.sql\n{sql};\nEOF\nhive -f /tmp/f{number}.sql",
        f"echo {word} >> /tmp/f{number}.sql\npsql -f /tmp/f{number}.sql",
    )
    return rng.choice(forms), table


def _script_document(rng: random.Random) -> tuple[str, str]:
    text, table = command(rng)
    if rng.random() < 0.3:
        text = rng.choice(_CONTROL[:8]).replace("<x>", text)
    if rng.random() < 0.5:
        return f"{rng.choice(_SCRIPT_DOCUMENTS)} <<'EOS'\ncd /tmp\n{text}\nEOS", table
    return f"{rng.choice(_SCRIPT_DOCUMENTS)} <<EOS\n{_escaped(text)}\nEOS", table


def _array(rng: random.Random) -> tuple[str, str]:
    sql, table = _statement(rng, Dialect.HIVE)
    word = _word(_without_line_comments(sql), rng)
    forms = (
        f'args=(-S -e {word})\nhive "${{args[@]}}"',
        f'sqls=({word} {_word("SELECT 1", rng)})\nfor s in "${{sqls[@]}}"; do hive -e "$s"; done',
        f'declare -A q\nq[a]={word}\nhive -e "${{q[a]}}"',
        f"alias h='hive -e'\nh {word}",
        f"H=hive\n$H -e {word}",
        f'H="hive -S"\n$H -e {word}',
        f'set -- {word}\nhive -e "$1"',
        f"hive -e {word}\\\n  -S",
        f"hive \\\n  -e {word}",
        f"hive -S -e {word} -hiveconf a=b",
        f"hive -e {word}{_word('; SELECT 1', rng)}",
    )
    return rng.choice(forms), table
