"""Fixtures of integration tests: an emulator and settings of a worker that uses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.emulator_process import EXTENSION_CODE, Emulator, running, use_credentials
from workers.settings import WorkerSettings


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator for one test; the SDK uses its credentials."""
    use_credentials(monkeypatch)
    with running() as emulator:
        yield emulator


@pytest.fixture
def worker_settings(clean_redis_url: str, emulator: Emulator) -> WorkerSettings:
    """Settings of a worker that uses the session's Valkey, emptied, as ledger and broker."""
    return WorkerSettings.model_validate(
        {
            "broker_url": clean_redis_url,
            "redis_url": clean_redis_url,
            "extension_code": EXTENSION_CODE,
            "region": "cn-shanghai",
            "openapi_endpoint": emulator.host_port,
            "openapi_protocol": "http",
        }
    )
