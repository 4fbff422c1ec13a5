from __future__ import annotations

from typing import cast

import pytest
from pydantic import ValidationError

from common.events import Event
from common.snapshot import Snapshot
from workers.checks.api import Check, Context, LookupContext, Lookups, Options, Runs

EVENT = Event("m-1", "commit-file", 93124, "1923", True, {}, 0)
LOOKUPS = cast(Lookups, object())


class Limit(Options):
    most: int = 3


def check(*, uses_lookups: bool) -> Check:
    return Check("limit", frozenset(), Runs.CPU, lambda _: (), Limit, uses_lookups=uses_lookups)


def test_a_check_with_lookups_gets_them() -> None:
    context = check(uses_lookups=True).context(EVENT, None, {"most": 5}, LOOKUPS, 7.0, deadline=9.0)
    assert isinstance(context, LookupContext)
    assert context == LookupContext(EVENT, Snapshot(), Limit(most=5), LOOKUPS, 7.0, deadline=9.0)


def test_another_check_gets_none() -> None:
    context = check(uses_lookups=False).context(EVENT, None, {}, LOOKUPS, 7.0)
    assert type(context) is Context
    assert context == Context(EVENT, Snapshot(), Limit(), None, 7.0)


def test_a_check_with_lookups_does_not_run_without_them() -> None:
    with pytest.raises(TypeError, match="check limit uses lookups, and none are available"):
        check(uses_lookups=True).context(EVENT, None, {}, None, 7.0)


def test_invalid_options_are_rejected() -> None:
    with pytest.raises(ValidationError):
        check(uses_lookups=False).context(EVENT, None, {"most": "many"}, None, 7.0)
