import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.folder_lock import FolderInUse, locked

HOLD = "import sys, pathlib; from deploy.local.folder_lock import locked\n"
HOLD += "with locked(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


def test_a_second_process_is_refused_until_the_first_one_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        assert first.stdout.readline() == "held\n"
        with pytest.raises(FolderInUse, match="in use by another dwgate up"), locked(tmp_path):
            pass
        first.kill()
    with locked(tmp_path):
        pass
