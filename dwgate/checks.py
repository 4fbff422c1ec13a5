"""Public API for checks: a function from a context to findings, registered under a name.

A package provides its checks through the entry point group `dwgate.checks`; see `examples/acme-plugin`.
"""

from common.events import Event
from common.text.i18n import Language
from common.text.patterns import Pattern, is_found, is_full_match
from common.verdicts import Finding, Severity, Subject, SubjectKind
from workers.checks.api import Check, Context, LookupContext, Lookups, Options, Runs, SkipCheck, Unreviewable
from workers.checks.registry import CheckError, check

__all__ = [
    "Check",
    "CheckError",
    "Context",
    "Event",
    "Finding",
    "Language",
    "LookupContext",
    "Lookups",
    "Options",
    "Pattern",
    "Runs",
    "Severity",
    "SkipCheck",
    "Subject",
    "SubjectKind",
    "Unreviewable",
    "check",
    "is_found",
    "is_full_match",
]
