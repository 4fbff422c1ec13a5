"""Rules about statements that are wrong or do something else than they seem to (MC-C)."""
