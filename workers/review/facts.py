"""What a script does, as far as rules need to know: read from its trees, free of them.

A script is a list of statements; a statement has query blocks (one per SELECT), each with its row sources,
predicates and outputs; and what it writes, makes and takes away. Names keep the author's letters; compare
them with `same_table` and `Column.key`. Places are offsets into the script (`Span`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from workers.review.dialects import Dialect
from workers.review.given import Given

if TYPE_CHECKING:
    from workers.review.languages.facts import Job, PythonFacts, ShellFacts


class Span(NamedTuple):
    """Offsets of the first character of a thing in the script, and of the one after its last."""

    begin: int
    end: int


class Sort(StrEnum):
    """What kind of expression an operand is."""

    COLUMN = "column"
    """A bare column."""
    LITERAL = "literal"
    """A number or string; one whose string holds a scheduling parameter is a PARAMETER."""
    PARAMETER = "parameter"
    """A scheduling parameter, alone or within a string or name."""
    CONSTANT = "constant"
    """An expression without columns: literals, parameters, deterministic built-in functions, casts."""
    MAX_PT = "max_pt"
    """A call of MAX_PT, alone or within an expression without columns."""
    RUN_TIME = "run_time"
    """Without columns, but its value depends on when or where it runs: GETDATE(), NOW(), RAND(), UUID()."""
    UNKNOWN_CALL = "unknown_call"
    """Without columns, but it calls a function that is no built-in (a UDF): nothing is known of its value."""
    COMPUTED = "computed"
    """An expression over columns: a function, a cast, arithmetic, a CASE."""
    QUERY = "query"
    """A subquery."""
    NULL = "null"
    """NULL."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column where it is used.

    Attributes:
        at: its whole text, qualifier included.
        name: its own name.
        qualifier: the alias or table before the dot; empty when there is none.
        block: index (in the statement) of the block whose source it belongs to; None when that is not known.
        source: index of that source in that block's `sources`; None when it is not known.
    """

    at: Span
    name: str
    qualifier: str = ""
    block: int | None = None
    source: int | None = None

    @property
    def key(self) -> str:
        """Its name in lower case."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a predicate, or any expression that a rule looks at.

    Attributes:
        sort: what kind of expression it is.
        value: a literal's value without quotes, also of a literal that is cast (its sort is CONSTANT then); a
            PARAMETER's text as written, without quotes.
        string: whether the literal (or the parameter) stands in quotes.
        type: the type that a cast or the literal gives it (`STRING`, `BIGINT`, `DATE` …), when it says one.
        columns: the columns in it, those of its subqueries left out.
        functions: names of the functions it calls, in lower case, those of its subqueries left out.
        blocks: indexes of the blocks whose rows its subquery gives (several for a UNION).
    """

    at: Span
    sort: Sort
    value: str | None = None
    string: bool = False
    type: str | None = None
    columns: tuple[Column, ...] = ()
    functions: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()


class Operator(StrEnum):
    """How a predicate compares."""

    EQ = "="
    NULL_SAFE_EQ = "<=>"
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    BETWEEN = "between"
    IN = "in"
    NOT_IN = "not in"
    LIKE = "like"
    """LIKE, ILIKE or RLIKE."""
    NOT_LIKE = "not like"
    IS_NULL = "is null"
    IS_NOT_NULL = "is not null"
    EXISTS = "exists"
    NOT_EXISTS = "not exists"
    ANY_OF = "or"
    """Alternatives: see `Predicate.alternatives`."""
    NOT = "not"
    """A negation of something that is not listed here: its operand is `left`."""
    TRUTH = "truth"
    """A bare expression taken as true or false: a column, a function call, TRUE, a parameter."""


class Clause(StrEnum):
    """Where something stands in its block."""

    WHERE = "where"
    ON = "on"
    HAVING = "having"
    QUALIFY = "qualify"
    OUTPUT = "output"
    GROUP = "group"
    ORDER = "order"
    """ORDER BY, SORT BY, DISTRIBUTE BY, CLUSTER BY of the block itself."""
    SOURCE = "source"
    """Among the row sources: LATERAL VIEW, TABLE(…), VALUES."""
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition; those of a block are joined by AND.

    Attributes:
        at: the whole condition, from its first to its last operand.
        left: what is compared; for ANY_OF the first operand of the first alternative.
        rights: what it is compared with: one, two for BETWEEN, any number for IN, none for tests and ANY_OF.
        clause: where it stands.
        join: for ON: index of the source that the join brings in. A JOIN without ON has no condition, nor has
            one with ON TRUE.
        alternatives: for ANY_OF: the branches of the OR, each a list of conditions joined by AND.
    """

    at: Span
    operator: Operator
    left: Operand
    rights: tuple[Operand, ...] = ()
    clause: Clause = Clause.WHERE
    join: int | None = None
    alternatives: tuple[tuple[Predicate, ...], ...] = ()

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Both sides; for ANY_OF those of every branch."""
        if self.operator is Operator.ANY_OF:
            return tuple(
                operand for branch in self.alternatives for part in branch for operand in part.operands
            )
        return (self.left, *self.rights)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column in it, those of subqueries left out."""
        return tuple(column for operand in self.operands for column in operand.columns)


