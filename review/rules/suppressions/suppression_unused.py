"""DW-I02: suppression-unused."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from common.verdicts import Severity
from review.facts import Span
from review.rules.api import ANY, Edit, Hit, Options, RuleContext, Text, rule
from review.suppressions.comments import find_suppressions

_MARKS = " \t\r\n*/-#:"
"""What a comment consists of besides its words."""

_NEAR = 500
"""Characters around a comment that are searched for the rest of its line."""


@rule(
    "DW-I02",
    "suppression-unused",
    Severity.INFO,
    dialects=ANY,
    fix=Text("Remove the suppression.", "请删除该屏蔽注释。"),
)
def suppression_unused(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Suppression has no effect.

    ## What it does
    Reports each rule of a complete suppression that has no finding in the code that the suppression covers.
    Rules that the policy disables, and suppressions that it does not allow (DW-I03), are left out.

    ## Why
    Either the code was fixed, or the comment is on the wrong line. In the first case it hides the next fault
    in the same code; in the second it does not do what its author intended.

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
    A statement that could not be parsed has no findings of other rules, so its suppressions are reported as
    unused.
    """
    places: dict[str, list[int]] = {}
    for seen, at in sorted(subject.seen, key=lambda item: item[1]):
        places.setdefault(seen.upper(), []).append(at.begin)
    comments = [comment.at for comment in subject.script.comments]
    begins = [comment.begin for comment in comments]
    refused = {(refusal.suppression.at, refusal.rule.upper()) for refusal in subject.refusals}
    for suppression in find_suppressions(subject.script):
        if suppression.span and suppression.is_complete and not suppression.tool:
            unused = [
                name
                for name in suppression.rules
                if (suppression.at, name) not in refused and not _any(places.get(name, []), suppression.span)
            ]
            is_useless = len(unused) == len(suppression.rules)
            comment = comments[bisect_right(begins, suppression.at.begin) - 1]
            removal = _removal(subject.script.code, comment, suppression.at) if is_useless else None
            for name in suppression.rules:
                if name in unused:
                    yield Hit(
                        suppression.at,
                        Text(
                            f"{name} has no finding here, so the suppression has no effect.",
                            f"此处没有 {name} 的问题，屏蔽没有作用。",
                        ),
                        key=name,
                        edit=removal,
                    )


def _removal(code: str, comment: Span, at: Span) -> Edit | None:
    """Return the edit that removes the comment around a suppression; None if it says more than that."""
    if at.begin - comment.begin > _NEAR or comment.end - at.end > _NEAR:
        return None
    if (code[comment.begin : at.begin] + code[at.end : comment.end]).strip(_MARKS):
        return None
    first = code.rfind("\n", max(comment.begin - _NEAR, 0), comment.begin) + 1
    last = code.find("\n", comment.end, comment.end + _NEAR)
    if (not first and comment.begin > _NEAR) or (last < 0 and comment.end + _NEAR < len(code)):
        return None
    before, after = code[first : comment.begin], code[comment.end : last if last >= 0 else len(code)]
    if last >= 0 and not (before + after).strip():
        # In a shell, the comment's line may end a command that a backslash continues.
        is_continued = code[max(first - 3, 0) : first].rstrip("\r\n").endswith("\\")
        return None if is_continued else Edit(Span(first, last + 1))
    bare = before.rstrip()
    if not after.strip() and not bare.endswith("\\"):
        return Edit(Span(first + len(bare), comment.end))
    # Without the comment, what is on both sides of it must not become one word.
    return Edit(comment, " " if after[:1].strip() else "")


def _any(places: list[int], covers: Span) -> bool:
    index = bisect_left(places, covers.begin)
    return index < len(places) and places[index] < covers.end
