"""The one colour of a solid mask and of a closed frame."""

from __future__ import annotations

SOLID_YUV = (126, 128, 128)
"""Mid grey in limited range."""
