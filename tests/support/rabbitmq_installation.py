"""Where RabbitMQ is started from: the system's packages, or RabbitMQ 4 as `.ci/rabbitmq-4` unpacks it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.engines import RABBITMQ_BIN, EngineError

ROOT_4 = Path(__file__).parents[2] / ".cache" / "rabbitmq-4" / "root"

# A mount namespace of its own: nothing stays mounted. Process ids remain those of the machine.
_IN_ROOT = (
    'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount --bind "$1" "$0$1"'
    ' && folder=$0 && shift && exec chroot "$folder" "$@"'
)


class NoRabbitMQ4(EngineError):
    """RabbitMQ 4 was not fetched."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One version of RabbitMQ.

    Attributes:
        bin: folder of `rabbitmq-server` and `rabbitmqctl`.
        root: the folder that its processes have as their root, in which they see the temporary folder; None
            for the system's.
    """

    bin: Path
    root: Path | None = None

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return a command line that runs a program of this installation."""
        if program != "epmd":
            program = str(self.bin / program)
        if self.root is None:
            return [program, *arguments]
        shared = tempfile.gettempdir()
        enter = ["unshare", "-m", "--propagation", "private", "sh", "-c", _IN_ROOT]
        return [*enter, str(self.root), shared, program, *arguments]


def find_system_rabbitmq() -> Installation:
    """Return the RabbitMQ of the system's packages.

    Raises:
        EngineError: it is not installed.
    """
    if not (RABBITMQ_BIN / "rabbitmq-server").exists() or shutil.which("epmd") is None:
        raise EngineError(f"RabbitMQ is not installed ({RABBITMQ_BIN}): install rabbitmq-server")
    return Installation(RABBITMQ_BIN)


def find_rabbitmq_4() -> Installation:
    """Return RabbitMQ 4.

    Raises:
        NoRabbitMQ4: it was not fetched.
    """
    found = sorted((ROOT_4 / "usr" / "lib" / "rabbitmq" / "lib").glob("rabbitmq_server-4.*/sbin"))
    if not found or not (ROOT_4.parent / "complete").exists():
        raise NoRabbitMQ4("RabbitMQ 4 is missing: .ci/rabbitmq-4 fetches it, on Debian")
    (ROOT_4 / tempfile.gettempdir().removeprefix("/")).mkdir(parents=True, exist_ok=True)
    return Installation(Path("/") / found[-1].relative_to(ROOT_4), ROOT_4)
