"""Every rule there is."""

from __future__ import annotations

from workers.review.rules import (
    cartesian_join,
    destruction,
    missing_where,
    not_reviewed,
    secrets,
    select_star,
)

RULES = (
    cartesian_join.RULE,
    missing_where.RULE,
    not_reviewed.RULE,
    select_star.RULE,
    secrets.RULE,
    destruction.RULE,
)

BY_ID = {rule.id: rule for rule in RULES}
