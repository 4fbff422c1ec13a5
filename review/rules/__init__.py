"""The rules of the code review, one file per rule. They work on facts, never on syntax trees."""
