"""The limits of a search, which several checks have as options."""

from __future__ import annotations

from pydantic import Field

from workers.checks.api import Context, Options
from workers.checks.impact.graph_walk import Budget, search_deadline


class WalkOptions(Options):
    """Limits of a search."""

    depth: int = Field(default=5, strict=True, ge=1, le=50, description="hops that are searched")
    max_nodes: int = Field(
        default=500,
        strict=True,
        ge=1,
        le=100_000,
        description="nodes or tables found that end the search",
    )
    max_calls: int = Field(default=60, strict=True, ge=1, le=5000, description="lookups of one search")

    def budget(self, context: Context) -> Budget:
        """Return the budget of a search that starts now, when the check starts."""
        return Budget(
            self.depth, self.max_nodes, self.max_calls, search_deadline(context.now, context.deadline)
        )
