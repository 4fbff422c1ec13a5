"""Tests policies with written cases and with recorded events. Nothing is posted to DataWorks."""
