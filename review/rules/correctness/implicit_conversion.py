"""MC-C06: implicit-conversion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from common.verdicts import Severity
from review.analysis.conditions import conditions
from review.facts import Column, Operand, OperandKind, Operator, Predicate, Source, Statement
from review.rules.api import WAREHOUSE, Hit, Options, RuleContext, Text, rule

_COMPARES = frozenset(
    {
        Operator.EQ,
        Operator.NULL_SAFE_EQ,
        Operator.NE,
        Operator.LT,
        Operator.LE,
        Operator.GT,
        Operator.GE,
        Operator.BETWEEN,
        Operator.IN,
        Operator.NOT_IN,
    }
)
_KINDS = {
    "text": "STRING VARCHAR CHAR TEXT NVARCHAR NCHAR BPCHAR VARCHAR2 CLOB LONGTEXT MEDIUMTEXT TINYTEXT",
    "number": "TINYINT SMALLINT INT INTEGER BIGINT FLOAT DOUBLE DECIMAL NUMERIC NUMBER REAL INT2 INT4 INT8"
    " FLOAT4 FLOAT8 LARGEINT INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64 FLOAT32 FLOAT64",
    "time": "DATE DATETIME TIMESTAMP TIMESTAMP_NTZ TIMESTAMPTZ DATETIME2",
    "boolean": "BOOLEAN BOOL",
}
_KIND = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_DAY_PARAMETERS = ("bizdate", "yyyymmdd", "bdp.system", "yyyymm", "yyyy-mm")


@rule(
    "MC-C06",
    "implicit-conversion",
    Severity.WARN,
    fix=Text(
        "Cast one side to the type of the other, or quote the literal.",
        "将一侧显式转换为另一侧的类型，或为字面量加上引号。",
    ),
)
def implicit_conversion(subject: RuleContext, _: Options) -> Iterator[Hit]:
    """Comparison of different types without a cast.

    ## What it does
    Reports comparisons and join conditions between values of different kinds (text, number, time, boolean)
    without a cast. Both types must be known: from the catalogue, from a CREATE in the script, from a cast, or
    from the form of a literal. The most frequent case is a text partition column compared with an unquoted
    number.

    ## Why
    MaxCompute converts text and numbers to DOUBLE before it compares them: ids of more than 15 digits match
    other ids, non-numeric text becomes NULL, and a converted partition column can no longer prune partitions.

    ## Given
    ```json
    {"tables": {
      "dwd_order_di": {
        "columns": {"order_id": "BIGINT", "user_id": "STRING"}, "partitions": {"ds": "STRING"}},
      "dim_user": {
        "columns": {"user_id": "BIGINT", "name": "STRING"}, "partitions": {"ds": "STRING"}}
    }}
    ```

    ## Bad
    ```sql
    SELECT order_id FROM dwd_order_di WHERE ds = 20240501;
    ```
    ```sql
    SELECT o.order_id, u.name
    FROM dwd_order_di o
    JOIN dim_user u ON o.user_id = u.user_id AND u.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}';
    ```

    ## Good
    ```sql
    SELECT order_id FROM dwd_order_di WHERE ds = '20240501';
    ```
    ```sql
    SELECT o.order_id, u.name
    FROM dwd_order_di o
    JOIN dim_user u ON o.user_id = CAST(u.user_id AS STRING) AND u.ds = '${bizdate}'
    WHERE o.ds = '${bizdate}';
    ```

    ## Options
    None.

    ## Known limits
    Types of one kind (INT and BIGINT, DATE and DATETIME) are not distinguished. A string literal compared
    with a time column counts as a time. Outside MaxCompute, Hive and Spark a string literal compared with a
    number is not reported: those engines convert the literal once. Types of computed values are known from
    casts only.
    """
    for statement in subject.script.statements:
        for index, block in enumerate(statement.blocks):
            types = _Types(subject, statement, index)
            for place, source in enumerate(block.sources):
                for name in source.using:
                    yield from _using(types, source, place, name)
        for _block, predicate in conditions(statement):
            if predicate.operator in _COMPARES:
                hit = _mixed(subject, statement, predicate)
                if hit is not None:
                    yield hit


def _mixed(subject: RuleContext, statement: Statement, predicate: Predicate) -> Hit | None:
    left = _type(subject, statement, predicate.left)
    for right in predicate.rights:
        other = _type(subject, statement, right)
        if left is None or other is None or _fits(left, other):
            continue
        warehouse = (statement.dialect or subject.script.dialect) in WAREHOUSE
        if not _converted(predicate.left, left, right, other, warehouse=warehouse):
            continue
        names = [column.name for column in predicate.columns]
        return Hit(
            predicate.at, _message(names, left, other), _fix(predicate.left, right, left), key=".".join(names)
        )
    return None


@dataclass(slots=True)
class _Types:
    """Types of the columns of one block's sources by name, each looked up once.

    Attributes:
        _known: for each name, how many sources were looked up, and the distinct types in them.
    """

    subject: RuleContext
    statement: Statement
    index: int
    _known: dict[str, tuple[int, dict[str, None]]] = field(default_factory=dict)

    def of(self, place: int, name: str) -> str | None:
        """Return the type of the column `name` in the source at `place`; None if it is unknown."""
        at = self.statement.blocks[self.index].sources[place].at
        column = Column(at, name, "", self.index, place)
        return self.subject.catalog.type_of(
            self.statement, Operand(at, OperandKind.COLUMN, columns=(column,))
        )

    def before(self, place: int, name: str) -> tuple[str, ...]:
        """Return the distinct types of the columns `name` before `place`; call it with growing places."""
        count, kinds = self._known.get(name, (0, {}))
        for number in range(count, place):
            if kind := self.of(number, name):
                kinds[kind] = None
        self._known[name] = max(count, place), kinds
        return tuple(kinds)


def _using(types: _Types, source: Source, place: int, name: str) -> Iterator[Hit]:
    """Yield a hit if the column of a USING has a different type in an earlier source."""
    last = types.of(place, name)
    for kind in types.before(place, name) if last is not None else ():
        if last is not None and not _fits(kind, last):
            yield Hit(source.at, _message([name], kind, last), key=name)
            return


def _fits(one: str, other: str) -> bool:
    return _KIND.get(one, one) == _KIND.get(other, other) or not {one, other} <= _KIND.keys()


def _converted(left: Operand, left_type: str, right: Operand, right_type: str, *, warehouse: bool) -> bool:
    """Whether the engine converts a side that is not a literal; warehouses convert both sides."""
    if OperandKind.COLUMN not in (left.sort, right.sort) and OperandKind.COMPUTED not in (
        left.sort,
        right.sort,
    ):
        return False
    literal = {
        kind
        for operand, kind in ((left, _KIND[left_type]), (right, _KIND[right_type]))
        if operand.sort in (OperandKind.LITERAL, OperandKind.PARAMETER)
    }
    kinds = {_KIND[left_type], _KIND[right_type]}
    if literal == {"text"} and kinds != {"text", "number"}:
        return False
    return literal != {"text"} or warehouse


def _type(subject: RuleContext, statement: Statement, operand: Operand) -> str | None:
    match operand.sort:
        case OperandKind.LITERAL:
            return operand.type.upper() if operand.type and not operand.string else _literal(operand)
        case OperandKind.PARAMETER if operand.string:
            return "STRING"
        case OperandKind.PARAMETER:
            return "BIGINT" if _day(operand) else None
        case OperandKind.QUERY:
            return _of_query(subject, statement, operand)
        case _:
            return subject.catalog.type_of(statement, operand)


def _literal(operand: Operand) -> str | None:
    if operand.string:
        return operand.type.upper() if operand.type else "STRING"
    value = operand.value or ""
    return "BIGINT" if value.lstrip("-").isdigit() else None


def _day(operand: Operand) -> bool:
    value = (operand.value or "").lower()
    return any(word in value for word in _DAY_PARAMETERS)


def _of_query(subject: RuleContext, statement: Statement, operand: Operand) -> str | None:
    types = set()
    for index in operand.blocks:
        outputs = statement.blocks[index].outputs
        if len(outputs) != 1 or outputs[0].star:
            return None
        types.add(_type(subject, statement, outputs[0].operand))
    return types.pop() if len(types) == 1 else None


def _message(names: list[str], left: str, right: str) -> Text:
    what = " and ".join(dict.fromkeys(names))
    return Text(
        f"The comparison of {what} mixes {left} and {right} without a cast.",
        f"{'、'.join(dict.fromkeys(names))} 的比较混用了 {left} 与 {right}，没有显式转换。",
    )


def _fix(left: Operand, right: Operand, kind: str) -> Text | None:
    if (
        left.sort is OperandKind.COLUMN
        and right.sort is OperandKind.LITERAL
        and not right.string
        and _KIND[kind] == "text"
    ):
        name = left.columns[0].name
        return Text(
            f"Quote the value: {name} = '{right.value}'.", f"为取值加上引号：{name} = '{right.value}'。"
        )
    return None
