"""The TLS proxy of deploy/compose: nginx with its configuration, in front of a running ingest and console."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest

from ingest.http_protocol import MAX_BODY_BYTES
from tests.support.certificates import LOOPBACK, Authority
from tests.support.engines import Valkey, free_port
from tests.support.running_dwgate import TARGET, TOKEN, RunningDwgate, fleet, wait_for

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "compose" / "nginx.conf"


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        gate: what it is in front of.
        http: a client that trusts its certificate.
        ingest: its URL for events.
        console: its URL for people.
        direct: the console itself.
        health: the URL of the container's health check.
    """

    gate: RunningDwgate
    http: httpx.Client
    ingest: str
    console: str
    direct: str
    health: str


@pytest.fixture(scope="module")
def proxy(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    valkey.restore()
    valkey.clean()
    folder = tmp_path_factory.mktemp("proxy")
    authority = Authority(folder)
    pair = authority.issue("proxy", *LOOPBACK)
    ports = free_port(), free_port(), free_port()
    base = "https://127.0.0.1"
    users = folder / "users.yaml"
    users.write_text("version: 1\nusers: [{name: '*', role: viewer}]\n")
    settings = {
        "DWGATE_CONSOLE_USERS_FILE": str(users),
        "DWGATE_CONSOLE_PROXY_ADDRESSES": "127.0.0.1",
    }
    with fleet(valkey.url, valkey.url, folder, settings=settings) as gate:
        console = gate.start_console(free_port())
        replaced = {
            "/tmp/": f"{folder}/",
            "/run/secrets/proxy_certificate": str(pair.cert_file),
            "/run/secrets/proxy_key": str(pair.key_file),
            "listen 8443": f"listen 127.0.0.1:{ports[0]}",
            "listen 8444": f"listen 127.0.0.1:{ports[1]}",
            "listen 127.0.0.1:8480": f"listen 127.0.0.1:{ports[2]}",
            "http://ingest:8080": gate.url,
            "http://console:8081": console,
        }
        text = CONFIGURATION.read_text()
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        (folder / "nginx.conf").write_text(text)
        # user: else the worker processes of root could not write to the folder.
        command = [
            "nginx",
            "-c",
            str(folder / "nginx.conf"),
            "-p",
            str(folder),
            "-g",
            "daemon off; user root;",
        ]
        with (
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process,
            httpx.Client(
                trust_env=False, verify=ssl.create_default_context(cafile=authority.ca_file)
            ) as http,
        ):
            health = f"http://127.0.0.1:{ports[2]}/"
            running = Proxy(gate, http, f"{base}:{ports[0]}", f"{base}:{ports[1]}", console, health)
            try:
                wait_for(lambda: is_ready(running))
                yield running
            finally:
                process.terminate()
                process.wait(20)
    valkey.restore()


def is_ready(proxy: Proxy) -> bool:
    try:
        return proxy.http.get(proxy.ingest).status_code == httpx.codes.NOT_FOUND
    except httpx.TransportError:
        return False


def test_an_event_passes_unchanged_and_gets_its_verdict(proxy: Proxy) -> None:
    message_id, event, sample = proxy.gate.sample("commit-file-bad")
    proxy.gate.start_process(message_id, sample)
    body = orjson.dumps(event)
    headers = proxy.gate.signer.sign(TARGET, body, time.time(), TOKEN)
    accepted = proxy.http.post(f"{proxy.ingest}/events", content=body, headers=headers)
    assert accepted.status_code == httpx.codes.OK
    assert proxy.gate.verdict(message_id)["result"] == "FAIL"
    unsigned = proxy.http.post(f"{proxy.ingest}/events", content=body)
    assert unsigned.status_code == httpx.codes.UNAUTHORIZED


def test_a_body_of_the_maximum_size_reaches_ingest(proxy: Proxy) -> None:
    largest = proxy.http.post(f"{proxy.ingest}/events", content=b"x" * MAX_BODY_BYTES)
    assert largest.status_code == httpx.codes.UNAUTHORIZED
    above = proxy.http.post(f"{proxy.ingest}/events", content=b"x" * (MAX_BODY_BYTES + 1))
    assert above.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 404),
        ("GET", "/readyz", 404),
        ("POST", "/", 404),
        ("POST", "/events/x", 404),
        ("GET", "/events", 403),
    ],
)
def test_nothing_else_of_ingest_can_be_reached(proxy: Proxy, method: str, path: str, status: int) -> None:
    assert proxy.http.request(method, proxy.ingest + path).status_code == status


def test_it_is_healthy(proxy: Proxy) -> None:
    assert proxy.http.get(proxy.health).status_code == httpx.codes.NO_CONTENT


def test_pages_of_the_console_pass_with_their_headers(proxy: Proxy) -> None:
    reply = proxy.http.get(f"{proxy.console}/login")
    assert reply.status_code == httpx.codes.OK
    assert "max-age" in reply.headers["strict-transport-security"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_no_client_names_a_user(proxy: Proxy) -> None:
    headers = {"X-Forwarded-User": "chen@example.com"}
    assert proxy.http.get(f"{proxy.direct}/events", headers=headers).status_code == httpx.codes.OK
    answer = proxy.http.get(f"{proxy.console}/events", headers=headers)
    assert answer.is_redirect
    assert answer.headers["location"].startswith("/login")
