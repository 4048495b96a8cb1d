"""Drivers behind agent/ports.py, one library each."""
