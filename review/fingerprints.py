"""How a finding is known again when the code around it has changed: by what it says, not where it stands."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from common.verdicts import Finding
from review.diagnostic import Diagnostic

_DIGITS = re.compile(r"\d+")
_LENGTH = 16


def fingerprints(diagnostics: Sequence[Diagnostic], code: str) -> Iterator[str]:
    """Yield the fingerprint of each of `diagnostics`, which are in the order of the text.

    It is made of the rule, the key (else the message without its numbers), the text of the range without its
    layout, and how many equal ones stand before it. The text of a secret is left out.
    """
    before: Counter[tuple[str, str, str]] = Counter()
    for item in diagnostics:
        text = "" if item.secret else " ".join(code[item.at.begin : item.at.end].split())
        same = (item.rule, item.key or _DIGITS.sub("0", item.message.en), text)
        whole = "\0".join((*same, str(before[same])))
        before[same] += 1
        yield hashlib.sha256(whole.encode("utf-8", "backslashreplace")).hexdigest()[:_LENGTH]


def only_new_findings(old: Iterable[Finding], new: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of `new` that are not among `old`.

    A finding whose suppression was taken away is new; one without a fingerprint always is.
    """
    counted: set[str] = set()
    suppressed: set[str] = set()
    for item in old:
        if item.fingerprint:
            (counted if item.suppressed is None else suppressed).add(item.fingerprint)
    return tuple(
        item
        for item in new
        if item.fingerprint not in counted
        and not (item.suppressed is not None and item.fingerprint in suppressed)
    )
