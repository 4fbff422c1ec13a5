"""A short form of the attack in tests/fuzz/fuzz_ingest.py."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.fuzz_ingest import attack
from tests.fuzz.http_attempts import GENERATORS


def test_only_what_is_signed_is_queued(tmp_path: Path, clean_redis_url: str) -> None:
    result = attack(tmp_path, clean_redis_url, 1000, seed=20261128)
    assert result.failures == []
    assert len(result.attempts) == len(GENERATORS)
    assert result.queued > 100
