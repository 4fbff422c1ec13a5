"""DW-I02: a suppression suppresses something."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from common.verdicts import Severity
from workers.review.facts import Span
from workers.review.rules.rule import ANY, Hit, Options, Subject, Text, rule
from workers.review.suppression import suppressions


@rule(
    "DW-I02",
    "suppression-unused",
    Severity.INFO,
    dialects=ANY,
    fix=Text("Take the suppression away.", "请删除该屏蔽注释。"),
)
def suppression_unused(subject: Subject, _: Options) -> Iterator[Hit]:
    """Suppression suppresses nothing.

    ## What it does
    Reports each rule that a complete suppression names and that has nothing to say where the suppression
    holds. Rules that the policy has switched off are left out.

    ## Why
    The code was mended, or the comment stands on the wrong line. In the first case it hides the next mistake
    that somebody makes there; in the second it does not do what its author wanted.

    ## Bad
    ```sql
    -- dwgate:ignore MC-P06 the report needs its order
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}'
    ```

    ## Good
    ```sql
    -- dwgate:ignore MC-P06 the report needs its order
    SELECT id FROM dwd_order_di WHERE ds = '${bizdate}' ORDER BY id
    ```

    ## Options
    None.

    ## Known limits
    A statement that could not be read has no findings of other rules, so its suppressions look unused.
    """
    places: dict[str, list[int]] = {}
    for seen, at in sorted(subject.seen, key=lambda item: item[1]):
        places.setdefault(seen.upper(), []).append(at.begin)
    for told in suppressions(subject.script):
        if told.covers and told.counts:
            for name in told.rules:
                if not _any(places.get(name, []), told.covers):
                    yield Hit(
                        told.at,
                        Text(
                            f"There is no finding of {name} here for the suppression to suppress.",
                            f"此处没有 {name} 的问题，屏蔽没有作用。",
                        ),
                        key=name,
                    )


def _any(places: list[int], covers: Span) -> bool:
    index = bisect_left(places, covers.begin)
    return index < len(places) and places[index] < covers.end
