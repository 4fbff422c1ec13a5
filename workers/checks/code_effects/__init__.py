"""What checks of a node's code share: its file, and what the code does, read once into plain values."""
