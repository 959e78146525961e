"""The engine's hands: database, clock, connectors and queue."""
