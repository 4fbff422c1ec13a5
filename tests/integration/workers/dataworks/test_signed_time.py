"""The time in the signature of a call: that of the fleet's clock, not of the machine."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from common import clock
from tests.support.emulator_process import Emulator
from workers.dataworks.errors import RequestRejected
from workers.services import connect_dataworks
from workers.settings import WorkerSettings


class Server:
    def __init__(self, ahead: int) -> None:
        self.ahead = ahead

    def time(self) -> tuple[int, int]:
        return int(time.time()) + self.ahead, 0


@pytest.fixture(autouse=True)
def _measured_again() -> Iterator[None]:
    clock.reset()
    yield
    clock.reset()


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_a_call_is_signed_with_the_fleets_clock(
    worker_settings: WorkerSettings, emulator: Emulator, ahead: int
) -> None:
    client = redis.Redis.from_url(worker_settings.redis_url.get_secret_value())
    dataworks = connect_dataworks(worker_settings, client)
    assert dataworks.check_processes("commit-file", deadline=clock.now() + 20) == ()

    # The emulator, whose clock is this machine's, rejects what differs by more than 15 minutes.
    clock.measure(Server(ahead))
    with pytest.raises(RequestRejected, match="InvalidTimeStamp"):
        dataworks.check_processes("commit-file", deadline=clock.now() + 20)
    client.close()
    assert emulator.verdicts() == []
