"""Privacy masks: shapes, outlines, fills, and the one place that may make a MaskedFrame."""
