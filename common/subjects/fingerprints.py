"""Fingerprints of findings: equal for the same finding, different for any other."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from common.subjects.event_subject import EventSubject
from common.verdicts import Finding, SubjectKind

MIN_KEY_LENGTH = 32
"""Minimum characters of a secret key."""

_LENGTH = 32
"""Hexadecimal digits: too many to find two names with the same fingerprint."""

Identity = tuple[str, ...]


def add_fingerprints(findings: Sequence[Finding], about: EventSubject) -> Iterator[Finding]:
    """Yield `findings` of one outcome, each with its subjects complete and a fingerprint.

    It is computed from check, rule, workspace and subjects, so that neither language, counts nor dependents
    change it; that of a finding on code from check, rule, workspace, file and code digest, so that it does
    not depend on what else the event names. Findings that are equal in all of these are distinguished by
    their position among the equal findings and by the number of these: when one of them is fixed, no other
    inherits its fingerprint.
    """
    complete = [about.complete(finding) for finding in findings]
    identities = [_identity(finding, about) for finding in complete]
    counts, seen = Counter(identities), Counter[Identity]()
    for finding, identity in zip(complete, identities, strict=True):
        seen[identity] += 1
        equal = () if counts[identity] == 1 else (f"{seen[identity]}/{counts[identity]}",)
        yield replace(finding, fingerprint=_digest((*identity, *equal)))


def _identity(finding: Finding, about: EventSubject) -> Identity:
    subjects = finding.subjects
    if finding.code_digest:
        # A file that is deployed for the first time gets a node, too.
        files = [subject for subject in subjects if subject.kind is SubjectKind.FILE]
        subjects = tuple(files) or subjects
    keys = sorted(subject.key for subject in subjects)
    return (about.check, finding.rule, str(about.project), finding.code_digest or "", *keys)


def _digest(identity: Identity) -> str:
    return hashlib.sha256(repr(identity).encode("utf-8", "backslashreplace")).hexdigest()[:_LENGTH]
