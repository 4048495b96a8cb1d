"""A frame's way: capture, masking, pipeline, stills."""
