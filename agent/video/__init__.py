"""Frames, the view guard, privacy masks, access units and the pipeline that ties them."""
