"""Waivers: model, loader, matching, editor."""
