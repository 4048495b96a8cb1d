"""The technician's local web page."""
