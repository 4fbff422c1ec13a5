"""Configuration files: where their problems are, and how these are worded."""
