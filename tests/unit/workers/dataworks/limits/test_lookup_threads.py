"""Lookups that a check begins ahead run side by side, and each is made once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.running_dwgate import wait_for
from workers.dataworks.errors import DataWorksError, RequestRejected, Unreachable
from workers.dataworks.limits import lookup_threads
from workers.dataworks.limits.lookup_threads import EVENT_THREADS, EventLookupThreads, LookupThreads
from workers.dataworks.lookups import BoundLookups


@dataclass
class Source:
    """Answers lookups of children with none, when the test lets it."""

    calls: Counter[int] = field(default_factory=Counter)
    faults: dict[int, DataWorksError] = field(default_factory=dict)
    free: threading.Event = field(default_factory=threading.Event)
    in_progress: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fetch(self, lookup: Any, arguments: Any, /, *, deadline: float) -> Any:
        assert lookup
        assert deadline
        node = arguments["NodeId"]
        with self._lock:
            self.calls[node] += 1
            self.in_progress += 1
            self.most = max(self.most, self.in_progress)
        assert self.free.wait(10)
        with self._lock:
            self.in_progress -= 1
        if fault := self.faults.pop(node, None):
            raise fault
        return ()


def children(lookups: BoundLookups, node: int) -> object:
    return lookups.node_children(node)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def lookups(source: Source) -> BoundLookups:
    return BoundLookups(source, time.time() + 60, threads=EventLookupThreads(LookupThreads()))


def test_lookups_run_side_by_side_and_each_is_made_once(source: Source, lookups: BoundLookups) -> None:
    nodes = range(EVENT_THREADS)
    lookups.begin(children, nodes)
    assert wait_for(lambda: source.in_progress == EVENT_THREADS)
    source.free.set()
    for node in nodes:
        lookups.node_children(node)
    assert source.calls == dict.fromkeys(nodes, 1)


def test_an_event_has_no_more_than_its_share_of_the_threads(source: Source, lookups: BoundLookups) -> None:
    nodes = range(3 * EVENT_THREADS)
    lookups.begin(children, nodes)
    assert wait_for(lambda: source.in_progress == EVENT_THREADS)
    source.free.set()
    assert wait_for(lambda: source.calls == dict.fromkeys(nodes, 1))
    assert source.most == EVENT_THREADS


def test_the_first_of_those_that_wait_are_looked_up_first(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_threads, "EVENT_THREADS", 1)
    lookups = BoundLookups(source, time.time() + 60, threads=EventLookupThreads(LookupThreads()))
    source.free.set()
    lookups.begin(children, [3, 1, 2])
    assert wait_for(lambda: [*source.calls] == [3, 1, 2])


def test_what_one_lookup_begins_runs_side_by_side_too(source: Source, lookups: BoundLookups) -> None:
    def both(ask: BoundLookups, node: int) -> None:
        ask.begin(children, [node + 1, node + 2])
        ask.node_children(node)

    lookups.begin(both, [1])
    assert wait_for(lambda: source.in_progress == 3)
    source.free.set()


def test_a_failure_is_raised_where_the_answer_is_needed(source: Source, lookups: BoundLookups) -> None:
    source.faults[1] = Unreachable("GetNodeChildren", "ReadTimeout")
    source.free.set()
    lookups.begin(children, [1])
    assert wait_for(lambda: source.calls[1] == 1 and source.in_progress == 0)
    with pytest.raises(Unreachable):
        lookups.node_children(1)
    assert [error.code for error in lookups.faults] == ["ReadTimeout"]
    assert lookups.node_children(1) == (), "it is looked up again"
    assert source.calls[1] == 2


@pytest.mark.parametrize(
    "fault",
    [Unreachable("a", "ReadTimeout"), RequestRejected("a", "InvalidParameter")],
    ids=["transient", "permanent"],
)
def test_a_failure_that_nobody_needs_has_no_effect(
    source: Source, lookups: BoundLookups, fault: DataWorksError
) -> None:
    source.faults[1] = fault
    source.free.set()
    lookups.begin(children, [1, 2])
    assert wait_for(lambda: source.calls == {1: 1, 2: 1} and source.in_progress == 0)
    assert lookups.node_children(2) == ()
    assert lookups.faults == []


def test_one_that_is_asked_for_before_its_turn_is_not_looked_up_again(
    source: Source, lookups: BoundLookups
) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lookups.node_children, 99)
        assert wait_for(lambda: source.in_progress == 1)
        lookups.begin(children, [99])
        source.free.set()
        assert asked.result() == ()
    lookups.begin(children, [100])
    assert wait_for(lambda: source.calls == {99: 1, 100: 1})


def test_without_threads_nothing_is_looked_up_ahead(source: Source) -> None:
    source.free.set()
    lookups = BoundLookups(source, time.time() + 60)
    lookups.begin(children, [1])
    assert not source.calls
    assert lookups.node_children(1) == ()
