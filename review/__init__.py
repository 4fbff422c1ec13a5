"""The code review engine: takes code and returns findings, without I/O. `engine` is its entry point.

A review masks the scheduling parameters, splits the text into statements, parses them (`trees`), reads facts
from the trees, and checks the facts by rules (`rules`). Rules see only facts, never trees or sqlglot.
"""
