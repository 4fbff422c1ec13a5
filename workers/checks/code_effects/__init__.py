"""Shared by the checks of a node's code: its file, and the effects of the code as plain values."""
