"""The option form of the extension, to be pasted into the DataWorks console: what the policy lists there.

DataWorks reads Formily's JSON with seven components: Input, Input.TextArea, PreviewText.Input, Select, Select
with several values, Checkbox.Group and Radio.Group.
"""

from __future__ import annotations

from collections.abc import Iterable

from common.i18n import Language, Text
from common.json_types import Json
from workers.policy.console_fields import ConsoleField, FieldType

MAX_BUTTONS = 5
"""Choices that are shown side by side; more are a list that opens."""

_AS_POLICY = Text("as the policy says", "按策略")
_EMPTY = Text("Empty: as the policy says.", "留空：按策略。")
_BETWEEN = Text("From {minimum} to {maximum}.", "{minimum} 至 {maximum}。")
_FROM = Text("At least {minimum}.", "不小于 {minimum}。")
_TO = Text("At most {maximum}.", "不大于 {maximum}。")
_LINES = Text("One a line.", "每行一个。")


def build_form(settings: Iterable[ConsoleField], language: Language) -> Json:
    """Return the form with a field for each of `settings`."""
    return {"type": "object", "properties": {each.key: _field(each, language) for each in settings}}


def _field(setting: ConsoleField, language: Language) -> Json:
    component, properties = _component(setting, language)
    several = component == "Checkbox.Group" or "mode" in properties
    return {
        "type": "array" if several else "string",
        "title": f"{setting.check}: {setting.name}",
        "x-decorator": "FormItem",
        "x-component": component,
        "x-decorator-props": {"tooltip": _tooltip(setting, language)},
        "x-component-props": properties,
    }


def _component(setting: ConsoleField, language: Language) -> tuple[str, Json]:
    choices = (True, False) if setting.kind is FieldType.SWITCH else setting.choices
    if not choices:
        return ("Input.TextArea" if setting.kind is FieldType.TEXTS else "Input"), {}
    words = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in choices]
    source = [{"value": word, "label": word} for word in words]
    few = len(source) <= MAX_BUTTONS
    if setting.kind in (FieldType.CHOICES, FieldType.TEXTS):
        return (
            ("Checkbox.Group", {"dataSource": source})
            if few
            else (
                "Select",
                {"mode": "multiple", "dataSource": source},
            )
        )
    # Neither a button nor a list can be emptied again.
    source.insert(0, {"value": "", "label": _AS_POLICY.in_language(language)})
    return ("Radio.Group" if few else "Select"), {"dataSource": source}


def _tooltip(setting: ConsoleField, language: Language) -> str:
    said = [f"{setting.doc[:1].upper()}{setting.doc[1:]}."]
    minimum, maximum = setting.bounds
    if minimum is not None or maximum is not None:
        bounds = _TO if minimum is None else _FROM if maximum is None else _BETWEEN
        said.append(bounds.in_language(language).format(minimum=minimum, maximum=maximum))
    if setting.kind is FieldType.TEXTS and not setting.choices:
        said.append(_LINES.in_language(language))
    return " ".join([*said, _EMPTY.in_language(language)])
