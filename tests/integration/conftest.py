"""What tests of a worker's parts share: an emulator of their own, and settings that lead to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.emulator_process import EXTENSION_CODE, Emulator, running, use_credentials
from workers.settings import WorkerSettings


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator for one test, and credentials that it lets in."""
    use_credentials(monkeypatch)
    with running() as far_side:
        yield far_side


@pytest.fixture
def worker_settings(clean_redis_url: str, emulator: Emulator) -> WorkerSettings:
    """Settings of a worker whose ledger and broker are the session's Valkey, empty."""
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
