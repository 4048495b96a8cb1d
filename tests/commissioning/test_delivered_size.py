"""The doctor and the sheet go by what the camera delivers, never by what it was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from agent.base.errors import DeviceError
from agent.commissioning.camera import judge_running, judge_sight
from agent.commissioning.line import Grade, Line
from agent.commissioning.sheet_words import french
from agent.commissioning.sight import Sight
from agent.config.model import CameraSettings

CAMERA = CameraSettings(
    driver="rtsp", width=1280, height=720, fps=25, purpose="identification", distance_m=10, horizontal_view_degrees=72.0
)


def refuse() -> dict[str, Any]:
    """The daemon gives no figures of its picture."""
    raise DeviceError("no picture", remedy="none")


def judged(delivered: tuple[int, int] | None, *, running: bool) -> dict[str, Line]:
    """The lines of the camera, by a look of the doctor's own or as told by the daemon."""
    driver = {} if delivered is None else {"delivered_width": delivered[0], "delivered_height": delivered[1]}
    if running:
        health = {"camera": {"last_frame_age_s": 0.1, "fps": 25.0, "captured": 99, "state": "delivering", "figures": driver}}
        return {line.check: line for line in judge_running(CAMERA, health, refuse)}
    sight = Sight(pictures=99, fps=25.0, width=1280, height=720, driver=driver)
    return {line.check: line for line in judge_sight(CAMERA, sight)}


@pytest.mark.parametrize("running", [True, False])
def test_an_enlarged_picture_is_no_larger_picture(running: bool) -> None:
    """320x180 under 1280x720: below the norm, a quarter of the pixels per metre, and said in both languages."""
    small, whole = judged((320, 180), running=running), judged((1280, 720), running=running)
    assert (small["picture size"].grade, whole["picture size"].grade) == (Grade.FAIL, Grade.OK)
    assert small["picture size"].metrics["width"] == 320
    assert small["pixels per metre"].metrics["pixels_per_metre"] == pytest.approx(22.0, abs=0.1)
    assert whole["pixels per metre"].metrics["pixels_per_metre"] == pytest.approx(88.1, abs=0.1)
    assert "delivers 320x180, which is enlarged to 1280x720" in small["delivered size"].measured
    entry = french(small["delivered size"])
    assert entry is not None
    assert entry.found(small["delivered size"].metrics) == "320 × 180, agrandie à 1280 × 720"
    assert "delivered size" not in whole


@pytest.mark.parametrize("delivered", [None, (2560, 1440)])
def test_a_larger_picture_is_judged_by_what_is_kept_of_it(delivered: tuple[int, int] | None) -> None:
    """4 Mpx scaled down to 1280x720, or a driver that says nothing: the configured size counts."""
    found = judged(delivered, running=True)
    assert found["picture size"].metrics["width"] == 1280
    assert "delivered size" not in found
