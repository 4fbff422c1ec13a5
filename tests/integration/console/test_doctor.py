"""`dwgate doctor` with a real Valkey and the emulator: the extension, and a Redis that refuses to write."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from common.ledger import connect
from tests.support.emulator_process import EXTENSION_CODE, KEY_ID, KEY_SECRET, Emulator
from tests.support.measured import MEASURED

DWGATE = Path(sys.executable).with_name("dwgate")
WORKERS = ("--role=intake", "--role=checks-io", "--role=reporter", "--role=watchdog")

Doctor = Callable[..., dict[str, list[dict[str, Any]]]]


@pytest.fixture
def doctor(clean_redis_url: str, emulator: Emulator, tmp_path: Path) -> Doctor:
    """Runs the command; returns the diagnoses by what they are about, and the exit code as `exit`."""

    def run(*arguments: str, **settings: str) -> dict[str, list[dict[str, Any]]]:
        environment = {
            **MEASURED,
            "PATH": "/usr/bin:/bin",
            "DWGATE_BROKER_URL": clean_redis_url,
            "DWGATE_REDIS_URL": clean_redis_url,
            "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
            "DWGATE_REGION": "cn-shanghai",
            "DWGATE_OPENAPI_ENDPOINT": emulator.host_port,
            "DWGATE_OPENAPI_PROTOCOL": "http",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY_SECRET,
            **settings,
        }
        answer = subprocess.run(
            [DWGATE, "doctor", *arguments, "--json"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.stderr == ""
        found: dict[str, list[dict[str, Any]]] = {"exit": [{"detail": answer.returncode}]}
        for item in json.loads(answer.stdout)["diagnoses"]:
            found.setdefault(item["what"], []).append(item)
        return found

    return run


@pytest.fixture
def client(clean_redis_url: str) -> Iterator[redis.Redis]:
    client = connect(clean_redis_url)
    yield client
    client.replicaof("NO", "ONE")
    client.config_set("maxmemory", "0")
    client.close()


def test_the_extension_and_its_points_are_compared_with_the_policy(doctor: Doctor) -> None:
    found = doctor(*WORKERS)
    assert found["exit"] == [{"detail": 0}], found
    assert found["extension"][0]["detail"] == "published"
    assert found["extension points"][0]["health"] == "good"
    assert "bus of the distribution channel" in found["event rule"][0]["detail"]


def test_a_wrong_extension_code_is_an_error(doctor: Doctor) -> None:
    found = doctor(*WORKERS, DWGATE_EXTENSION_CODE="no-such-extension")
    assert found["exit"] == [{"detail": 1}]
    [extension] = found["extension"]
    assert extension["health"] == "wrong"
    assert "DataWorks knows no extension no-such-extension" in extension["detail"]


def test_a_role_without_credentials_asks_dataworks_nothing(doctor: Doctor, emulator: Emulator) -> None:
    found = doctor("--role=checks-cpu", ALIBABA_CLOUD_ACCESS_KEY_ID="", DWGATE_OPENAPI_ENDPOINT="127.0.0.1:1")
    assert found["exit"] == [{"detail": 0}], found
    assert "DataWorks" not in found
    assert emulator.state()["calls"] == {}


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        (lambda client: client.config_set("maxmemory", "1"), "has reached maxmemory and refuses writes"),
        (lambda client: client.replicaof("127.0.0.1", "1"), "is a replica and refuses writes"),
    ],
    ids=["memory", "replica"],
)
@pytest.mark.parametrize("role", ["--role=watchdog", "--role=checks-cpu"])
def test_a_redis_that_refuses_to_write_is_wrong(
    doctor: Doctor, client: redis.Redis, misbehave: Callable[[redis.Redis], object], reason: str, role: str
) -> None:
    misbehave(client)
    found = doctor(role)
    # 3 if the role also needs an answer of DataWorks, whose quota is in Redis.
    assert found["exit"] in ([{"detail": 1}], [{"detail": 3}])
    [writes] = found["Redis writes"]
    assert (writes["health"], writes["detail"]) == ("wrong", f"Redis {reason}; no event can be recorded")
