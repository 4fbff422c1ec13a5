"""Check that every regular expression of the product takes linear time: `python -m tests.redos`."""

from __future__ import annotations

import sys
import time

from tests.redos.growth import slow_text
from tests.redos.product_patterns import product_patterns


def main() -> int:
    """Return 1 if a pattern is slow, or if a place that builds patterns was not run."""
    begin = time.monotonic()
    patterns, unseen = product_patterns()
    distinct = {(each.pattern, each.flags, each.method): each for each in patterns}
    lines = [
        f"{place}: builds a pattern, but was not run; run it in tests/redos/product_patterns.py"
        for place in unseen
    ]
    for (pattern, flags, method), each in distinct.items():
        if (text := slow_text(pattern, flags, method)) is not None:
            lines.append(f"{each.place}: the time of {method} grows faster than the text {text}")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.write(f"{len(distinct)} patterns, {len(lines)} problems, {time.monotonic() - begin:.0f} s\n")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
