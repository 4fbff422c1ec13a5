"""A local installation: embedded engines, and emulators of DataWorks and EventBridge."""
