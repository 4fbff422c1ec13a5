"""Implementations of the commands of `dwgate`, one module each."""