class Joined(StrEnum):
    """How a row source comes into its block."""

    FIRST = "first"
    COMMA = "comma"
    CROSS = "cross"
    INNER = "inner"
    LEFT = "left"
    RIGHT = "right"
    FULL = "full"
    SEMI = "semi"
    ANTI = "anti"
    LATERAL = "lateral"
    """LATERAL VIEW or a lateral function: rows made of the source's own row."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something a block takes rows from.

    Attributes:
        at: its name, or its whole subquery.
        joined: how it comes in.
        table: the database's table it names, as written; empty for a CTE, subquery, VALUES or function.
        alias: the name that its columns are called by: its alias, or the last part of its name.
        has_alias: whether the author gave it an alias.
        blocks: indexes of the blocks whose rows it gives: of the CTE or subquery (several for a UNION).
        cte: the CTE (or script variable `@v`) it names; empty when it names none.
        nullable: whether an outer join may fill its columns with NULL.
        natural: whether USING or NATURAL links it.
        using: the columns of USING.
        columns: names given to its columns by its alias (`t(a, b)`, LATERAL VIEW … AS a, b).
        partitions: values in a `PARTITION(…)` written behind the table.
        target: whether it is the table that an UPDATE, DELETE or MERGE changes.
    """

    at: Span
    joined: Joined
    table: str = ""
    alias: str = ""
    has_alias: bool = False
    blocks: tuple[int, ...] = ()
    cte: str = ""
    nullable: bool = False
    natural: bool = False
    using: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    partitions: tuple[PartitionValue, ...] = ()
    target: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """One expression that a block gives out.

    Attributes:
        name: its alias, or the column's own name; empty when it has none.
        star: whether it is `*` or `t.*`; `operand.columns` is then empty.
        qualifier: for a star: what stands before the dot.
        aggregate: whether it has an aggregate function (outside OVER).
        pattern: whether it is a star that is written as a pattern for names: `(ds)?+.+`.
    """

    at: Span
    name: str
    operand: Operand
    star: bool = False
    qualifier: str = ""
    aggregate: bool = False
    pattern: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function call.

    Attributes:
        name: in lower case, with its project when it has one (`proj:func`).
        clause: where it stands.
        arguments: what it is called with.
        distinct: whether its argument is DISTINCT.
    """

    at: Span
    name: str
    clause: Clause
    arguments: tuple[Operand, ...] = ()
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A function with OVER.

    Attributes:
        function: its name in lower case.
        partition: operands of PARTITION BY.
        order: operands of ORDER BY.
    """

    at: Span
    function: str
    partition: tuple[Operand, ...] = ()
    order: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Division:
    """A division (`/`, `%`, DIV) by something that is not a plain number."""

    at: Span
    divisor: Operand


class Role(StrEnum):
    """What a block's rows are for."""

    RESULT = "result"
    """They are written or returned by the statement."""
    CTE = "cte"
    DERIVED = "derived"
    """A subquery in FROM."""
    EXISTS = "exists"
    IN = "in"
    SCALAR = "scalar"
    CHANGE = "change"
    """Not a SELECT: the rows that an UPDATE, DELETE or MERGE finds; its first source is its target."""


