"""Public API for tests of checks and review rules: runs them with the same code as the workers.

Policy cases (`dwgate policy test`) test a check together with a policy: `examples/acme-plugin/cases.yaml`.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from common.events import Event
from common.plan import Mode, PlannedCheck
from common.snapshot import Column, FileSnapshot, Snapshot, TableSnapshot
from common.text.i18n import Language
from common.verdicts import Outcome, OutcomeKind, Result
from review.context import ReviewContext
from review.dialects import Dialect
from review.engine import SECONDS
from review.rules.api import Hit, Options, Rule, RuleContext
from review.script_reader import read_script
from review.tables.catalog import TableCatalog
from workers.checks import registry
from workers.checks.api import Lookups
from workers.pipeline.check_runner import CheckRunner

__all__ = [
    "Column",
    "FileSnapshot",
    "Outcome",
    "OutcomeKind",
    "Snapshot",
    "TableSnapshot",
    "run_check",
    "run_rule",
]


def run_check(
    name: str,
    event_code: str,
    data: Mapping[str, Any] = MappingProxyType({}),
    *,
    snapshot: Snapshot | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    lookups: Lookups | None = None,
    project_id: int = 1,
    language: Language = Language.ENGLISH,
) -> Outcome:
    """Run a check on one event and return its outcome; exceptions are converted to outcomes.

    Args:
        name: the name of the check; its module must be imported.
        event_code: the extension point (`commit-file`).
        data: the body of the event.
        snapshot: the file or table of the operation.
        options: the check's options, as a policy sets them.
        lookups: provides the data that the check looks up; None for checks without lookups.
        project_id: the workspace.
        language: language of the findings.

    Raises:
        KeyError: the check does not exist.
    """
    now = time.time()
    event = Event("test", event_code, project_id, None, True, dict(data), now)
    planned = PlannedCheck(name, Mode.ENFORCE, Result.WARN, Result.WARN, dict(options))
    runner = CheckRunner(event, snapshot, language, lookups=lookups, clock=lambda: now)
    return runner.run(registry.load_checks()[name], planned)


def run_rule(
    rule: Rule, code: str, dialect: Dialect = Dialect.MAXCOMPUTE, options: Options | None = None
) -> tuple[Hit, ...]:
    """Return the hits of a review rule in `code`.

    Args:
        rule: the rule; it need not be installed.
        code: the code of a node.
        dialect: the dialect of the code.
        options: the rule's options; None for the defaults.
    """
    script = read_script(code, dialect, ReviewContext(), None, time.monotonic() + SECONDS)
    return tuple(rule.hits(RuleContext(script, TableCatalog(script)), options))
