"""One machine: embedded engines, and the far side of the wire (DataWorks and EventBridge emulators)."""
