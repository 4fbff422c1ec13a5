"""Generated code whose effects are known: statements that delete data, in everything that can carry one."""
