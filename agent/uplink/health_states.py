"""The words that states in health are told in, for the published schema. A word that is not here is told all the same."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

CameraState = Annotated[str, Meta(extra_json_schema={"enum": ["delivering", "silent", "frozen", "over"]})]
RecordingState = Annotated[str, Meta(extra_json_schema={"enum": ["recording", "waiting", "failing"]})]
