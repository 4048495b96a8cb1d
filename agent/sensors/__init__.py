"""What a unit that is moved knows of itself: where it stands, how it hangs, what feeds it, what it spends (docs/sensors.md)."""
