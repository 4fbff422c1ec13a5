"""Flower as a real process on a real broker: authenticated, read-only, and without task arguments."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from celery import Celery

from console.guess_lock import MAX_FAILURES
from tests.support.emulator_process import EXTENSION_CODE
from tests.support.engines import PASSWORD, Valkey
from tests.support.impostor import Impostor
from tests.support.queues import TOPOLOGY
from workers.celery_app import monitoring_config

USER = ("watcher", "made-up-too")
SECRET = "SELECT secret_column FROM node_code"
RUN = """
from common.settings import load_settings
from console.flower.server import run
from console.flower.settings import FlowerSettings
run(load_settings(FlowerSettings), port=0)
"""
WORKER = """
import json, sys, time
from celery import Celery
app = Celery("far", broker=sys.argv[1])
app.conf.update(json.loads(sys.argv[2]))
app.conf.update(worker_send_task_events=True, task_acks_late=True, worker_prefetch_multiplier=4)

@app.task(name="dwgate.check")
def check(what, wait):
    time.sleep(wait)
    return what

@app.task(name="dwgate.broken")
def broken(what):
    raise ValueError(what)

app.worker_main(["worker", "--pool=threads", "--concurrency=1", "-n", "one@test", "-Q", "flower-test"])
"""


class FlowerProcesses:
    """Flower and one worker as processes."""

    def __init__(self, broker_url: str, directory: Path, **settings: str) -> None:
        self.broker_url = broker_url
        self.log = directory / "flower.log"
        self.database = directory / "flower.db"
        self._environment = {
            **os.environ,
            "DWGATE_BROKER_URL": broker_url,
            "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
            "DWGATE_FLOWER_USERS": ":".join(USER),
            "DWGATE_FLOWER_DB": str(self.database),
            **settings,
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start_flower(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return self._start([sys.executable, "-c", RUN], log)

    def start_worker(self) -> None:
        with self.log.with_name("worker.log").open("wb") as log:
            self._start(
                [sys.executable, "-c", WORKER, self.broker_url, json.dumps(monitoring_config(TOPOLOGY))], log
            )

    def _start(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        self._processes.append(process)
        return process

    def url(self) -> str:
        for line in self.log.read_text().splitlines():
            if line.startswith("{") and (entry := json.loads(line))["event"] == "server_started":
                return str(entry["url"])
        return ""

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@pytest.fixture
def far(clean_redis_url: str, tmp_path: Path) -> Iterator[FlowerProcesses]:
    processes = FlowerProcesses(clean_redis_url, tmp_path)
    yield processes
    processes.end()


def wait_for(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < end, "not within 30 seconds"
        time.sleep(0.05)
    return found


def test_closed_without_a_password(far: FlowerProcesses) -> None:
    flower = far.start_flower()
    url = wait_for(far.url)
    closed = (
        "/",
        "/workers",
        "/tasks",
        "/task/x",
        "/broker",
        "/tasks/datatable",
        "/api/tasks",
        "/api/workers",
    )
    odd = [("watcher", "wrong"), ("watcher", ""), ("wätcher", "made-up-too")]
    for path, user in [*((path, None) for path in closed), *(("/", user) for user in odd)]:
        reply = httpx.get(url + path, auth=user)
        assert reply.status_code == 401, (path, user)
        assert PASSWORD not in reply.text
    for path in ("/", "/tasks", "/broker", "/api/tasks", "/api/workers"):
        assert httpx.get(url + path, auth=USER).status_code == 200, path
    for path in ("/healthcheck", "/metrics"):
        assert httpx.get(url + path).status_code == 200, path

    flower.send_signal(signal.SIGTERM)
    assert flower.wait(10) == 0
    assert PASSWORD not in far.log.read_text()
    assert USER[1] not in far.log.read_text()


def test_an_address_that_guesses_is_locked_out(far: FlowerProcesses) -> None:
    far.start_flower()
    url = wait_for(far.url)
    for number in range(MAX_FAILURES):
        assert httpx.get(url, auth=("watcher", f"guess-{number}")).status_code == 401
    reply = httpx.get(url, auth=USER)
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0
    assert httpx.post(url + "/api/task/revoke/x", auth=USER).status_code == 429
    assert httpx.get(url + "/healthcheck").status_code == 200


def test_other_pages_can_neither_frame_nor_script_it(far: FlowerProcesses) -> None:
    far.start_flower()
    url = wait_for(far.url)
    for path in ("/", "/tasks", "/broker", "/nowhere", "/healthcheck", "/static/js/flower.js"):
        reply = httpx.get(url + path, auth=USER)
        policy = dict(
            part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";")
        )
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert reply.headers["X-Frame-Options"] == "DENY"
        allowed = policy["script-src"].split()
        assert "'unsafe-inline'" not in allowed
        for script in re.findall(r"<script(?![^>]*src=)[^>]*>(.*?)</script>", reply.text, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed, (path, script)
        assert not re.search(r"\son\w+=", reply.text) or path.endswith(".js"), path


def test_operates_nothing(far: FlowerProcesses) -> None:
    far.start_flower()
    url = wait_for(far.url)
    orders = ("/api/task/send-task/dwgate.intake", "/api/task/revoke/x", "/api/worker/shutdown/x")
    for path in orders:
        assert httpx.post(url + path, auth=USER, json={"args": []}).status_code == 403, path


def test_never_shows_arguments_of_a_task(far: FlowerProcesses) -> None:
    far.start_worker()
    far.start_flower()
    url = wait_for(far.url)
    client = httpx.Client(base_url=url, auth=USER)
    wait_for(lambda: client.get("/api/workers", params={"refresh": "1"}).json())
    app = Celery("near", broker=far.broker_url, set_as_current=False)

    def send(name: str, args: list[Any], shown: str | None = None) -> str:
        sent = app.send_task(name, args, queue="flower-test", ignore_result=True, argsrepr=shown)
        return str(sent.id)

    done, failed = send("dwgate.check", [SECRET, 0]), send("dwgate.broken", [SECRET])
    running, waiting = send("dwgate.check", [SECRET, 60], "-"), send("dwgate.check", [SECRET, 61], "-")
    states = {done: "SUCCESS", failed: "FAILURE", running: "STARTED", waiting: "RECEIVED"}

    def seen() -> bool:
        tasks = client.get("/api/tasks").json()
        return {task: tasks.get(task, {}).get("state") for task in states} == states

    wait_for(seen)
    pages = ["/api/tasks", "/tasks", "/workers", "/worker/one@test", "/metrics", "/broker"]
    pages += ["/api/workers?refresh=1&workername=one@test"]
    pages += [f"/task/{task}" for task in states] + [f"/api/task/info/{task}" for task in states]
    for page in pages:
        reply = client.get(page)
        assert reply.status_code == 200, page
        assert "secret_column" not in reply.text, page
        assert PASSWORD not in reply.text, page
    assert client.get(f"/api/task/info/{failed}").json()["exception"] == "ValueError"
    client.close()


def test_lists_every_queue_and_no_other(far: FlowerProcesses) -> None:
    far.start_flower()
    url = wait_for(far.url)
    lengths = httpx.get(url + "/api/queues/length", auth=USER).json()["active_queues"]
    names = {queue.name for queue in TOPOLOGY.task_queues}
    assert {queue["name"] for queue in lengths} == names
    page = httpx.get(url + "/broker", auth=USER).text
    assert all(name in page for name in names)
    assert ">celery<" not in page


def test_lists_every_queue_of_rabbitmq(tmp_path: Path) -> None:
    """The management API lists all queues of the virtual host; Flower shows those of the fleet."""
    names = [queue.name for queue in TOPOLOGY.queues]
    listed = [{"name": name, "messages": 1} for name in (*names, "another.program", "celery")]
    body = json.dumps(listed).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with Impostor(None, reply=head.encode() + body) as management:
        api = f"http://127.0.0.1:{management.port}/api/"
        far = FlowerProcesses("amqp://guest:guest@127.0.0.1:1//", tmp_path, DWGATE_FLOWER_BROKER_API=api)
        try:
            far.start_flower()
            url = wait_for(far.url)
            shown = httpx.get(url + "/api/queues/length", auth=USER).json()["active_queues"]
            assert [queue["name"] for queue in shown] == names
        finally:
            far.end()


def test_remembers_after_a_restart(far: FlowerProcesses) -> None:
    far.start_worker()
    flower = far.start_flower()
    url = wait_for(far.url)
    wait_for(lambda: httpx.get(url + "/api/workers?refresh=1", auth=USER).json())
    app = Celery("near", broker=far.broker_url, set_as_current=False)
    task = str(app.send_task("dwgate.check", ["x", 0], queue="flower-test", ignore_result=True).id)
    wait_for(lambda: task in httpx.get(url + "/api/tasks", auth=USER).json())
    flower.send_signal(signal.SIGTERM)
    assert flower.wait(10) == 0

    far.start_flower()
    url = wait_for(far.url)
    assert task in httpx.get(url + "/api/tasks", auth=USER).json()


@pytest.mark.parametrize("fault", ["kill", "stop_process"])
def test_ends_without_its_broker(far: FlowerProcesses, valkey: Valkey, fault: str) -> None:
    flower = far.start_flower()
    url = wait_for(far.url)
    getattr(valkey, fault)()
    assert httpx.get(url + "/healthcheck").status_code == 200
    flower.send_signal(signal.SIGTERM)
    assert flower.wait(10) == 0


@pytest.mark.parametrize("users", [None, "", "watcher", "watcher:", ":secret", "wätcher:secret"])
def test_does_not_start_without_users(users: str | None, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DWGATE_BROKER_URL": "redis://127.0.0.1:1/0",
        "DWGATE_EXTENSION_CODE": EXTENSION_CODE,
    }
    if users is not None:
        environment["DWGATE_FLOWER_USERS"] = users
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "DWGATE_FLOWER_USERS" in done.stderr.splitlines()[-1]


def test_sees_rabbitmq(broker_url: str, tmp_path: Path) -> None:
    far = FlowerProcesses(broker_url, tmp_path)
    try:
        far.start_worker()
        flower = far.start_flower()
        url = wait_for(far.url)
        wait_for(lambda: httpx.get(url + "/api/workers?refresh=1", auth=USER).json())
        app = Celery("near", broker=broker_url, set_as_current=False)
        task = str(app.send_task("dwgate.check", ["x", 0], queue="flower-test", ignore_result=True).id)
        wait_for(lambda: task in httpx.get(url + "/api/tasks", auth=USER).json())
        flower.send_signal(signal.SIGTERM)
        assert flower.wait(10) == 0
    finally:
        far.end()
