"""The clock that a test turns: benchmarks turn the same."""

from bench.manual_clock import START, ManualClock

__all__ = ["START", "ManualClock"]
