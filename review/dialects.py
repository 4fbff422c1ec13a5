"""The language of a node's code, by its DataWorks node type."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Dialect(StrEnum):
    """A language in which nodes are written."""

    MAXCOMPUTE = "maxcompute"
    HIVE = "hive"
    SPARK = "spark"
    HOLOGRES = "hologres"
    POSTGRES = "postgres"
    REDSHIFT = "redshift"
    MYSQL = "mysql"
    STARROCKS = "starrocks"
    DORIS = "doris"
    CLICKHOUSE = "clickhouse"
    PRESTO = "presto"
    TRINO = "trino"
    ORACLE = "oracle"
    TSQL = "tsql"
    PYTHON = "python"
    SHELL = "shell"
    DI = "di"
    UNKNOWN = "unknown"

    @property
    def sql(self) -> bool:
        """Whether its code is SQL that can be parsed."""
        return self not in _NOT_SQL


@dataclass(frozen=True, slots=True)
class LexicalRules:
    """A dialect's lexical rules for strings, comments and names, and its statement terminators besides `;`.

    Attributes:
        backslash: whether a backslash escapes within a string.
        double_string: whether double quotes delimit a string, not a name.
        hash_comment: whether `#` starts a comment.
        nested_comment: whether `/* /* */ */` is one comment.
        code_comment: whether `/*!50100 … */` is code, which only other engines take for a comment.
        hint: whether `/*+ … */` is a hint, and so part of the statement.
        dollar_string: whether `$tag$ … $tag$` is a string.
        dollar_name: whether a name may contain `$` (`v$session`).
        bracket_name: whether `[a b]` is a name.
        script: whether `IF … BEGIN … END` groups statements, which are split as separate statements.
        block: whether `BEGIN … END` (or `DECLARE … BEGIN … END`) is one statement with semicolons in it.
        delimiter: whether a line `DELIMITER x` changes the statement terminator.
        separator: a line of its own that ends a statement: `GO`, `/`; empty without one.
    """

    backslash: bool = False
    double_string: bool = False
    hash_comment: bool = False
    nested_comment: bool = False
    code_comment: bool = False
    hint: bool = False
    dollar_string: bool = False
    dollar_name: bool = False
    bracket_name: bool = False
    script: bool = False
    block: bool = False
    delimiter: bool = False
    separator: str = ""


_NOT_SQL = frozenset({Dialect.PYTHON, Dialect.SHELL, Dialect.DI, Dialect.UNKNOWN})

_HIVE = LexicalRules(backslash=True, double_string=True, hint=True)
_MYSQL = LexicalRules(
    backslash=True,
    double_string=True,
    hash_comment=True,
    code_comment=True,
    hint=True,
    dollar_name=True,
    block=True,
    delimiter=True,
)
_POSTGRES = LexicalRules(nested_comment=True, dollar_string=True, dollar_name=True, block=True)
_LEXICAL_RULES = {
    Dialect.MAXCOMPUTE: LexicalRules(backslash=True, double_string=True, hint=True, script=True),
    Dialect.HIVE: _HIVE,
    Dialect.SPARK: LexicalRules(backslash=True, double_string=True, hint=True, nested_comment=True),
    Dialect.HOLOGRES: _POSTGRES,
    Dialect.POSTGRES: _POSTGRES,
    Dialect.REDSHIFT: _POSTGRES,
    Dialect.MYSQL: _MYSQL,
    Dialect.STARROCKS: _MYSQL,
    Dialect.DORIS: _MYSQL,
    Dialect.CLICKHOUSE: LexicalRules(backslash=True),
    Dialect.ORACLE: LexicalRules(hint=True, dollar_name=True, block=True, separator="/"),
    Dialect.TSQL: LexicalRules(
        nested_comment=True, dollar_name=True, bracket_name=True, block=True, separator="GO"
    ),
}

_FILE_TYPES = {
    Dialect.MAXCOMPUTE: (10, 18, 24, 1010, 3010),
    Dialect.HIVE: (3, 227, 260, 265, 270, 279),
    Dialect.SPARK: (226, 229, 268, 272, 1991, 2101, 2103),
    Dialect.HOLOGRES: (1091, 1092, 1093),
    Dialect.POSTGRES: (1302, 1313, 1316),
    Dialect.REDSHIFT: (1311,),
    Dialect.MYSQL: (1303, 1307, 1309, 1314, 1317),
    Dialect.STARROCKS: (1306,),
    Dialect.DORIS: (1308, 1310),
    Dialect.CLICKHOUSE: (1301,),
    Dialect.PRESTO: (259, 278),
    Dialect.TRINO: (267,),
    Dialect.ORACLE: (1305,),
    Dialect.TSQL: (1304,),
    Dialect.PYTHON: (12, 221, 240, 1221, 1322),
    Dialect.SHELL: (2, 6, 228, 230, 257, 258, 264, 271, 273, 276, 277, 1321, 2100, 2102),
    Dialect.DI: (4, 20, 22, 23, 900),
}
_BY_FILE_TYPE = {number: dialect for dialect, numbers in _FILE_TYPES.items() for number in numbers}

_COMMANDS = {
    "HIVE": 3, "EMR_HIVE": 227, "EMR_HIVE_CLI": 265, "CDH_HIVE": 270, "EMR_IMPALA": 260, "CDH_IMPALA": 279,
    "ODPS_SQL": 10, "ODPS_DDL": 18, "ODPS_SQL_SCRIPT": 24, "COMPONENT_SQL": 1010, "SQL_COMPONENT": 3010,
    "ODPS_SPARK_SQL": 226, "EMR_SPARK_SQL": 229, "EMR_KYUUBI": 268, "CDH_SPARK_SQL": 272, "PY_ODPS": 221,
    "PYODPS3": 1221, "PYTHON": 1322, "ODPS_PYTHON": 12, "SHELL": 2, "DIDE_SHELL": 6, "SSH": 1321,
    "EMR_SPARK": 228, "EMR_MR": 230, "EMR_SHELL": 257, "EMR_SPARK_SHELL": 258, "EMR_SPARK_STREAMING": 264,
    "CDH_SPARK": 271, "CDH_MR": 273, "CDH_SHELL": 276, "CDH_SPARK_SHELL": 277, "EMR_PRESTO": 259,
    "CDH_PRESTO": 278, "EMR_TRINO": 267, "HOLOGRES_DEVELOP": 1091, "HOLOGRES_SQL": 1093, "CLICK_SQL": 1301,
    "POSTGRESQL": 1302, "MYSQL": 1303, "SQL SERVER": 1304, "ORACLE": 1305, "STARROCKS": 1306, "DRDS": 1307,
    "DORIS": 1308, "MARIADB": 1309, "SELECTDB": 1310, "REDSHIFT": 1311, "VERTICA": 1313, "OCEANBASE": 1314,
    "ADB FOR POSTGRESQL": 1316, "ADB FOR MYSQL": 1317, "DI": 23, "CONTROLLER_ASSIGNMENT": 1100,
    "CONTROLLER_CYCLE_END": 1105, "NOTEBOOK": 1323,
}  # fmt: skip
"""Node types by the name that FlowSpec gives them, where they have a script in a known language.

