"""The tolerant second reading: what a file with slips of syntax was meant to say, for finding faults alone, never for use."""
