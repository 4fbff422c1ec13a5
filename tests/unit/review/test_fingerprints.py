"""Digests of code: a new secret is always new, and no digest reveals a secret."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from common.verdicts import Finding
from review.dialects import Dialect
from review.engine import review
from review.fingerprints import only_new_findings
from review.report import SECRETS

KEY = b"0123456789abcdef0123456789abcdef"
ONE, OTHER = "LTAI5tQnVx7RkJd2Wm9PzHsB", "LTAI5tFgYc3LpTe8Uo4XaKvD"


def found(code: str, dialect: Dialect = Dialect.MAXCOMPUTE, key: bytes | None = KEY) -> tuple[Finding, ...]:
    return review(code, dialect, fingerprint_key=key)


def new_secrets(old: str, new: str, dialect: Dialect = Dialect.MAXCOMPUTE) -> list[int | None]:
    """Return the lines of the secrets of `new` that are not in `old`, with a key and without."""
    lines = []
    for key in (KEY, None):
        added = only_new_findings(found(old, dialect, key), found(new, dialect, key))
        lines.append([item.line for item in added if item.rule in SECRETS])
    assert lines[0] == lines[1]
    return lines[0]


def private_key(body: str) -> str:
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


LONG = hashlib.sha512(b"a").hexdigest()[:99]
DI = (
    '{{"type": "job", "steps": [{{"stepType": "oss", "category": "reader",'
    ' "parameter": {{"accessKey": "{}"}}}}]}}'
)
CHANGED = [
    (Dialect.MAXCOMPUTE, "-- key {}\nSELECT 1;", ONE, OTHER),
    (Dialect.MAXCOMPUTE, "SET a.password = '{}';", "Tr0ub4dor", "Tr0ub4dos"),
    (Dialect.MAXCOMPUTE, "-- password: {}\nSELECT 1;", f"A1{LONG}a", f"A1{LONG}b"),
    (Dialect.MAXCOMPUTE, "-- url mysql://etl:{}@db/shop\nSELECT 1;", "tiger99", "tiger98"),
    (Dialect.PYTHON, "k = '''{}'''\n", private_key("MIIEow" + LONG), private_key("MIIEox" + LONG)),
    (Dialect.PYTHON, "k = '{}'\n", ONE, OTHER),
    (Dialect.PYTHON, "from odps import ODPS\no = ODPS('{}', 'x', project='shop')\n", "etl-user", "etl-usr2"),
    (Dialect.SHELL, "mysql -h db -u etl -p{} -e 'select 1'\n", "Tr0ub4dor", "Tr0ub4dos"),
    (Dialect.SHELL, "odpscmd -u etl -p {} -e 'SELECT 1'\n", "tiger99", "tiger98"),
    (Dialect.SHELL, "beeline -p {} -e 'SELECT 1'\n", f"x{LONG}aab", f"x{LONG}aac"),
    (Dialect.DI, DI, "tiger", "tigre"),
    (Dialect.DI, DI, ONE, OTHER),
    (Dialect.MYSQL, "CREATE USER a IDENTIFIED BY '{}';", "tiger99", "tiger98"),
]


@pytest.mark.parametrize(("dialect", "code", "one", "other"), CHANGED)
def test_a_changed_secret_is_new(dialect: Dialect, code: str, one: str, other: str) -> None:
    old, new = code.format(one), code.format(other)
    assert any(item.rule in SECRETS for item in found(old, dialect))
    assert len(new_secrets(old, new, dialect)) == 1
    assert new_secrets(old, old, dialect) == []


def test_secrets_that_change_places_are_not_new() -> None:
    assert new_secrets(f"-- {ONE}\n-- {OTHER}\n", f"-- {OTHER}\n-- {ONE}\n") == []
    assert new_secrets(f"-- {ONE}\n", f"-- moved\n\nSELECT 1; -- {ONE}\n") == []


def test_a_secret_that_is_repeated_is_new() -> None:
    assert new_secrets(f"-- {ONE}\n", f"-- {ONE}\n-- {ONE}\n") == [2]
    assert new_secrets(f"-- {ONE}\n", f"-- {ONE}\n-- {OTHER}\n") == [2]


def test_a_secret_among_more_than_are_listed_is_not_hidden() -> None:
    many = "".join(f"-- LTAI5t{number:014d}\n" for number in range(1001))
    added = only_new_findings(found(many), found(f"{many}-- {OTHER}\n"))
    assert "MC-C19" in {item.rule for item in added}


def test_the_digest_of_other_findings_has_no_secret_in_it() -> None:
    query = "SELECT * FROM t WHERE token = '{}' ORDER BY 1;"
    codes = [query.format(value) for value in (ONE, OTHER)]
    one, other = (
        {(item.rule, item.code_digest) for item in found(code, key=None) if item.rule not in SECRETS}
        for code in codes
    )
    assert one == other
    assert one


DELETE = f"DROP TABLE t; -- {ONE}"


def test_digests_of_secrets_and_no_others_depend_on_the_key() -> None:
    one, other = (
        {(item.rule, item.code_digest) for item in found(DELETE, key=key)} for key in (KEY, b"x" * 32)
    )
    assert {rule for rule, _ in one ^ other} == {"MC-S01"}
    assert one & other


def test_without_a_key_secrets_have_other_digests_in_every_process() -> None:
    program = (
        "import json, sys; from review.engine import review; from review.dialects import Dialect;"
        "found = review(sys.argv[1], Dialect.MAXCOMPUTE);"
        "print(json.dumps({item.rule: item.code_digest for item in found}))"
    )
    command = [sys.executable, "-c", program, DELETE]
    one, other = (
        json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(2)
    )
    assert one["MC-S01"] != other["MC-S01"]
    assert one["MC-S02"] == other["MC-S02"]
