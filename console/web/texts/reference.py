"""The words of the pages about rules and checks."""

from __future__ import annotations

from common.text.i18n import Text
from console.web.texts.catalogue import Catalogue
from console.web.texts.layout import LAYOUT

REFERENCE = Catalogue(
    LAYOUT,
    {
        "check_heading": Text("Check {name}", "检查项 {name}"),
        "points": Text("Extension points", "扩展点"),
        "all_points": Text("all", "全部"),
        "options_of_check": Text("Options", "选项"),
        "option": Text("Option", "选项"),
        "meaning": Text("Meaning", "含义"),
        "default": Text("Default", "默认值"),
        "only_english": Text("This page exists in English only.", "此页面仅有英文版。"),
    },
)
