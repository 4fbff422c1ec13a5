"""When the threads of a process may try to publish."""

from __future__ import annotations

import pytest

from workers.broker import breaker
from workers.broker.breaker import CircuitBreaker


def test_all_may_try_while_publishing_succeeds() -> None:
    subject = CircuitBreaker()
    assert subject.may_try()
    assert subject.may_try()
    subject.note_success()
    assert subject.may_try()


def test_after_a_failure_none_may_try_for_a_moment() -> None:
    subject = CircuitBreaker()
    assert subject.note_failure()
    assert not subject.note_failure(), "only the first one of an outage"
    assert not subject.may_try()
    assert subject.note_success()
    assert not subject.note_success()


def test_after_the_pause_one_may_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", -1.0)
    subject = CircuitBreaker()
    subject.note_failure()
    assert subject.may_try()
    assert not subject.may_try(), "the attempt of another thread has not ended"
    subject.note_success()
    assert subject.may_try()
    assert subject.may_try()


def test_an_attempt_that_never_ends_keeps_the_others_waiting_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", -1.0)
    monkeypatch.setattr(breaker, "ATTEMPT_SECONDS", -1.0)
    subject = CircuitBreaker()
    subject.note_failure()
    assert subject.may_try()
    assert subject.may_try()
