"""`dwgate up`: all of dwgate on this machine, until Ctrl-C."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

from deploy.local import stack


def run(*, port: int, flower_port: int, data: Path | None) -> int:
    """Keep the stack running until Ctrl-C or SIGTERM; return the exit code.

    Args:
        port: port of ingest.
        flower_port: port of Flower.
        data: folder to keep data and logs in; None for one that is removed at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix="dwgate-up-")) if data is None else data.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with stack.running(folder, port=port, flower_port=flower_port) as parts:
            print(page(parts), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("ended")
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def page(parts: stack.Stack) -> str:
    """Return what there is now, and what to do with it."""
    return f"""\
events       {parts.events_url}
DataWorks    {parts.emulator_url} (emulated)
Flower       {parts.flower_url} (user {stack.FLOWER_USER}, password {parts.flower_password})
data, logs   {parts.folder}

Send a sample and see its verdict:
  dwgate send freeze-node-bad --url {parts.events_url} --token {parts.token} \\
    --key {parts.folder} --emulator {parts.emulator_url}
See what became of it:
  cd {parts.folder} && dwgate events list

Its settings are in {parts.folder / stack.ENVIRONMENT_FILE}: dwgate reads them when it is started there.

Ctrl-C ends it."""
