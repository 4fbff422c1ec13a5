"""A local installation with an embedded engine and emulators of DataWorks and EventBridge."""
