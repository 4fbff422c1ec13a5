"""MC-S01: keep secrets out of code. Judged on the text alone, comments included, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from common.verdicts import Severity
from workers.review.facts import Script
from workers.review.places import Place, Places
from workers.review.rules.rule import Rule

_KEY_NAMES = (
    r"(?:(?:access|secret|api)[_.-]?(?:access[_.-]?)?key(?:[_.-]?secret)?|(?:access|client)[_.-]?secret"
    r"|(?:auth|access|session|security)[_.-]?token)"
)
_PASSWORD_NAMES = r"(?:passwo?r?d|passwd|pwd|passphrase)"  # noqa: S105 - names, not a password
_ENDS_NAME = r"['\"`]?\]?\s*(?::=|=>|=|:)\s*"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of secret.

    Attributes:
        name: as the message says it.
        pattern: finds it; the group `secret` is the secret itself.
        predicate: whether it may as well be a comparison of a column in SQL.
        hash: whether a value that looks like a hash is a secret too.
    """

    name: str
    pattern: re.Pattern[str]
    predicate: bool = False
    hash: bool = True


def _kind(name: str, pattern: str, *, predicate: bool = False, hash_: bool = True) -> _Kind:
    return _Kind(name, re.compile(pattern, re.IGNORECASE), predicate, hash_)


_KINDS = (
    _kind("A private key", r"(?P<secret>-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----)"),
    _Kind(
        "An AccessKey id", re.compile(r"(?<![A-Za-z0-9])(?P<secret>LTAI[A-Za-z0-9]{12,26})(?![A-Za-z0-9])")
    ),
    _Kind("A security token", re.compile(r"(?<![A-Za-z0-9])(?P<secret>STS\.[A-Za-z0-9]{20,})")),
    _kind(
        "A password in a URL", r"[a-z][a-z0-9+.-]{1,30}://[^\s:/@'\"]{1,100}:(?P<secret>[^\s:/@'\"]{3,100})@"
    ),
    _kind(
        "A password in a URL",
        r"(?:jdbc:|://)[^\s'\"]{1,500}?[?&;](?:password|pwd)=(?P<secret>[^\s&;'\"]{3,100})",
    ),
    _kind("A token in a URL", r"://[^\s'\"?]{1,300}\?[^\s'\"]{0,300}?token=(?P<secret>[^\s&'\"]{12,})"),
    _kind(
        "A key or token",
        rf"{_KEY_NAMES}{_ENDS_NAME}(?P<q>['\"])(?P<secret>[^'\"\s]{{8,200}})(?P=q)",
    ),
    _kind(
        "A password",
        rf"{_PASSWORD_NAMES}{_ENDS_NAME}(?P<q>['\"])(?P<secret>[^'\"\s]{{4,200}})(?P=q)",
        predicate=True,
        hash_=False,
    ),
    _kind("A password", r"\bidentified\s+by\s+(?P<q>['\"])(?P<secret>[^'\"\s]{3,200})(?P=q)"),
    _kind(
        "A password",
        r"\b(?:mysql|mysqldump|mysqladmin|beeline)\b[^\n]{0,200}?\s-p(?P<secret>[^\s'\"]{4,100})",
    ),
    _kind("A password", r"\s--password[= ](?P<secret>[^\s'\"=-][^\s'\"]{3,100})"),
    _kind(
        "A key or password",
        rf"(?:{_KEY_NAMES}|{_PASSWORD_NAMES})\s*=\s*"
        r"(?P<secret>(?=[\w+/=-]{0,200}\d)(?-i:(?=[\w+/=-]{0,200}[A-Z])(?=[\w+/=-]{0,200}[a-z]))[\w+/=-]{16,200})(?![\w.(\[])",
    ),
)
_NEAR = 200
_AK_SECRET = re.compile(r"(?<![A-Za-z0-9+/_=-])(?P<secret>[A-Za-z0-9]{30})(?![A-Za-z0-9+/_=-])")

_PLACEHOLDER = re.compile(
    r"\$\{|\$\[|\$\w|\{\{|^\{\w*\}$|^<.*>$|%\(?\w|x{3}|\*{3}|\.{3}|^\W+$|your|example|change_?me|placeholder|dummy",
    re.IGNORECASE,
)
_NO_SECRET = frozenset(
    {"null", "none", "true", "false", "unknown", "string", "password", "passwd", "varchar", "secret"}
)
_HASH = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})", re.IGNORECASE)
_BEFORE_PREDICATE = re.compile(r"\b(?:where|and|or|on|when|having|if)\s+[\w.(`]*$", re.IGNORECASE)


def _judge(script: Script) -> Iterator[tuple[Place, Severity, str]]:
    places = Places(script.code)
    told: list[tuple[int, int]] = []
    for name, begin, end in _secrets(script):
        # One secret may look like several kinds: the first says it.
        if not any(begin < told_end and told_begin < end for told_begin, told_end in told):
            told.append((begin, end))
            yield places.at(begin), Severity.BLOCK, f"{name} stands in the code."


def _secrets(script: Script) -> Iterator[tuple[str, int, int]]:
    for kind in _KINDS:
        for match in kind.pattern.finditer(script.code):
            if _is_secret(match, kind, script):
                yield kind.name, *match.span("secret")
    for found in _KINDS[1].pattern.finditer(script.code):
        around = (max(0, found.start() - _NEAR), found.end() + _NEAR)
        for match in _AK_SECRET.finditer(script.code, *around):
            if not _PLACEHOLDER.search(match["secret"]) and match.start() != found.start():
                yield "An AccessKey secret", *match.span("secret")


def _is_secret(match: re.Match[str], kind: _Kind, script: Script) -> bool:
    secret = match["secret"]
    if _PLACEHOLDER.search(secret) or secret.lower() in _NO_SECRET:
        return False
    if not kind.hash and _HASH.fullmatch(secret):
        return False
    before = script.code[max(0, match.start() - 60) : match.start()]
    return not (kind.predicate and script.dialect.sql and _BEFORE_PREDICATE.search(before))


RULE = Rule(
    id="MC-S01",
    title="Keep access keys, passwords and tokens out of code.",
    why="Everybody who may read the node, its versions and its logs has the secret from then on.",
    help="Use a role, a data source or a scheduling parameter instead; then renew the secret.",
    judge=_judge,
)
