"""The policy: which checks run for an operation in a workspace, and how each counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from common.config_files.errors import Keys
from common.config_files.reading import read_config_file
from common.config_files.yaml_document import Document, read_document
from common.contact import Contact
from common.extension_points import BY_CODE
from common.plan import Mode, SettingSource
from common.subjects.policy_subject import PolicySubject
from common.text.i18n import Language
from common.verdicts import Result
from workers.checks.api import Check
from workers.notifications.model import NotificationRules
from workers.policy import console_fields, validation
from workers.policy import layers as policy_layers
from workers.policy.console_fields import ConsoleField
from workers.policy.layers import Layer, Stack
from workers.policy.model import CheckPart, ContactPart, Defaults, PolicyFile
from workers.policy.sources import PolicySources
from workers.waivers.model import WaiverRules

BUILT_IN = Path(__file__).with_name("default.yaml")

SUPPRESSIONS = "suppressions"
"""The section of the file, and the option of a check that reviews code, with the rules for suppressions."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """One check at one point, in one workspace; see `PlannedCheck`.

    Attributes:
        share: the share of the events to which the mode applies; the others get audit.
    """

    name: str
    mode: Mode
    on_timeout: Result
    on_error: Result
    options: dict[str, Any]
    share: float = 1
    on_unreviewable: Result = Result.FAIL
    sources: Mapping[str, SettingSource] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class PointPolicy:
    """One extension point in one workspace.

    Attributes:
        deadline: seconds from the event's arrival to its verdict.
        checks: its checks, in the order of the file.
        verdict: the result if it has no check.
    """

    deadline: float
    checks: tuple[CheckPolicy, ...]
    verdict: Result


@dataclass(frozen=True, slots=True)
class Policy:
    """A valid policy.

    Attributes:
        version: short hash of its text.
        language: the language of the tip.
        console: the settings that administrators may change in the DataWorks console.
        waivers: the rules for waivers.
        notifications: which notifications go to whom.
        contacts: whom people may ask about a verdict, by workspace; None for all others.
    """

    version: str
    language: Language
    console: tuple[ConsoleField, ...]
    _defaults: Defaults
    _stacks: Mapping[int | None, Stack]
    _checks: Mapping[str, Check]
    _sources: PolicySources = field(compare=False, repr=False)
    _resolved: dict[tuple[int | None, str, tuple[Keys, ...]], PointPolicy] = field(
        default_factory=dict, compare=False, repr=False
    )
    waivers: WaiverRules = field(default_factory=WaiverRules)
    notifications: NotificationRules = field(default_factory=NotificationRules)
    contacts: Mapping[int | None, Contact] = field(default_factory=dict)

    def has_text(self, content: bytes) -> bool:
        """Whether it is the policy of this text."""
        return version_of(content) == self.version

    def contact(self, project_id: int | None) -> Contact | None:
        """Return whom people of a workspace may ask about a verdict; None if the policy names nobody."""
        return self.contacts.get(project_id) or self.contacts.get(None)

    def resolve(
        self, event_code: str, project_id: int | None, subject: PolicySubject | None = None
    ) -> PointPolicy:
        """Return the settings of an extension point in a workspace.

        Args:
            event_code: the extension point.
            project_id: the workspace; None if the event names none.
            subject: the file or table of the operation; None ignores settings for some files only. The
                deadline never depends on it.
        """
        stack = self._stack(project_id)
        layers = stack.applicable(event_code, subject)
        workspace = project_id if project_id in self._stacks else None
        key = (workspace, event_code, tuple(layer.keys for layer in layers))
        if key not in self._resolved:
            self._resolved[key] = self._point(event_code, layers, stack.suppressions)
        return self._resolved[key]

    def checked_points(self) -> frozenset[str]:
        """Return the codes of the extension points that have a check in any workspace."""
        return frozenset(
            code for code in BY_CODE for project_id in self._stacks if self.resolve(code, project_id).checks
        )

    def depends_on_subject(self, event_code: str, project_id: int | None) -> bool:
        """Whether this extension point has settings for some files or tables only."""
        return any(event_code in layer.points for layer in self._stack(project_id).where)

    def _stack(self, project_id: int | None) -> Stack:
        return self._stacks.get(project_id) or self._stacks[None]

    def _point(
        self, event_code: str, layers: tuple[Layer, ...], suppressions: Mapping[str, Any]
    ) -> PointPolicy:
        part = policy_layers.merge_layers(layers, event_code)
        return PointPolicy(
            deadline=part.deadline or self._defaults.deadline,
            checks=tuple(
                self._check(
                    name,
                    check,
                    self._options(name, event_code, layers, suppressions),
                    self._sources.of_check(name, event_code, layers),
                )
                for name, check in part.checks.items()
                if check.enabled
            ),
            verdict=part.verdict or self._defaults.verdict,
        )

    def _check(
        self, name: str, part: CheckPart, options: dict[str, Any], sources: Mapping[str, SettingSource]
    ) -> CheckPolicy:
        defaults = self._defaults
        return CheckPolicy(
            name,
            part.mode or defaults.mode,
            part.on_timeout or defaults.on_timeout,
            part.on_error or defaults.on_error,
            options,
            defaults.share if part.share is None else part.share,
            part.on_unreviewable or defaults.on_unreviewable,
            sources,
        )

    def _options(
        self, name: str, event_code: str, layers: tuple[Layer, ...], suppressions: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return a check's complete options; those of the layers have priority over `suppressions`.

        Validation covers the layers for some files one by one and all together. If another combination
        conflicts, its upper layers are dropped.
        """
        model = self._checks[name].options
        checks = [layer.points[event_code].get("checks", {}).get(name, {}) for layer in layers]
        has_suppressions = bool(suppressions) and SUPPRESSIONS in model.model_fields
        base = {SUPPRESSIONS: dict(suppressions)} if has_suppressions else {}
        parts = [base, *(check["options"] for check in checks if "options" in check)]
        while parts:
            merged: dict[str, Any] = {}
            for part in parts:
                policy_layers.merge_into(merged, part)
            try:
                return _plain(model.model_validate(merged))
            except ValidationError:
                log.error("conflicting_options_dropped", check=name, event_code=event_code)
                parts.pop()
        return _plain(model.model_validate({}))