@dataclass(frozen=True, slots=True)
class Block:
    """One SELECT.

    Attributes:
        at: its SELECT keyword (or its first known character) to its last known character.
        role: what its rows are for; a branch of a UNION has the role of the UNION.
        parent: index of the block it stands in (for a CTE: that its query stands in); None at the top.
        depth: how many blocks it stands in; 0 at the top.
        sources: in order of the text.
        predicates: conditions of WHERE, ON, HAVING and QUALIFY, joined by AND.
        comparisons: comparisons elsewhere: in outputs, CASE, IF; not joined by anything.
        group: operands of GROUP BY; empty when there is none.
        grouped: whether there is a GROUP BY.
        order: ORDER BY of the block itself (not SORT BY); None when there is none.
        sorted: whether there is a SORT BY, DISTRIBUTE BY or CLUSTER BY.
        limit: the number of LIMIT; 0 when it is not a plain number; None without LIMIT.
        hints: names in hints, with what they hold: ("mapjoin", ("b",)).
    """

    at: Span
    role: Role
    parent: int | None = None
    depth: int = 0
    sources: tuple[Source, ...] = ()
    predicates: tuple[Predicate, ...] = ()
    comparisons: tuple[Predicate, ...] = ()
    outputs: tuple[Output, ...] = ()
    calls: tuple[Call, ...] = ()
    windows: tuple[Window, ...] = ()
    divisions: tuple[Division, ...] = ()
    group: tuple[Operand, ...] = ()
    grouped: bool = False
    distinct: Span | None = None
    order: Span | None = None
    sorted: bool = False
    limit: int | None = None
    hints: tuple[Hint, ...] = ()

    @property
    def aggregated(self) -> bool:
        """Whether it gives one row: an aggregate in its outputs and no GROUP BY."""
        return not self.grouped and any(output.aggregate for output in self.outputs)


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint (`/*+ mapjoin(a, b) */`): its name in lower case, and the aliases it names, as written."""

    at: Span
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Union:
    """A set operation.

    Attributes:
        at: the keyword, or the place between its branches.
        kind: `union`, `intersect` or `except`.
        distinct: whether equal rows are made one.
        blocks: indexes of the blocks of its branches.
        order: ORDER BY of all its rows; None when there is none.
        limit: as that of a block.
    """

    at: Span
    kind: str
    distinct: bool
    blocks: tuple[int, ...] = ()
    order: Span | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class PartitionValue:
    """One column of a `PARTITION(…)`.

    Attributes:
        column: its name as written.
        value: what it is set to; None for a dynamic partition (`PARTITION(ds)`).
        operator: `=` but for ALTER … DROP PARTITION (ds < '2024').
    """

    at: Span
    column: str
    value: Operand | None = None
    operator: Operator = Operator.EQ


class Written(StrEnum):
    """How rows come into a table, or change there."""

    INSERT = "insert"
    """INSERT INTO: appended."""
    OVERWRITE = "overwrite"
    CREATE = "create"
    """CREATE TABLE … AS."""
    MERGE = "merge"
    UPDATE = "update"
    DELETE = "delete"
    LOAD = "load"
    LOAD_OVERWRITE = "load overwrite"
    UPSERT = "upsert"
    """REPLACE INTO, INSERT … ON DUPLICATE KEY UPDATE, ON CONFLICT, into a table with a primary key."""


@dataclass(frozen=True, slots=True)
class Write:
    """Rows written to a table.

    Attributes:
        at: the table's name.
        table: as written.
        partition: its PARTITION(…), in order; empty when there is none.
        columns: the columns it lists; empty when it lists none.
        blocks: indexes of the blocks whose rows are written (several for a UNION); empty for VALUES, and for
            UPDATE, DELETE and MERGE, which have a block of role CHANGE.
        values: rows of VALUES; None when its rows come from a query.
        filtered: for UPDATE and DELETE: whether a WHERE, or a join, can leave a row out.
    """

    at: Span
    how: Written
    table: str
    partition: tuple[PartitionValue, ...] = ()
    columns: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()
    values: int | None = None
    filtered: bool = True


class Gone(StrEnum):
    """What a statement takes away."""

    TABLE = "table"
    VIEW = "view"
    DATABASE = "database"
    SCHEMA = "schema"
    PARTITION = "partition"
    COLUMN = "column"
    BACKUP = "backup"
    """What PURGE TABLE removes: dropped or overwritten data that could be brought back."""
    ROWS = "rows"
    """TRUNCATE of a whole table."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A DROP, TRUNCATE or PURGE.

    Attributes:
        at: from the word that says it to the name.
        name: the table, view, database or schema, as written.
        partition: for a PARTITION: which.
        columns: for a COLUMN: which, as written.
    """

    at: Span
    what: Gone
    name: str
    partition: tuple[PartitionValue, ...] = ()
    columns: tuple[str, ...] = ()


class Made(StrEnum):
    """What a CREATE makes."""

    TABLE = "table"
    VIEW = "view"
    FUNCTION = "function"
    RESOURCE = "resource"
    DATABASE = "database"
    SCHEMA = "schema"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column of a CREATE TABLE: its type in upper case as written, empty when there is none."""

    at: Span
    name: str
    type: str = ""
    comment: bool = False
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Creation:
    """A CREATE, ADD JAR or the like.

    Attributes:
        at: the name.
        columns: without the partition columns.
        partitions: the partition columns.
        lifecycle: days of LIFECYCLE; 0 when it is a parameter; None without one.
        exists: whether it says IF NOT EXISTS.
        replace: whether it says OR REPLACE.
        like: the table of CREATE TABLE … LIKE.
        queried: whether it is a CREATE TABLE … AS.
        temporary: whether it says TEMPORARY.
        external: whether it says EXTERNAL.
        keys: columns of its primary key.
    """

    at: Span
    what: Made
    name: str
    columns: tuple[ColumnDefinition, ...] = ()
    partitions: tuple[ColumnDefinition, ...] = ()
    comment: bool = False
    lifecycle: int | None = None
    exists: bool = False
    replace: bool = False
    like: str = ""
    queried: bool = False
    temporary: bool = False
    external: bool = False
    keys: tuple[str, ...] = ()


