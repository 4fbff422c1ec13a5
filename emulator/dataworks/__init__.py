"""The DataWorks side of the emulator: OpenAPI gateway, operations, state."""
