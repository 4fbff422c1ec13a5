"""The values of a `PARTITION(…)`."""

from review.facts.base import Span, fact
from review.facts.operands import Operand
from review.facts.predicates import Operator


@fact(frozen=True, slots=True)
class PartitionValue:
    """One column of a `PARTITION(…)`.

    Attributes:
        column: its name as written.
        value: the value it is set to; None for a dynamic partition (`PARTITION(ds)`).
        operator: `=`, except in ALTER … DROP PARTITION (ds < '2024').
    """

    at: Span
    column: str
    value: Operand | None = None
    operator: Operator = Operator.EQ