def _plain(options: BaseModel) -> dict[str, Any]:
    return options.model_dump(mode="json", by_alias=True, exclude_unset=True)


def load_policy(path: Path | None, checks: Mapping[str, Check]) -> Policy:
    """Read a policy file, or the built-in policy.

    Args:
        path: the file; None for the built-in policy.
        checks: the registered checks, by name.

    Raises:
        ConfigError: the file cannot be used; one line per problem.
    """
    if path is None:
        return parse_policy(BUILT_IN.name, BUILT_IN.read_bytes(), checks)
    return parse_policy(str(path), read_config_file(path, "a policy file"), checks)


def version_of(content: bytes) -> str:
    """Return the version of the policy with this text."""
    return hashlib.sha256(content).hexdigest()[:12]


def parse_policy(name: str, content: bytes, checks: Mapping[str, Check]) -> Policy:
    """Parse a policy's text; see `load_policy`."""
    return build_policy(read_document(name, content), version_of(content), checks)


def build_policy(document: Document, version: str, checks: Mapping[str, Check]) -> Policy:
    """Return the policy of a document; see `load_policy`.

    Args:
        document: the policy, or the part of a file that is one.
        version: of its text.
        checks: the registered checks, by name.

    Raises:
        ConfigError: it is invalid; one line per problem.
    """
    file, stacks = validation.validate(document, checks)
    console = tuple(console_fields.build_field(part, checks) for part in file.console)
    name = BUILT_IN.name if document.name == str(BUILT_IN) else document.name
    sources = PolicySources(name, document.line, frozenset(file.defaults.model_fields_set))
    return Policy(
        version,
        file.language,
        console,
        file.defaults,
        stacks,
        checks,
        sources,
        waivers=file.waivers,
        notifications=file.notifications,
        contacts=_contacts(file),
    )


def _contacts(file: PolicyFile) -> dict[int | None, Contact]:
    """Return the contacts by workspace: the keys of its own over those of the organisation."""
    parts: dict[int | None, ContactPart] = {None: file.contact}
    parts |= {number: part.contact for number, part in file.workspaces.items()}
    values = {number: part.model_dump(exclude_none=True) for number, part in parts.items()}
    return {
        number: Contact(**merged) for number, own in values.items() if (merged := {**values[None], **own})
    }
