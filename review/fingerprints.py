"""How a finding is recognized when the code around it has changed: by a digest of the code it points at.

A digest distinguishes secrets and never reveals them: that of a secret is an HMAC whose key the reader of a
finding does not have. Without the key, a short password could be found by trying all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from common.verdicts import Finding
from review.diagnostic import Diagnostic
from review.facts import Span
from review.rules.correctness.not_reviewed import not_reviewed

_DIGITS = re.compile(r"\d+")
_LENGTH = 32
"""Hexadecimal digits of a digest: too many to find two codes with the same one."""

_RUN_KEY = secrets.token_bytes(32)
"""The key for secrets if none is given: digests can then be compared within one process only."""

_SECRET_TAIL = re.compile(r"[^\s'\"`@;&|,()]{0,4096}+")
"""The rest of a secret of which a pattern matched only the first characters."""

_PRIVATE_KEY = "-----BEGIN "
_PRIVATE_KEY_END = "-----END "


def code_digests(diagnostics: Sequence[Diagnostic], code: str, key: bytes | None) -> Iterator[str | None]:
    """Yield the digest of each of `diagnostics`, which are in the order of the text.

    It is made of the rule, the key (else the message without its numbers), the text of the range without its
    layout, and how many equal ones are before it. The digest of a secret is keyed and made of its exact text,
    every other one is made of a text without the secrets in it and is the same everywhere. A finding that the
    review is incomplete has none: what was not reviewed may be new.

    Args:
        diagnostics: the findings.
        code: the text that they point into.
        key: the key of the digests of secrets; None for one of this process.
    """
    hidden = _disjoint(item.at for item in diagnostics if item.secret)
    ends = [at.end for at in hidden]
    texts: dict[tuple[Span, bool], bytes] = {}
    before: Counter[tuple[str, str, bytes]] = Counter()
    for item in diagnostics:
        if item.rule == not_reviewed.id and item.at == Span(0, 0):
            yield None
            continue
        place = (item.at, item.secret)
        if place not in texts:
            text = (
                _secret_text(code, item.at)
                if item.secret
                else " ".join(_visible_text(code, item.at, hidden, ends).split())
            )
            texts[place] = hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()
        same = (item.rule, item.key or _DIGITS.sub("0", item.message.en), texts[place])
        whole = repr((*same, before[same])).encode("utf-8", "backslashreplace")
        before[same] += 1
        digest = hmac.new(key or _RUN_KEY, whole, hashlib.sha256) if item.secret else hashlib.sha256(whole)
        yield digest.hexdigest()[:_LENGTH]


def only_new_findings(old: Iterable[Finding], new: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of `new` that are not among `old`, which were made with the same key.

    A finding whose suppression was taken away is new; one without a digest always is.
    """
    counted: set[str] = set()
    suppressed: set[str] = set()
    for item in old:
        if item.code_digest:
            (counted if item.suppressed is None else suppressed).add(item.code_digest)
    return tuple(
        item
        for item in new
        if item.code_digest not in counted
        and not (item.suppressed is not None and item.code_digest in suppressed)
    )


def _secret_text(code: str, at: Span) -> str:
    """Return the whole secret: two keys that begin alike are two secrets."""
    if code.startswith(_PRIVATE_KEY, at.begin):
        end = code.find(_PRIVATE_KEY_END, at.end)
        return code[at.begin : end if end >= 0 else len(code)]
    tail = _SECRET_TAIL.match(code, at.end)
    return code[at.begin : tail.end() if tail else at.end]


def _visible_text(code: str, at: Span, hidden: Sequence[Span], ends: Sequence[int]) -> str:
    """Return the text at `at` without the parts that are `hidden`, which are in order and do not overlap."""
    pieces, begin = [], at.begin
    for index in range(bisect_right(ends, at.begin), len(hidden)):
        secret = hidden[index]
        if secret.begin >= at.end:
            break
        pieces.append(code[begin : max(secret.begin, begin)])
        begin = min(secret.end, at.end)
    return "".join((*pieces, code[begin : at.end]))


def _disjoint(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for at in sorted(spans):
        if merged and at.begin <= merged[-1].end:
            merged[-1] = Span(merged[-1].begin, max(merged[-1].end, at.end))
        else:
            merged.append(at)
    return merged
