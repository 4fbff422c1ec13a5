"""What squawk's rules report: those that dwgate enables."""

from __future__ import annotations

from common.text.i18n import Text

SQUAWK_TITLES = {
    "ban-drop-column": Text(
        "A column is dropped: statements that use it fail", "删除了列，使用它的语句会失败"
    ),
    "ban-drop-database": Text("A database is dropped", "删除了数据库"),
    "ban-drop-table": Text("A table is dropped: statements that use it fail", "删除了表，使用它的语句会失败"),
    "ban-truncate-cascade": Text(
        "TRUNCATE with CASCADE also empties the tables that refer to this one",
        "TRUNCATE … CASCADE 会同时清空引用该表的表",
    ),
    "prefer-robust-stmts": Text(
        "A statement without IF EXISTS or IF NOT EXISTS cannot be run twice",
        "语句没有 IF EXISTS 或 IF NOT EXISTS，无法重复执行",
    ),
    "renaming-column": Text(
        "A column is renamed: statements that use it fail", "重命名了列，使用它的语句会失败"
    ),
    "renaming-table": Text(
        "A table is renamed: statements that use it fail", "重命名了表，使用它的语句会失败"
    ),
}
"""Titles by rule."""
