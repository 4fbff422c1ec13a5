"""Made-up secrets of every form that the review knows, planted in scripts of every language."""

# ruff: noqa: S608 - none of this SQL is ever run

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from review.dialects import Dialect


@dataclass(frozen=True, slots=True)
class Canary:
    """A made-up secret.

    Attributes:
        name: its form.
        text: code or a comment that contains it, in any language.
        secret: what no output may contain.
    """

    name: str
    text: str
    secret: str


_BODY = "MIIEowIBAAKCAQEAq1W2e3R4t5Y6u7I8o9P0CANARY"
_KEY_ID = "LTAI5tCanaryCanary0Canary"

CANARIES = (
    Canary("access-key-id", f"key {_KEY_ID}", _KEY_ID),
    Canary(
        "access-key-secret", f"{_KEY_ID} q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5", "q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5"
    ),
    Canary("private-key", f"-----BEGIN RSA PRIVATE KEY-----\n{_BODY}\n-----END RSA PRIVATE KEY-----", _BODY),
    Canary("sts", "STS.CanaryCanaryCanary0Canary", "STS.CanaryCanaryCanary0Canary"),
    Canary("aws", "AKIACANARY0CANARY012", "AKIACANARY0CANARY012"),
    Canary("github", "ghp_CanaryCanaryCanaryCanaryCanary012345", "ghp_CanaryCanaryCanaryCanaryCanary012345"),
    Canary("gitlab", "glpat-CanaryCanaryCanary01", "glpat-CanaryCanaryCanary01"),
    Canary("slack", "xoxb-CanaryCanaryCanary01", "xoxb-CanaryCanaryCanary01"),
    Canary("google", "AIzaCanaryCanaryCanaryCanaryCanary01234", "AIzaCanaryCanaryCanaryCanaryCanary01234"),
    Canary("openai", "sk-Canary0CanaryCanaryCanary", "sk-Canary0CanaryCanaryCanary"),
    Canary("bearer", "Bearer Canary0CanaryCanaryCanary", "Canary0CanaryCanaryCanary"),
    Canary("url-password", "postgresql://etl:C4naryPass@db:5432/shop", "C4naryPass"),
    Canary("jdbc", "jdbc:mysql://db/x?user=a&password=C4naryPass", "C4naryPass"),
    Canary("oracle", "jdbc:oracle:thin:scott/C4naryPass@db", "C4naryPass"),
    Canary("url-token", "https://api.example.com/x?access_token=C4naryCanary0", "C4naryCanary0"),
    Canary(
        "webhook",
        "https://qyapi.example.com/cgi-bin/webhook/send?key=0123abcd-4567-89ab-cdef-0123456789ab",
        "0123abcd-4567-89ab-cdef-0123456789ab",
    ),
    Canary("dsn", "host=db user=etl password=C4naryPass", "C4naryPass"),
    Canary("pymysql", "pymysql.connect('db', 'etl', 'C4naryPass')", "C4naryPass"),
    Canary("environ", "os.environ.get('DB_PASSWORD', 'C4naryPass')", "C4naryPass"),
    Canary("comment", "-- password: C4naryPass", "C4naryPass"),
    Canary("identified", "create user x identified by 'C4naryPass'", "C4naryPass"),
    Canary("mysql", "mysql -h db -u etl -pC4naryPass -e 'select 1'", "C4naryPass"),
    Canary("sshpass", "sshpass -p C4naryPass ssh db", "C4naryPass"),
    Canary("redis", "redis-cli -a C4naryPass ping", "C4naryPass"),
    Canary("curl", "curl -u etl:C4naryPass https://db.example.com", "C4naryPass"),
    Canary("option", "tool --password=C4naryPass", "C4naryPass"),
    Canary("named-key", "accessKeySecret = 'C4naryCanaryCanary'", "C4naryCanaryCanary"),
    Canary("named-password", "password = 'C4naryPass'", "C4naryPass"),
    Canary("named-bare", "secretKey=C4naryCanaryCanary0", "C4naryCanaryCanary0"),
    Canary("named-token", "token = 'C4nary0Canary1Canary2'", "C4nary0Canary1Canary2"),
    Canary("named-pw", "pw = 'C4naryPass'", "C4naryPass"),
    Canary("with-password", "ALTER USER x WITH PASSWORD 'C4naryPass'", "C4naryPass"),
)


def scripts(canary: Canary) -> Iterator[tuple[str, Dialect]]:
    """Yield scripts of every language with the canary in comments, texts, names and structures."""
    yield _sql(canary), Dialect.MAXCOMPUTE
    yield _hologres(canary), Dialect.HOLOGRES
    yield _sql(canary), Dialect.MYSQL
    yield _python(canary), Dialect.PYTHON
    yield _python2(canary), Dialect.PYTHON
    yield _shell(canary), Dialect.SHELL
    yield _job(canary), Dialect.DI


