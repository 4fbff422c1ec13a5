"""`dwgate demo` and `dwgate up`, started like by a user."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from emulator.samples import load_samples

DWGATE = Path(sys.executable).with_name("dwgate")
SECONDS = 100.0
"""Generous: the target is 60 s on an idle machine."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A minimal environment; TMPDIR also identifies the processes of the test."""
    return {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}


@pytest.fixture
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """Fail if a process with the test's TMPDIR is left after the test."""
    yield
    limit = time.monotonic() + 10
    while (left := ours(tmp_path)) and time.monotonic() < limit:
        psutil.wait_procs(left, timeout=1)
    for process in left:
        process.kill()
    assert left == []


def ours(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.usefixtures("nothing_left")
def test_the_demo_shows_twenty_right_verdicts_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    answer = subprocess.run(
        [DWGATE, "demo"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert answer.stderr == ""
    rows = re.findall(
        r"^ *([a-z-]+) +(good|bad) +(OK|WARN|FAIL) +(\d+) +(\S.*)$", answer.stdout, re.MULTILINE
    )
    assert {(event, quality): result for event, quality, result, _, _ in rows} == {
        (sample.event_code, sample.quality): sample.expected.value for sample in load_samples()
    }, answer.stdout
    assert len(rows) == 20
    assert all((finding.strip() == "–") == (quality == "good") for _, quality, _, _, finding in rows)
    assert answer.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.faults)])
def test_up_accepts_a_sample_and_stops_on_a_signal(
    number: signal.Signals, environment: dict[str, str], tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [DWGATE, "up", "--port=0", "--console-port=0", "--flower-port=0"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        page = ""
        for line in process.stdout:
            page += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"--url (\S+) --token (\S+) \\\n +--key (\S+) --emulator (\S+)", page)
        assert found, page
        url, token, key, emulator = found.groups()
        opened = re.search(r"^Open (http://127\.0\.0\.1:\d+)$", page, re.MULTILINE)
        assert opened, page
        assert httpx.get(f"{opened[1]}/events", trust_env=False).status_code == 200
        options = [f"--url={url}", f"--token={token}", f"--key={key}", f"--emulator={emulator}"]
        sent = subprocess.run(
            [DWGATE, "send", "freeze-node-bad", *options, "--duplicate=1"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert (sent.returncode, sent.stderr) == (0, "")
        assert " FAIL " in sent.stdout
        listed = subprocess.run(
            [DWGATE, "--env-file", Path(key) / "dwgate.env", "events", "list"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "freeze-node" in listed.stdout
    finally:
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, "stopped\n", "")
    assert list(tmp_path.iterdir()) == []
