"""Policy options of the review: severities, options of rules, new findings only, suppressions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    create_model,
    model_validator,
)

from common.config_files import former_names
from common.verdicts import Severity
from review.rules.api import Options, Rule
from review.rules.external_rules import is_external
from review.rules.registry import BY_ID, RULES, rule_named
from review.suppressions.rules import SuppressionRules


class SeverityOverride(StrEnum):
    """Severity that a policy gives to a rule's findings, or that the rule is disabled."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"
    OFF = "off"


def _known(rule: str) -> str:
    if rule in BY_ID or is_external(rule):
        return rule
    _reject_name(rule)
    raise ValueError(f"unknown rule; expected one of {', '.join(sorted(BY_ID))}, or PY-…, SH-…, PG-…")


def _reject_name(key: str) -> None:
    """Raise ValueError if `key` is the name of a rule, current or former: a policy refers to rules by id."""
    rule = rule_named(key)
    if rule is not None:
        renamed = f"{key} is now {rule.name}" if key in former_names.RULES else f"{key} is the name of a rule"
        raise ValueError(f"{renamed}; expected its id, {rule.id}")


class _ByRuleId(Options):
    """Base of the options of rules: a rule's name instead of its id gets an error that names the id."""

    @model_validator(mode="before")
    @classmethod
    def _reject_names(cls, values: Any) -> Any:
        for key in values if isinstance(values, dict) else ():
            _reject_name(str(key))
        return values


def _field(rule: Rule) -> str:
    return rule.id.lower().replace("-", "_")


def _options_of_rules() -> type[BaseModel]:
    fields: dict[str, Any] = {
        _field(rule): (
            rule.options,
            Field(default_factory=rule.options.model_construct, alias=rule.id, description=rule.name),
        )
        for rule in RULES
    }
    summary = "Options of rules, by rule id."
    return create_model("RuleOptions", __base__=_ByRuleId, __module__=__name__, __doc__=summary, **fields)


RuleOptions = _options_of_rules()

RuleId = Annotated[str, AfterValidator(_known)]
RulesPart = Annotated[BaseModel, GetPydanticSchema(lambda _, handler: handler.generate_schema(RuleOptions))]


class ReviewOptions(BaseModel):
    """The review's part of the options of the check `code-review` in a policy."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    severity: dict[RuleId, SeverityOverride] = Field(
        default_factory=dict,
        description="block, warn, info or off by rule id, instead of the rule's own severity",
    )
    rules: RulesPart = Field(
        default_factory=RuleOptions.model_construct, description="options of rules, by rule id"
    )
    only_new: bool = Field(
        default=False,
        strict=True,
        description="report only findings that the version in production does not have",
    )
    suppressions: SuppressionRules = Field(
        default_factory=SuppressionRules,
        description="what comments in the code may suppress; the policy's section suppressions if not set",
    )

    def options_of(self, rule: Rule) -> Options:
        """Return the options of `rule`, defaults included."""
        options: Options | None = getattr(self.rules, _field(rule), None)
        return options if options is not None else rule.options()

    def is_disabled(self, rule: str) -> bool:
        """Whether `rule` is disabled."""
        return self.severity.get(rule) is SeverityOverride.OFF

    def effective_severity(self, rule: str, severity: Severity) -> Severity:
        """Return the severity that the policy gives to a finding of `rule`; `severity` if it sets none."""
        weight = self.severity.get(rule, SeverityOverride.OFF)
        return severity if weight is SeverityOverride.OFF else Severity(weight.value)
