"""A short run of `tests.fuzz.hostile_files`: no file that a person writes stops the process that reads it."""

from __future__ import annotations

import subprocess
import sys

from tests.fuzz.hostile_yaml import GENERATORS


def test_hostile_files_end_in_time_with_a_clear_error() -> None:
    # Four times the limit of the long run: other tests share the processors.
    command = [sys.executable, "-m", "tests.fuzz.hostile_files", "--seed", "7", "--max-seconds", "8"]
    done = subprocess.run(
        [*command, "--files", str(4 * len(GENERATORS))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
