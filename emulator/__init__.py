"""An emulator of DataWorks and EventBridge, for demos and tests."""
