"""The ledger detects that Redis may have lost what it acknowledged. Real Valkeys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from common.events import Event
from common.ledger import FrozenVerdict, Ledger, connect
from common.ledger.history import MIN_LOST_LEASE_SECONDS
from common.verdicts import Reason, Result, Verdict
from tests.support.engines import PASSWORD, Valkey, free_port
from tests.support.running_dwgate import wait_for

CODE = "ext-history"
LEASE = 12.0
VERDICT = Verdict(Result.FAIL, "tip", Reason.COMPLETE, 1.0)


@pytest.fixture
def ledger(clean_redis_url: str) -> Iterator[Ledger]:
    client = connect(clean_redis_url)
    yield Ledger(client, CODE)
    client.close()


def admit(ledger: Ledger, message_id: str = "m-1", at: float | None = None) -> None:
    now = time.time()
    event = Event(message_id, "commit-file", 7, "u", True, {}, at or now)
    assert ledger.admit(event, now + 60, now + 48)[0]


def wait_of(ledger: Ledger, message_id: str = "m-1", patience: float | None = None) -> float | None:
    """Return for how long no process may decide; None if that is possible now."""
    lease = ledger.acquire_report_lease(message_id, "o", LEASE, patience=patience)
    assert lease.record or lease.wait
    return lease.wait


def freeze(ledger: Ledger, message_id: str = "m-1") -> FrozenVerdict:
    frozen = ledger.freeze_verdict(message_id, "o", VERDICT)
    assert frozen
    return frozen


def lose_history(ledger: Ledger) -> None:
    """Let the next step find another server than the one that was written to."""
    ledger.lease_due(1)
    ledger.client.hset(ledger.key("history"), "server", "another")


def test_nothing_is_lost_at_the_first_start(ledger: Ledger) -> None:
    ledger.lease_due(1)
    admit(ledger, at=time.time() + 0.5)
    assert wait_of(ledger) is None
    assert freeze(ledger) == FrozenVerdict(VERDICT, may_be_answered=False, is_unverified=False)


def test_an_event_from_before_the_first_start_may_be_answered(ledger: Ledger) -> None:
    admit(ledger, at=time.time() - 1)
    assert wait_of(ledger) is None
    assert freeze(ledger) == FrozenVerdict(VERDICT, may_be_answered=True, is_unverified=False)


def test_after_a_restart_an_undecided_event_waits_and_is_unverified(ledger: Ledger, valkey: Valkey) -> None:
    ledger.lease_due(1)
    admit(ledger)
    valkey.sync()
    valkey.kill()
    valkey.start()

    whole = wait_of(ledger)
    assert whole
    assert LEASE - 5 < whole <= LEASE
    near_the_deadline = wait_of(ledger, patience=3)
    assert near_the_deadline
    assert near_the_deadline <= 3
    assert wait_of(ledger, patience=0)
    wait_for(lambda: wait_of(ledger, patience=0) is None, MIN_LOST_LEASE_SECONDS + 5)
    assert freeze(ledger).is_unverified
    assert freeze(ledger).is_unverified, "until DataWorks is known to have a verdict"


def test_a_verdict_that_is_still_there_needs_no_wait_and_no_other_is_posted(ledger: Ledger) -> None:
    admit(ledger, at=time.time() - 1)
    assert wait_of(ledger) is None
    freeze(ledger)
    ledger.release_report_lease("m-1", "o", unposted=True)
    lose_history(ledger)

    assert wait_of(ledger) is None
    assert freeze(ledger) == FrozenVerdict(VERDICT, may_be_answered=True, is_unverified=False)


def test_an_event_that_arrives_after_a_loss_does_not_wait(ledger: Ledger) -> None:
    lose_history(ledger)
    ledger.lease_due(1)
    admit(ledger, at=time.time() + 0.5)
    assert wait_of(ledger) is None
    # Its earlier record may be lost, or ingest's clock is ahead.
    assert freeze(ledger).is_unverified

    admit(ledger, "later", at=time.time() + 40)
    ledger.client.hset(ledger.key("event:later"), "admitted", round((time.time() + 40) * 1000))
    assert wait_of(ledger, "later") is None
    assert freeze(ledger, "later") == FrozenVerdict(VERDICT, may_be_answered=False, is_unverified=False)


def test_a_loss_of_everything_is_known_to_the_processes_that_survived_it(ledger: Ledger) -> None:
    ledger.lease_due(1)
    ledger.client.flushdb()
    newcomer = Ledger(ledger.client, CODE)
    newcomer.lease_due(1)
    admit(ledger, at=time.time() - 1)
    assert wait_of(newcomer) is None, "it cannot know"
    newcomer.release_report_lease("m-1", "o")

    assert wait_of(ledger)
    assert wait_of(newcomer), "now it does"


def test_a_requeue_is_verified_again(ledger: Ledger) -> None:
    admit(ledger, at=time.time() - 10)
    lose_history(ledger)
    ledger.lease_due(1)
    ledger.client.hincrby(ledger.key("history"), "began", -5000)
    assert wait_of(ledger, patience=3) is None
    assert freeze(ledger).is_unverified
    ledger.release_report_lease("m-1", "o", unposted=True)
    ledger.mark_dead("m-1", "DataWorks cannot be queried")
    assert ledger.reopen("m-1", time.time() + 60, time.time() + 48, actor="me@host", reason="again") == 2
    assert wait_of(ledger, patience=3) is None
    assert freeze(ledger).is_unverified


def test_a_promoted_replica_has_another_history(ledger: Ledger, valkey: Valkey, tmp_path: Path) -> None:
    replica = Valkey(tmp_path)
    replica.start()
    control = redis.Redis.from_url(replica.url)
    promoted = Ledger(connect(replica.url), CODE)
    try:
        replica.follow(valkey)
        ledger.lease_due(1)
        admit(ledger)
        wait_for(lambda: promoted.get("m-1"))
        control.replicaof("NO", "ONE")
        assert wait_of(promoted)
        began = control.hget(ledger.key("history"), "began")

        control.replicaof("127.0.0.1", free_port())
        control.replicaof("NO", "ONE")
        assert wait_of(promoted)
        assert control.hget(ledger.key("history"), "began") != began, "the same server, promoted again"
    finally:
        promoted.client.close()
        control.close()
        replica.close()


def test_without_permission_for_info_every_event_is_verified(ledger: Ledger, clean_redis_url: str) -> None:
    ledger.client.acl_setuser(
        "limited",
        enabled=True,
        passwords=["+made-up-too"],
        keys=["*"],
        categories=["+@all"],
        commands=["-info"],
    )
    client = connect(clean_redis_url.replace("://:", "://limited:").replace(PASSWORD, "made-up-too"))
    limited = Ledger(client, CODE)
    try:
        admit(limited, at=time.time() - 1)
        assert wait_of(limited) is None
        assert freeze(limited) == FrozenVerdict(VERDICT, may_be_answered=True, is_unverified=True)
    finally:
        client.close()
        ledger.client.acl_deluser("limited")
