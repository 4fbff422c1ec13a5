"""Rules about secrets, permissions and destructive statements (MC-S)."""
