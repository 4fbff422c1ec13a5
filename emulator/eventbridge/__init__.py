"""The EventBridge side of the emulator: signed events."""
