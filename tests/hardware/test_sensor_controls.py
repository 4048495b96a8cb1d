"""From [camera] to libcamera's controls: exposure limits, focus, HDR, day and night."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.config.model import CameraSettings
from hardware import sensor_controls
from hardware.sensor_controls import DUSK_S, LightFollower, missing_controls, start_controls

ALL = ("FrameDurationLimits", "AfMode", "AfTrigger", "HdrMode", "Saturation", "AeExposureMode", "ExposureTime")


def settings_of(**more: Any) -> CameraSettings:
    """A ribbon-cable camera at 25 a second."""
    return CameraSettings(driver="picamera2", **more)


def test_rate_and_focus_are_set_at_start() -> None:
    """25 a second is 40 ms a picture; "once" also sets the autofocus off."""
    assert start_controls(settings_of(), ALL) == {"FrameDurationLimits": (40_000, 40_000), "AfMode": sensor_controls.AF_MANUAL}
    once = start_controls(settings_of(autofocus="once"), ALL)
    assert (once["AfMode"], once["AfTrigger"]) == (sensor_controls.AF_AUTO, sensor_controls.AF_TRIGGER_START)
    assert start_controls(settings_of(autofocus="continuous"), ALL)["AfMode"] == sensor_controls.AF_CONTINUOUS


def test_what_the_camera_does_not_offer_is_neither_set_nor_hidden() -> None:
    """A fixed lens without HDR: libcamera would refuse the control; health names what is missing."""
    wanted = settings_of(autofocus="continuous", hdr=True, exposure_max_us=10_000)
    assert start_controls(wanted, ("FrameDurationLimits",)) == {"FrameDurationLimits": (40_000, 40_000)}
    assert missing_controls(wanted, ("FrameDurationLimits",)) == ["autofocus", "hdr", "exposure_max_us"]
    assert missing_controls(wanted, ALL) == []


def test_night_is_grey_and_may_expose_longer_unless_limited() -> None:
    """`day_night = "night"` from the first picture on; a limit on exposure beats the longer one."""
    night = start_controls(settings_of(day_night="night"), ALL)
    assert (night["Saturation"], night["AeExposureMode"]) == (0.0, sensor_controls.AE_LONG)
    assert "AeExposureMode" not in start_controls(settings_of(day_night="night", exposure_max_us=10_000), ALL)


@given(st.lists(st.floats(0.05, 40), min_size=30, max_size=120))
def test_exposure_stays_below_its_limit(scene: list[float]) -> None:
    """A modelled camera under changing light: one picture after it rose above the limit, exposure is back at or below it."""
    limit_us = 10_000
    follower = LightFollower(settings_of(exposure_max_us=limit_us), ALL)
    fixed_us, over = 0, 0
    for n, light in enumerate(scene):
        # The camera asks for exposure x gain = 40 ms / light; in auto it spends exposure first, up to 40 ms.
        need_us = 40_000 / light
        exposure_us = float(fixed_us) if fixed_us else min(40_000.0, need_us)
        gain = max(1.0, need_us / exposure_us)
        over = over + 1 if exposure_us > limit_us else 0
        assert over <= 1
        changes = follower.follow({"ExposureTime": exposure_us, "AnalogueGain": gain}, n * NS)
        fixed_us = changes.get("ExposureTime", fixed_us)


def test_dusk_takes_its_time_and_a_headlight_is_no_dawn() -> None:
    """Half a minute of darkness turns to grey, once; a flash at night changes nothing; lasting light turns back."""
    follower = LightFollower(settings_of(), ALL)
    changes = {}
    for second in range(300):
        lux = 500.0 if second < 50 or second == 150 or second >= 200 else 0.5
        found = follower.follow({"Lux": lux}, second * NS)
        if found:
            changes[second] = found
    assert list(changes) == [50 + round(DUSK_S), 200 + round(DUSK_S)]
    assert changes[80]["Saturation"] == 0.0
    assert changes[230] == {"Saturation": 1.0, "AeExposureMode": sensor_controls.AE_NORMAL}


def test_camera_that_tells_nothing_is_left_alone() -> None:
    """No lux, no exposure in the metadata (a virtual or foreign camera): no control is touched."""
    follower = LightFollower(settings_of(exposure_max_us=1_000), ALL)
    assert follower.follow({}, 0) == {}
