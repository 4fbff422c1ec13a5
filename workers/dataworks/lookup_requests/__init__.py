"""Lookups of processes without credentials: requested through Redis, made by a process that has them."""
