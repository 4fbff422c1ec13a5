"""Tries policies out: on cases that people write down, and on events of the past. It answers nobody."""
