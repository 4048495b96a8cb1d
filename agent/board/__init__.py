"""The board's own health: from figures to alarms that do not flutter."""
