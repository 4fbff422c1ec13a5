"""Text: patterns, languages, and what may be printed."""
