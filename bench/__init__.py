"""Benchmarks: ratios measured in one run, printed by `vigie bench NAME`."""
