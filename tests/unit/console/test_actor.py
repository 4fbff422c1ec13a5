"""The actor of a command in the audit trail."""

import os
import pwd
import socket

import pytest

from console.actor import current_actor


def test_the_user_of_the_process_counts_and_not_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, "another")
    monkeypatch.delenv("SUDO_USER", raising=False)
    here = f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
    assert current_actor() == here
    monkeypatch.setenv("SUDO_USER", "alice")
    assert current_actor() == f"{here} (sudo by alice)"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert current_actor() == f"4000000000@{socket.gethostname()}"
