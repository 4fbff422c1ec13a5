"""Public API for review rules: a function from the facts of a script to hits.

A package provides its rules through the entry point group `dwgate.rules`; see `examples/acme-plugin`. The ids
of its rules start with a prefix of its own (`ACME-C01`).
"""

from common.text.patterns import Pattern, is_found, is_full_match
from common.verdicts import Severity
from review.dialects import Dialect
from review.facts import Script, Span, Statement
from review.rules.api import ANY, MAXCOMPUTE, SQL, WAREHOUSE, Hit, Options, Rule, RuleContext, Text, rule

__all__ = [
    "ANY",
    "MAXCOMPUTE",
    "SQL",
    "WAREHOUSE",
    "Dialect",
    "Hit",
    "Options",
    "Pattern",
    "Rule",
    "RuleContext",
    "Script",
    "Severity",
    "Span",
    "Statement",
    "Text",
    "is_found",
    "is_full_match",
    "rule",
]
