"""Notifications of people about what dwgate found: which, to whom, in which words, and how they are sent."""
