"""Vigie, the edge agent for a town's public-space cameras: the domain, free of driver libraries."""

from pathlib import Path

__version__ = (Path(__file__).parent / "VERSION").read_text(encoding="ascii").strip()
