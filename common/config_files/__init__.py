"""Configuration files: reading, reloading, and problems with their positions and wording."""
