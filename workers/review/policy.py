"""What an organisation may set for the review: severities, options of rules, only new findings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetPydanticSchema, create_model

from common.verdicts import Severity
from workers.review.rules.catalogue import BY_ID, RULES
from workers.review.rules.outside import is_outside
from workers.review.rules.rule import Options, Rule


class Weight(StrEnum):
    """What a rule's findings are made, or that the rule is off."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"
    OFF = "off"


def _known(rule: str) -> str:
    if rule not in BY_ID and not is_outside(rule):
        raise ValueError(f"no such rule; wants one of {', '.join(sorted(BY_ID))}, or PY-…, SH-…, PG-…")
    return rule


def _field(rule: Rule) -> str:
    return rule.id.lower().replace("-", "_")


def _options_of_rules() -> type[BaseModel]:
    fields: dict[str, Any] = {
        _field(rule): (
            rule.options,
            Field(default_factory=rule.options, alias=rule.id, description=rule.name),
        )
        for rule in RULES
    }
    told = "Options of rules, by rule id."
    return create_model("RuleOptions", __base__=Options, __module__=__name__, __doc__=told, **fields)


RuleOptions = _options_of_rules()

RuleId = Annotated[str, AfterValidator(_known)]
RulesPart = Annotated[BaseModel, GetPydanticSchema(lambda _, handler: handler.generate_schema(RuleOptions))]


class ReviewPolicy(BaseModel):
    """How the review judges: what a policy's `options` of the check `code-review` hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: dict[RuleId, Weight] = Field(
        default_factory=dict,
        description="block, warn, info or off by rule id, instead of the rule's own severity",
    )
    rules: RulesPart = Field(default_factory=RuleOptions, description="options of single rules, by rule id")
    only_new: bool = Field(
        default=False,
        strict=True,
        description="whether only what the change added against the version in production counts",
    )

    def options_of(self, rule: Rule) -> Options:
        """Return what is set for `rule`, its defaults included."""
        options: Options | None = getattr(self.rules, _field(rule), None)
        return options if options is not None else rule.options()

    def off(self, rule: str) -> bool:
        """Whether nobody wants to hear of `rule`."""
        return self.severity.get(rule) is Weight.OFF

    def weighed(self, rule: str, severity: Severity) -> Severity:
        """Return what a finding of `rule` asks for that asks for `severity` by itself."""
        weight = self.severity.get(rule, Weight.OFF)
        return severity if weight is Weight.OFF else Severity(weight.value)
