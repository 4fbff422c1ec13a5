"""The code review engine: text in, findings out, no I/O. `engine` is its door.

The way of a text: mask the scheduling parameters, split into statements, parse (`trees`), read facts from the
trees, judge the facts by rules (`rules`). Rules see facts only, never trees or sqlglot.
"""
