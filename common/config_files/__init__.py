"""Configuration files: parsing, problems with positions and messages, reloading."""
