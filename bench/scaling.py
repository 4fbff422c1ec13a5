"""Checks that the review's time grows like the length of the code: `python -m bench.scaling`.

Every case of `tests/support/worst_cases.py` is reviewed at a length and its double; exit 1 if a stage
(splitting, reading, a rule) takes more than 2.5 times as long. Linters are processes of their own and are
left out.
"""

from __future__ import annotations

import argparse
import sys

from tests.support.scaling import superlinear_stages
from tests.support.worst_cases import worst_cases


def main() -> int:
    """Return 1 if a stage of a case is not linear."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--length", type=int, default=65_536)
    parser.add_argument("--only", default="", help="cases whose name contains this text")
    chosen = parser.parse_args()
    cases = [case for case in worst_cases() if chosen.only in case.name]
    slow = 0
    for case in cases:
        if stages := superlinear_stages(case, chosen.length):
            slow += 1
            listed = ", ".join(f"{name} {ratio:.1f}" for name, ratio in stages.items())
            print(f"{case.name}: {listed}", flush=True)
    print(f"{len(cases)} cases, {slow} with a stage of more than linear time")
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
