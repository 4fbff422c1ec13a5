"""The engines as the settings name them: addresses, and the order in which they are tried."""
