"""The node's key and its certificates."""
