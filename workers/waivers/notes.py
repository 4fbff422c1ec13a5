"""Notes on valid waivers that cover more, or less, than their author may expect."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workers.waivers.model import Waiver

_FINGERPRINT = re.compile(r"[0-9a-f]{32}")


def notes_on(waiver: Waiver) -> Iterator[str]:
    """Yield what to know about a waiver, one sentence each; none if it is exact."""
    scope = waiver.scope
    if waiver.fingerprint is not None:
        if not _FINGERPRINT.fullmatch(waiver.fingerprint):
            yield "fingerprint: matches nothing; expected the 32 digits that `dwgate events show` prints"
        # A fingerprint is made of the workspace and of the file or the other subjects.
        return
    if not scope.projects:
        yield "scope.projects: not set, so it applies in every workspace"
    for names, ids in (("files", "file_ids"), ("nodes", "node_ids"), ("tables", "table_ids")):
        if getattr(scope, names) and not getattr(scope, ids):
            yield (
                f"scope.{names}: names are chosen by the author of the code, so it applies to everything"
                f" that gets such a name; {ids} are exact"
            )
