"""Live view under a lease: who may look in, for how long, and the proof of who did (docs/live.md)."""
