"""What a worker shows of itself and of the fleet: its metrics, and the server of its health."""
