"""Decisions about one event: plan, check outcomes, verdict, tip."""
