"""Fingerprints of findings: equal for the same finding, different for any other."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from common.subjects.event_subject import EventSubject
from common.verdicts import Finding

_LENGTH = 16

Identity = tuple[str, ...]


def add_fingerprints(findings: Sequence[Finding], about: EventSubject) -> Iterator[Finding]:
    """Yield `findings` of one outcome, each with its subjects complete and a fingerprint.

    A fingerprint that the check has set is kept. Others are computed from check, rule, workspace and
    subjects, so that neither language, counts nor dependents change them. Findings that are equal in all of
    these are distinguished by their position among the equal findings and by the number of these: when one
    of them is fixed, no other inherits its fingerprint.
    """
    complete = [about.complete(finding) for finding in findings]
    identities = [_identity(finding, about) for finding in complete]
    counts, seen = Counter(identities), Counter[Identity]()
    for finding, identity in zip(complete, identities, strict=True):
        if finding.fingerprint:
            yield finding
            continue
        seen[identity] += 1
        equal = () if counts[identity] == 1 else (f"{seen[identity]}/{counts[identity]}",)
        yield replace(finding, fingerprint=_digest((*identity, *equal)))


def _identity(finding: Finding, about: EventSubject) -> Identity:
    subjects = sorted(subject.key for subject in finding.subjects)
    return (about.check, finding.rule, str(about.project), *subjects)


def _digest(identity: Identity) -> str:
    whole = "\0".join(identity)
    return hashlib.sha256(whole.encode("utf-8", "backslashreplace")).hexdigest()[:_LENGTH]
