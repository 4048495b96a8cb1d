"""Segments, the recorder, the catalog, retention and evidence hold."""
