"""The settings of a review: options of the command line, else of a file, else defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common.extension_points import BY_CODE
from common.subjects.fingerprints import MIN_KEY_LENGTH
from common.text.i18n import Language
from common.verdicts import Result, Severity
from console.exit_codes import UsageError
from console.output.review_output import FORMATS, WITH_STATISTICS
from console.reviews.config import ReviewConfig, load_config
from console.reviews.inputs import dialect_named, read_context
from review.context import ReviewContext
from review.dialects import Dialect
from review.options import ReviewOptions
from review.rule_selection import RuleSelection, unknown_prefix

CHECK = "code-review"

FINGERPRINT_KEY = "DWGATE_FINGERPRINT_KEY"
"""The variable of the environment with the key of fingerprints, see docs/settings.md."""

_CHOICES = {
    "dialect": tuple(sorted(dialect.value for dialect in Dialect if dialect is not Dialect.UNKNOWN)),
    "format": FORMATS,
    "language": tuple(Language),
    "severity": tuple(Severity),
}
"""The values of options that have few."""


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """The options of the command line; None for one that a file may set."""

    dialect: str | None = None
    metadata: Path | None = None
    project: str | None = None
    policy: Path | None = None
    diff: Path | None = None
    format: str | None = None
    language: str | None = None
    waivers: Path | None = None
    severity: str | None = None
    select: Sequence[str] | None = None
    ignore: Sequence[str] | None = None
    statistics: bool = False
    output_file: Path | None = None
    exit_zero: bool = False
    fix: bool = False
    show_fixes: bool = False


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """What a review needs to know besides the files.

    Attributes:
        dialect: of files, standard input and the SQL in folders; None to infer it.
        policy: severities and options of rules.
        policy_file: where they are from.
        minimum: the lowest severity shown; None for the default of the paths.
        on_unreviewable: what a file that was not reviewed counts as.
    """

    context: ReviewContext
    dialect: Dialect | None = None
    format: str = "text"
    policy: ReviewOptions = ReviewOptions.model_construct()  # noqa: RUF009 - frozen
    policy_file: Path | None = None
    waivers: Path | None = None
    language: Language = Language.ENGLISH
    selection: RuleSelection = RuleSelection()  # noqa: RUF009 - frozen
    minimum: Severity | None = None
    rules_url: str | None = None
    on_unreviewable: Result = Result.FAIL
    fingerprint_key: bytes | None = None


def load_settings(request: ReviewRequest, first: str) -> ReviewSettings:
    """Return the settings of a review.

    Args:
        request: the options of the command line.
        first: the first path of the command line, where the search for a file of options begins.

    Raises:
        UsageError: an option is invalid, or a file that it names cannot be used.
        ConfigError: the policy or the metadata is invalid.
    """
    config = load_config(first)
    values = _merged(request, config)
    if request.statistics and values.get("format", "text") not in WITH_STATISTICS:
        raise UsageError(f"--statistics: has no format {values['format']}; expected text or json")
    context = read_context(values.get("metadata"), values.get("project"))
    minimum = values.get("severity")
    settings = ReviewSettings(
        context,
        dialect=dialect_named(values.get("dialect")),
        format=values.get("format", "text"),
        policy_file=values.get("policy"),
        waivers=values.get("waivers"),
        selection=RuleSelection(tuple(values.get("select", ())), tuple(values.get("ignore", ()))),
        minimum=Severity(minimum) if minimum else None,
        rules_url=values.get("rules-url"),
        fingerprint_key=_fingerprint_key(),
    )
    if settings.policy_file:
        settings = _with_policy(settings, settings.policy_file)
    language = values.get("language")
    return replace(settings, language=Language(language)) if language else settings


def _merged(request: ReviewRequest, config: ReviewConfig) -> Mapping[str, Any]:
    """Return the options by key that are set: those of the command line win."""
    named: dict[str, Any] = {
        "dialect": request.dialect,
        "format": request.format,
        "ignore": request.ignore,
        "language": request.language,
        "metadata": request.metadata,
        "policy": request.policy,
        "project": request.project,
        "select": request.select,
        "severity": request.severity,
        "waivers": request.waivers,
    }
    named = {key: value for key, value in named.items() if value is not None}
    values = {**config.values, **named}
    for key, value in values.items():
        if problem := _problem(key, value):
            place = f"--{key} {_shown(value)}" if key in named else f"{config.place(key)}: {_shown(value)}"
            raise UsageError(f"{place}: {problem}")
    return values


def _shown(value: object) -> str:
    return (
        value
        if isinstance(value, str)
        else ",".join(value)
        if isinstance(value, list | tuple)
        else str(value)
    )


def _problem(key: str, value: Any) -> str | None:
    if key in ("ignore", "select"):
        return unknown_prefix(value)
    if key in _CHOICES and value not in _CHOICES[key]:
        unknown = "unknown dialect; " if key == "dialect" else ""
        return f"{unknown}expected one of {', '.join(_CHOICES[key])}"
    return None


def _fingerprint_key() -> bytes | None:
    key = os.environ.get(FINGERPRINT_KEY, "")
    if key and len(key) < MIN_KEY_LENGTH:
        raise UsageError(f"{FINGERPRINT_KEY}: too short; expected at least {MIN_KEY_LENGTH} characters")
    return key.encode("utf-8", "surrogateescape") or None


def _with_policy(settings: ReviewSettings, path: Path) -> ReviewSettings:
    """Return settings with those of a policy, from the first extension point that runs the check."""
    from workers.checks import registry  # noqa: PLC0415
    from workers.policy import policy  # noqa: PLC0415 - loading all checks is slow

    loaded = policy.load_policy(path, registry.load_checks())
    for code in BY_CODE:
        for check in loaded.resolve(code, None).checks:
            if check.name == CHECK:
                named = {
                    key: value for key, value in check.options.items() if key in ReviewOptions.model_fields
                }
                return replace(
                    settings,
                    policy=ReviewOptions.model_validate(named),
                    language=loaded.language,
                    on_unreviewable=min(
                        check.on_unreviewable, check.mode.max_result, key=lambda each: each.severity_rank
                    ),
                )
    raise UsageError(f"--policy {path}: no extension point runs the check {CHECK}")