class Altered(StrEnum):
    """What an ALTER TABLE does besides taking something away (that is a `Removal`)."""

    ADD_COLUMNS = "add columns"
    ADD_PARTITION = "add partition"
    RENAME = "rename"
    RENAME_COLUMN = "rename column"
    CHANGE_COLUMN = "change column"
    LIFECYCLE = "lifecycle"
    OWNER = "owner"
    COMMENT = "comment"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Alteration:
    """An ALTER TABLE.

    Attributes:
        table: as written.
        names: the columns that it adds or changes, or the new name.
        lifecycle: days of SET LIFECYCLE; 0 when it is a parameter; None when it sets none.
    """

    at: Span
    what: Altered
    table: str
    names: tuple[str, ...] = ()
    lifecycle: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A `SET name = value` of the client; both as written, the name in lower case."""

    at: Span
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CTE:
    """A common table expression, or a variable of script mode (`@v := SELECT …`).

    The blocks of a variable stand, as those of a CTE, in each statement that reads it, with their own places
    in the script; the statement that defines it has none then.

    Attributes:
        uses: how often the statement reads it.
    """

    at: Span
    name: str
    blocks: tuple[int, ...] = ()
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        at: the whole statement.
        verb: its first word in upper case.
        bare: its text in which parameters are masked, and comments and insides of strings are blank.
        unread: why it could not be read; None when it could.
        unread_at: where reading it stopped.
        blocks: every SELECT; an enclosing block comes before those in it.
        misplaced: clauses in an order that the engine refuses, each with a word on what it is.
        dialect: of SQL within another language; None: the script's own.
    """

    at: Span
    verb: str = ""
    bare: str = ""
    unread: str | None = None
    unread_at: Span | None = None
    blocks: tuple[Block, ...] = ()
    ctes: tuple[CTE, ...] = ()
    unions: tuple[Union, ...] = ()
    writes: tuple[Write, ...] = ()
    removals: tuple[Removal, ...] = ()
    creations: tuple[Creation, ...] = ()
    alterations: tuple[Alteration, ...] = ()
    setting: Setting | None = None
    misplaced: tuple[tuple[Span, str], ...] = ()
    dialect: Dialect | None = None

    def reads(self) -> Iterator[tuple[Block, Source]]:
        """Yield every table of the database that it reads, where it does; not the target of a change."""
        for block in self.blocks:
            for source in block.sources:
                if source.table and not source.target:
                    yield block, source


