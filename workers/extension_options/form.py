"""The extension's option form for the DataWorks console: the fields listed under the policy's `console`.

DataWorks reads Formily's JSON with seven components: Input, Input.TextArea, PreviewText.Input, Select, Select
with several values, Checkbox.Group and Radio.Group.
"""

from __future__ import annotations

from collections.abc import Iterable

from common.json_types import Json
from common.text.i18n import Language, Text
from workers.policy.console_fields import ConsoleField, FieldType

MAX_BUTTONS = 5
"""Up to this number, choices are shown side by side; more are shown in a drop-down list."""

_AS_POLICY = Text("policy default", "策略默认值")
_EMPTY = Text("Leave empty to use the policy's value.", "留空则使用策略中的值。")
_BETWEEN = Text("From {minimum} to {maximum}.", "取值范围：{minimum} 至 {maximum}。")
_FROM = Text("At least {minimum}.", "不小于 {minimum}。")
_TO = Text("At most {maximum}.", "不大于 {maximum}。")
_LINES = Text("One per line.", "每行一个。")


def build_form(settings: Iterable[ConsoleField], language: Language) -> Json:
    """Return the form with a field for each of `settings`."""
    return {"type": "object", "properties": {each.key: _field(each, language) for each in settings}}


def _field(setting: ConsoleField, language: Language) -> Json:
    component, properties = _component(setting, language)
    multiple = component == "Checkbox.Group" or "mode" in properties
    return {
        "type": "array" if multiple else "string",
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
    texts = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in choices]
    source = [{"value": text, "label": text} for text in texts]
    fits = len(source) <= MAX_BUTTONS
    if setting.kind in (FieldType.CHOICES, FieldType.TEXTS):
        return (
            ("Checkbox.Group", {"dataSource": source})
            if fits
            else (
                "Select",
                {"mode": "multiple", "dataSource": source},
            )
        )
    # Once set, neither a button nor a list can be cleared: an empty choice restores the default.
    source.insert(0, {"value": "", "label": _AS_POLICY.in_language(language)})
    return ("Radio.Group" if fits else "Select"), {"dataSource": source}


def _tooltip(setting: ConsoleField, language: Language) -> str:
    sentences = [f"{setting.doc[:1].upper()}{setting.doc[1:]}."]
    minimum, maximum = setting.bounds
    if minimum is not None or maximum is not None:
        bounds = _TO if minimum is None else _FROM if maximum is None else _BETWEEN
        sentences.append(bounds.in_language(language).format(minimum=minimum, maximum=maximum))
    if setting.kind is FieldType.TEXTS and not setting.choices:
        sentences.append(_LINES.in_language(language))
    return " ".join([*sentences, _EMPTY.in_language(language)])
