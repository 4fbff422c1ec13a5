"""Engines that fail over under load: every promise is checked at the end, and lateness is reported."""
