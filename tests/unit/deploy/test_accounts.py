"""The secret files of `dwgate accounts`."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from common.topology import Topology
from deploy.accounts import redis
from deploy.accounts.secret_files import ACL_FILE, DEFINITIONS_FILE, AccountFileExists, write_files
from deploy.accounts.services import SERVICES

DWGATE = Path(sys.executable).with_name("dwgate")
BROKER, REDIS = "amqps://broker.example.com:5671/%2F", "rediss://redis.example.com:6379/0"


def write(folder: Path) -> list[Path]:
    return write_files(
        folder, broker_url=BROKER, redis_url=REDIS, extension_code="ext", topology=Topology("ext")
    )


def test_every_service_has_its_own_password_in_each_engine(tmp_path: Path) -> None:
    files = write(tmp_path)
    passwords = [urlsplit(file.read_text()).password for file in files if file.name.endswith("_url")]
    assert len(passwords) == len(set(passwords)) == 13
    assert (tmp_path / "checks_broker_url").read_text().startswith("amqps://checks:")
    assert (tmp_path / "checks_redis_url").read_text().endswith("@redis.example.com:6379/0\n")
    assert not (tmp_path / "flower_redis_url").exists()


def test_the_engines_get_hashes_only(tmp_path: Path) -> None:
    write(tmp_path)
    password = urlsplit((tmp_path / "ingest_broker_url").read_text()).password or ""
    definitions = (tmp_path / DEFINITIONS_FILE).read_text()
    (user,) = (user for user in json.loads(definitions)["users"] if user["name"] == "ingest")
    salted = base64.b64decode(user["password_hash"])
    assert salted[4:] == hashlib.sha256(salted[:4] + password.encode()).digest()
    for file in tmp_path.glob("*_url"):
        secret = urlsplit(file.read_text()).password
        assert secret
        assert secret not in definitions + (tmp_path / ACL_FILE).read_text()


def test_existing_files_are_kept(tmp_path: Path) -> None:
    write(tmp_path)
    before = {file: file.read_text() for file in tmp_path.iterdir()}
    (tmp_path / "io_redis_url").unlink()
    with pytest.raises(AccountFileExists, match=f"{tmp_path / DEFINITIONS_FILE} exists"):
        write(tmp_path)
    assert {file: file.read_text() for file in tmp_path.iterdir()} == {
        file: text for file, text in before.items() if file.name != "io_redis_url"
    }


def test_no_one_is_an_administrator(tmp_path: Path) -> None:
    write(tmp_path)
    tags = {
        user["name"]: user["tags"] for user in json.loads((tmp_path / DEFINITIONS_FILE).read_text())["users"]
    }
    assert tags == {service.name: ["management"] if service.name == "flower" else [] for service in SERVICES}


def test_an_extension_code_is_no_pattern() -> None:
    lines = redis.acl({service.name: "x" for service in SERVICES}, "a*b[c]?")
    assert r"~dwgate:{a\*b\[c\]\?}:rejects " in lines


def test_a_user_is_in_the_url_of_each_node(tmp_path: Path) -> None:
    nodes = "amqp://a:1/v;amqp://b:2/v"
    write_files(tmp_path, broker_url=nodes, redis_url=REDIS, extension_code="ext", topology=Topology("ext"))
    first, second = (tmp_path / "flower_broker_url").read_text().rstrip().split(";")
    assert first.startswith("amqp://flower:")
    assert first.replace("@a:1", "@b:2") == second


def test_the_command_writes_the_files(tmp_path: Path) -> None:
    command = [str(DWGATE), "accounts", str(tmp_path), "--extension-code", "ext"]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(first.stdout.split()) == {str(file) for file in tmp_path.iterdir()}
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith(f"dwgate: {tmp_path}/")


@pytest.mark.parametrize(
    "url",
    ["amqp://u:p@host/", "redis://host/", "amqp:///", "amqp://a/;amqp://u:p@b/", "amqp://a/;amqp://b/other"],
)
def test_a_url_is_without_a_user(tmp_path: Path, url: str) -> None:
    command = [str(DWGATE), "accounts", str(tmp_path), "--extension-code", "ext", "--broker", url]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
    assert not [*tmp_path.iterdir()]