@dataclass(frozen=True, slots=True)
class Parameter:
    """A scheduling parameter where it is used.

    Attributes:
        name: the name that scheduling must define; empty for one that needs no definition (`${yyyymmdd}`,
            `$[yyyymmdd-1]`, `${bdp.system.bizdate}`).
        text: as written.
    """

    at: Span
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its marks."""

    at: Span
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """A node's code.

    Attributes:
        code: the text as its author wrote it.
        given: what is known besides the code: the node, its tables, the project.
        statements: what it does, in order; for Python and shell those of the SQL within it.
        python: what a Python node does besides SQL.
        shell: what a shell node does besides SQL.
        job: what a data integration node does.
    """

    code: str
    dialect: Dialect
    given: Given = field(default_factory=Given)
    statements: tuple[Statement, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    comments: tuple[Comment, ...] = ()
    python: PythonFacts | None = None
    shell: ShellFacts | None = None
    job: Job | None = None
    _found: dict[Callable[[Statement], Iterable[str]], dict[str, list[tuple[int, str]]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def same(self, one: str, other: str) -> bool:
        """Whether two names mean the same table; one without a project belongs to that of the script."""
        return same_table(one, other, self.given.project)

    def made_before(self, index: int, table: str) -> bool:
        """Whether the script itself creates `table` anew before the statement at `index`."""
        return any(
            place < index and self.same(table, name)
            for place, name in self._places(_anew).get(last(table), ())
        )

    def filled_after(self, index: int, table: str) -> bool:
        """Whether the script creates or fills `table` after the statement at `index`."""
        return any(
            place > index and self.same(table, name)
            for place, name in reversed(self._places(_fills).get(last(table), ()))
        ) or any(
            access.brings and access.at > self.statements[index].at and self.may_be(access.table, table)
            for access in (self.python.accesses if self.python else ())
        )

    def _places(self, names: Callable[[Statement], Iterable[str]]) -> dict[str, list[tuple[int, str]]]:
        """Return which statements give which `names`, by the last part of the name."""
        found = self._found.get(names)
        if found is None:
            found = self._found[names] = {}
            for index, item in enumerate(self.statements):
                for name in names(item):
                    found.setdefault(last(name), []).append((index, name))
        return found

    def taken_by_call(self, before: Span, table: str) -> bool:
        """Whether a call of a Python node empties `table`, or a part of it, before the place `before`."""
        return any(
            access.takes and access.at < before and self.may_be(access.table, table)
            for access in (self.python.accesses if self.python else ())
        )

    def may_be(self, name: str, table: str) -> bool:
        """Whether `name` means `table`, or is made at run time and so may mean any."""
        return not name or any(mark in name for mark in "${[%") or self.same(name, table)


def _anew(item: Statement) -> Iterator[str]:
    return (made.name for made in item.creations if not made.exists)


def _fills(item: Statement) -> Iterator[str]:
    yield from (made.name for made in item.creations)
    yield from (write.table for write in item.writes if write.how not in _KEEPS_WHAT_IS_THERE)
    for change in item.alterations:
        yield from _renewed(change)


_KEEPS_WHAT_IS_THERE = frozenset({Written.UPDATE, Written.DELETE})
"""Ways to write that bring no rows."""


def _renewed(change: Alteration) -> tuple[str, ...]:
    if change.what is Altered.RENAME:
        return change.names
    return (change.table,) if change.what is Altered.ADD_PARTITION else ()


def last(name: str) -> str:
    """Return the last part of a table's name in lower case: names that mean the same table share it."""
    return name.rpartition(".")[2].lower()


def same_table(one: str, other: str, project: str | None = None) -> bool:
    """Whether two names may mean the same table: as many parts as both have are compared.

    Args:
        one: a name as written.
        other: another.
        project: what a name without a project belongs to; None when that is not known.
    """
    parts, others = one.lower().split("."), other.lower().split(".")
    if project and len(parts) != len(others):
        parts, others = ([project.lower(), *names] if len(names) == 1 else names for names in (parts, others))
    shared = min(len(parts), len(others))
    return bool(one) and bool(other) and parts[-shared:] == others[-shared:]
