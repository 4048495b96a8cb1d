"""The hub side: what a supervision centre sees of its nodes, and a fleet of simulated ones."""
