"""The hall: puts the parts together, starts, watches, reloads and stops them."""