def _name(canary: Canary) -> str:
    """Return the secret as a part of a name, if it can be one."""
    return canary.secret if canary.secret.isalnum() else "plain"


def _sql(canary: Canary) -> str:
    quoted = canary.text.replace("'", '"')
    comment = "\n".join(f"-- {line}" for line in canary.text.splitlines())
    name = _name(canary)
    return (
        f"{comment}\n/* {canary.text} */\n"
        f"-- dwgate:ignore MC-P06 the reason is {quoted.splitlines()[0]}\n"
        f"SELECT * FROM ods_{name} a, t_{name} b WHERE a.c_{name} = '{quoted}' ORDER BY c_{name};\n"
        f"CREATE TABLE dwd_{name} (id BIGINT COMMENT '{quoted}') COMMENT '{quoted}';\n"
        f"SET x.{name} = '{quoted}';\n{canary.text};\n"
        f"DROP TABLE {name};\nDELETE FROM {name};\n"
        f"INSERT OVERWRITE TABLE {name} SELECT '{quoted}', {name} FROM (SELECT 1;\n"
    )


def _hologres(canary: Canary) -> str:
    quoted, name = canary.text.replace("'", '"'), _name(canary)
    comment = "\n".join(f"-- {line}" for line in canary.text.splitlines())
    return (
        f"{comment}\n/* {canary.text} */\n-- squawk-ignore ban-drop-table {canary.secret}\n"
        f"DROP TABLE t_{name};\nCOMMENT ON TABLE d_{name} IS '{quoted}';\n"
        f"ALTER TABLE d_{name} DROP COLUMN c_{name};\nSELECT '{quoted}' FROM a, b_{name};\n"
    )


def _python(canary: Canary) -> str:
    text, secret, name = repr(canary.text), repr(canary.secret), _name(canary)
    comment = "\n".join(f"# {line}" for line in canary.text.splitlines())
    return (
        f"import os\n{comment}\n"
        f"x_{name} = {{{secret}: 1, {secret}: 2, {text}: 3, {text}: 4}}\n"
        f"y = {{{secret}, {secret}, {text}, {text}}}\n"
        f"def f_{name}(password={secret}, b=[]):\n    pass\n"
        f"print(undefined_{name}, f'{{y}}' % {text}, '%s' % (1, {secret}))  # noqa: F507 {secret}\n"
        f"{text} is {secret}\nassert ({text}, 1)\n"
        f"ODPS({secret}, {secret}, project='p')\n"
        f"o.execute_sql('DELETE FROM t_{name}')\n"
        f"o.execute_sql({'SELECT * FROM a WHERE b = ' + secret!r})\n"
        f"with o.get_table({secret}).open_writer() as w:\n    eval({text})\n"
    )


def _python2(canary: Canary) -> str:
    return f"print {canary.text!r}\nprint undefined_{_name(canary)}\nd = {{{canary.secret!r}: 1}}\n"


def _shell(canary: Canary) -> str:
    comment = "\n".join(f"# {line}" for line in canary.text.splitlines())
    quoted, name = canary.text.replace("'", '"'), _name(canary)
    return (
        f"{comment}\nv_{name}='{quoted}'\necho $v_{name} $1 {canary.secret}\n"
        f"cat <<EOF\n{canary.text}\nEOF\n"
        f"{canary.text}\n"
        f"odpscmd -u etl -p {canary.secret} -e 'SELECT * FROM t_{name} ORDER BY id'\n"
        f"hive -e \"DELETE FROM {name}\"\nhive <<X\nSELECT '{canary.secret}' FROM a, b\nX\n"
        f"# shellcheck disable=SC2086 # {canary.secret}\nrm -rf /$v_{name}\n"
    )


def _job(canary: Canary) -> str:
    parameter = {
        "table": _name(canary),
        "password": canary.secret,
        canary.secret: canary.text,
        "column": ["*", canary.text],
        "where": canary.text,
        "connection": [{"jdbcUrl": [canary.text], "table": [canary.secret]}],
        "accessKey": canary.secret,
    }
    steps = [
        {"stepType": "mysql", "category": "reader", "name": canary.secret, "parameter": parameter},
        {
            "stepType": "odps",
            "category": "writer",
            "name": "w",
            "parameter": {**parameter, "truncate": False},
        },
    ]
    return json.dumps({"type": "job", "steps": steps, "order": {}, "setting": {}}, indent=2)
