"""The demonstration: a whole node, its broker and its hub on one machine."""
