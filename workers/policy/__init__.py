"""The policy: model, layers, validation, JSON schema."""
