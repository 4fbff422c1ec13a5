"""Conclusions from facts that several rules share."""
