"""What may be asked of a node, whichever door it came by."""