Source: the enumeration CodeProgramType of the public dataworks-spec.
"""

_RESOURCES = (13, 14, 15, 231, 232, 274, 275)
_TABLES_AND_FUNCTIONS = (16, 17, 261, 262, 280, 281)
_CONTROL_NODES = (97, 98, 99, 1001, *range(1101, 1105), *range(1106, 1110), 1114, 1115, 1122)
_FORMS = (19, 21, 200, 222, 238, 239, 241, 1070, 1089, 1094, 1095, 1320, 1332, 1333)
_SPARK_SUBMISSIONS = (223, 225, 1990)
_ALGORITHMS = (87, 1002, 1116, 1117, 1250)
_WITHOUT_SCRIPT = frozenset(
    (*_RESOURCES, *_TABLES_AND_FUNCTIONS, *_CONTROL_NODES, *_FORMS, *_SPARK_SUBMISSIONS, *_ALGORITHMS)
)
"""Node types that are configured in a form, or whose code is a compiled file: their content is no script."""


def dialect_for_node_type(file_type: int | None) -> Dialect:
    """Return the dialect of a DataWorks node type; UNKNOWN if it has none.

    Sources of the numbers and languages: the enumeration CodeProgramType of the public dataworks-spec, whose
    file suffixes show the language (`.sh` for EMR Spark), `ListFileType`, and for types of the new Data
    Studio a public catalogue of node types of 2026 ("DataWorks Node Types": command, code, language). A type
    with another SQL than these dialects (Flink, Db2, SAP HANA, streaming SQL) has none.
    """
    return _BY_FILE_TYPE.get(file_type, Dialect.UNKNOWN) if file_type is not None else Dialect.UNKNOWN


def file_type_of_command(command: str) -> int | None:
    """Return the node type with a name (`ODPS_SQL`); None for one whose scripts have no known language."""
    return _COMMANDS.get(command.strip().upper())


def has_script(file_type: int | None) -> bool:
    """Whether files of a node type may have a script; True for an unknown type."""
    return file_type not in _WITHOUT_SCRIPT


def lexical_rules(dialect: Dialect) -> LexicalRules:
    """Return the lexical rules of `dialect`; those of standard SQL for an unlisted dialect."""
    return _LEXICAL_RULES.get(dialect, LexicalRules())
