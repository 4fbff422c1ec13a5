"""Benchmarks, each compared with a named alternative in the same run."""
