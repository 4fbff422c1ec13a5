"""Rules about statements that cost more than they need to (MC-P)."""
