"""What is asked at the node itself, through the control socket or the local page."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from agent.operations.arguments import Arguments


class ReadStatus(Arguments, frozen=True, kw_only=True):
    """The health document."""


class ReadPictureMetrics(Arguments, frozen=True, kw_only=True):
    """Focus and exposure of the picture, for whoever stands at the lens."""


class MasksValidate(Arguments, frozen=True, kw_only=True):
    """Take this view as the one the masks were drawn for."""

    by: Annotated[str, Meta(max_length=200)] = ""
    lift: bool = False
    nudge: bool = False


class MasksProgress(Arguments, frozen=True, kw_only=True):
    """What the validation under way asks the technician to do now."""
