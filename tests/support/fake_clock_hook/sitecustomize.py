"""Makes the clock wrong for a Python process, by the seconds in a file, which may change at any time.

Python imports this module at start if its folder is in PYTHONPATH. (libfaketime breaks `time.sleep`, which
waits for an absolute time of the monotonic clock.)
"""

import os
import time
from pathlib import Path

_file = Path(os.environ["DWGATE_TEST_CLOCK_FILE"])
_time, _time_ns = time.time, time.time_ns


def _offset() -> int:
    return int(_file.read_text())


def _wrong_time() -> float:
    return _time() + _offset()


def _wrong_time_ns() -> int:
    return _time_ns() + _offset() * 10**9


time.time, time.time_ns = _wrong_time, _wrong_time_ns
