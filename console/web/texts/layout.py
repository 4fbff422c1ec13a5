"""The words of every page: its head and foot."""

from __future__ import annotations

from common.text.i18n import Text

LAYOUT = {
    "skip": Text("Skip to the content", "跳到正文"),
    "language_name": Text("English", "中文"),
    "other_language": Text("中文", "English"),
    "dark": Text("Dark", "深色"),
    "light": Text("Light", "浅色"),
    "settings_of_page": Text("Language and theme", "语言与外观"),
    "navigation": Text("Pages", "页面"),
    "what_now": Text("What now?", "接下来怎么做？"),
    "about": Text(
        "dwgate checks operations of DataWorks before they take effect.",
        "dwgate 在 DataWorks 操作生效前进行检查。",
    ),
}
