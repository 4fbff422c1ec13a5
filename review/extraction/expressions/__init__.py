"""Facts of expressions: columns, operands, predicates, calls, outputs."""
