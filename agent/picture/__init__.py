"""Frames, access units and covers: what travels through the node."""
