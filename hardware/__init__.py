"""Drivers behind agent/ports/, one library each."""
