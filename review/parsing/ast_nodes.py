"""Nodes for statements that sqlglot has no tree for; names in them have positions, as all names do."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp


class AlterTable(exp.Expression):
    """An ALTER of a table, view, schema and so on, in every dialect; sqlglot's own `Alter` never appears.

    Args:
        this: the `Table`.
        kind: what is altered, in upper case: `TABLE`, `VIEW`, `MATERIALIZED VIEW`, `DATABASE` …
        exists: whether it has IF EXISTS.
        actions: a list of `AlterAction`.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": True, "exists": False, "actions": True}


class AlterAction(exp.Expression):
    """One action of an `AlterTable`; `meta["start"]` and `meta["end"]` (inclusive) span its text.

    Args:
        this: the action, as a str: `ADD COLUMNS`, `ADD PARTITION`, `DROP COLUMNS`, `DROP PARTITION`,
            `TRUNCATE PARTITION`, `DETACH PARTITION`, `MERGE PARTITION` (its `value` is the `Partition` that
            is overwritten), `RENAME` (`value`: the new name as a `Table`), `RENAME COLUMN` and
            `CHANGE COLUMN` (`columns`: the old name, and the new one if there is one), `RENAME PARTITION`
            (`value`: the new one), `SET LIFECYCLE` (`value`: the days), `ENABLE`, `DISABLE`, `OWNER`,
            `COMMENT`, `AS` (`value`: the query of a view), `PARTITION` (SET, COMPACT, TOUCH … of
            partitions), else the first word.
        partitions: a list of `exp.Partition`; a condition such as `ds < '2024'` is one of its expressions.
        columns: a list of `exp.Identifier`.
        value: see above.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "partitions": False,
        "columns": False,
        "value": False,
    }


class Assignment(exp.Expression):
    """A variable of script mode: `@v := SELECT …`, `@v := @a`, `@v BIGINT`.

    Args:
        this: the name with the `@`, an `exp.Identifier`.
        kind: its declared type, if any: a `DataType`, or a `Schema` for TABLE.
        expression: the query (a `Select`, `SetOperation`, `Table` …) or the value; none for a declaration.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": False, "expression": False}


class HarmlessStatement(exp.Command):
    """A statement without a tree of its own that is known to leave all rows as they are."""


class Condition(exp.Expression):
    """The `IF condition` or `LOOP @i FROM 1 TO 9` of script mode.

    Args:
        this: the condition; of a LOOP the variable.
        bounds: of a LOOP: its two bounds.
        body: the one statement that follows without BEGIN; statements of a BEGIN … END are read separately.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "bounds": False, "body": False}


class Routine(exp.Expression):
    """A function defined by the script, by CREATE SQL FUNCTION, or by CREATE VIEW with parameters.

    Args:
        this: its name, a `Table`.
        body: its query or expression; none for BEGIN … END, whose statements are not parsed.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "body": False}


class Definition(exp.Expression):
    """CREATE, ALTER or DROP of an object that holds no data, such as an EXTENSION, ROLE or POLICY.

    Args:
        verb: `CREATE`, `ALTER` or `DROP`, as a str.
        kind: the kind of object, in upper case, as a str: its first word.
        text: the rest of the statement.
    """

    arg_types: ClassVar[dict[str, bool]] = {"verb": True, "kind": True, "text": False}


class Compound(exp.Expression):
    """A statement that consists of others (`BEGIN … END`, `IF`), which are read on their own."""


class Explain(exp.Expression):
    """EXPLAIN: the statement is not executed.

    Args:
        this: the statement that is explained.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class TableCommand(exp.Expression):
    """A statement about whole tables, such as UNLOAD, CLONE, RESTORE and PURGE.

    Args:
        verb: its first word in upper case, as a str.
        this: the `Table`, or the query of UNLOAD.
        partitions: a list of `exp.Partition`.
        target: the table of CLONE … TO.
        overwrite: whether it may replace existing data.
        properties: the rest (LOCATION, STORED AS …), an `exp.Properties`.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "verb": True,
        "this": False,
        "partitions": False,
        "target": False,
        "overwrite": False,
        "properties": False,
    }
