"""Detectors that look at masked frames only: motion and tampering."""
