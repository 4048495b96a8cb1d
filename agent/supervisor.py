"""Starts the components in order, watches their progress, and stops them in reverse within their deadlines."""
