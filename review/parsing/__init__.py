"""From statements to facts by way of trees: the only part of the engine that knows sqlglot."""
