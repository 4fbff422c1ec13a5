"""The facets of an event: the values by which it can be searched, and the index of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from itertools import islice

from common.events import Event
from common.ledger.record import EventRecord
from common.verdicts import Outcome, OutcomeKind, Result, Subject

MAX_VALUE_LENGTH = 128
"""Characters of a facet's value; longer ones are cut."""

MAX_RULES = 50
"""Rules of one event that are indexed."""

MAX_NAMED_SUBJECTS = 50
"""Files, nodes and tables of one event that can be searched for."""

MAX_NAME_LENGTH = 500
"""Characters of all names and ids of the objects of one event."""

WOULD_FAIL = "would-FAIL"
"""Value of the facet `result` of an event that only a check's mode kept from being blocked."""

SUBJECTS_KEY = "index:subjects"
"""The sorted set of the distinct texts of `join_names`, by the time of arrival of their newest event."""

_REPORTS_NOTHING = (OutcomeKind.PASSED, OutcomeKind.SKIPPED)


class Facet(StrEnum):
    """What an event is indexed by, besides its state, workspace and time.

    RESULT: the result that DataWorks accepted, and `WOULD_FAIL`.
    CHECK: a check that found something, or did not finish.
    RULE: a rule with a finding. POINT: its extension point. OPERATOR: UID of its user.
    """

    RESULT = "result"
    CHECK = "check"
    RULE = "rule"
    POINT = "point"
    OPERATOR = "operator"


def index_key(facet: Facet, value: str) -> str:
    """Return the name of the sorted set with the events that have this value."""
    return f"index:{facet}:{value[:MAX_VALUE_LENGTH]}"


def workspace_key(project_id: int | None) -> str:
    """Return the name of the sorted set with the events of a workspace; None is the tenant."""
    return f"project:{'-' if project_id is None else project_id}"


def subject_key(names: str) -> str:
    """Return the name of the sorted set with the events that have these names (`join_names`)."""
    # A digest, since names may be long. Should two have the same one, the names of each event still tell.
    return f"index:subject:{hashlib.blake2b(names.encode(), digest_size=8).hexdigest()}"


def arrival_indexes(event: Event) -> list[str]:
    """Return the indexes of an event that has just arrived."""
    keys = [workspace_key(event.project_id), index_key(Facet.POINT, event.event_code)]
    return [*keys, index_key(Facet.OPERATOR, event.operator)] if event.operator else keys


def result_indexes(record: EventRecord, accepted: Result | None) -> list[str]:
    """Return the further indexes of an event whose checks have ended.

    Args:
        record: the event with its outcomes.
        accepted: the result that DataWorks accepted; None if it accepted none.
    """
    keys = [index_key(Facet.CHECK, name) for name in record.planned_checks if _reports(record, name)]
    keys += [index_key(Facet.RULE, rule) for rule in found_rules(record)[:MAX_RULES]]
    if accepted:
        keys.append(index_key(Facet.RESULT, accepted.value))
    if is_would_fail(record, accepted):
        keys.append(index_key(Facet.RESULT, WOULD_FAIL))
    return keys


def found_rules(record: EventRecord) -> list[str]:
    """Return the distinct rules of the findings of the planned checks, in the order of the plan."""
    outcomes = (record.outcomes.get(name) for name in record.planned_checks)
    rules = (finding.rule for outcome in outcomes if outcome for finding in outcome.findings)
    return list(dict.fromkeys(rules))


def reports_anything(outcome: Outcome | None) -> bool:
    """Whether a check found something, or did not finish."""
    return outcome is None or bool(outcome.findings) or outcome.kind not in _REPORTS_NOTHING


def _reports(record: EventRecord, check: str) -> bool:
    return reports_anything(record.outcomes.get(check))


def is_would_fail(record: EventRecord, accepted: Result | None) -> bool:
    """Whether an event that was not blocked would have been, with all of its checks in mode enforce."""
    if accepted is Result.FAIL or record.plan is None:
        return False
    return record.plan.would_be_result(record.outcomes) is Result.FAIL


def join_names(subjects: Iterable[Subject]) -> str:
    """Return the names and ids of what an event is about, in lower case, a line each."""
    texts = (
        text
        for subject in islice(subjects, MAX_NAMED_SUBJECTS)
        for text in (subject.name, subject.id)
        if text
    )
    lines = (" ".join(text.lower().split()) for text in texts)
    return "\n".join(dict.fromkeys(lines))[:MAX_NAME_LENGTH]
