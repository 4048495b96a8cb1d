"""The installed picamera2 and libcamera still are what the driver was written for."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import libcamera
import numpy as np
import picamera2
import pytest
from picamera2.encoders import Encoder, H264Encoder, LibavH264Encoder
from picamera2.outputs import Output
from picamera2.request import Helpers

from hardware import sensor_controls
from hardware.picamera2_buffers import interleaved_chroma, planes_of


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (picamera2.Picamera2.__init__, "camera_num"),
        (
            picamera2.Picamera2.create_video_configuration,
            "main lores transform buffer_count controls display encode queue",
        ),
        (picamera2.Picamera2.configure, "camera_config"),
        (picamera2.Picamera2.stream_configuration, "name"),
        (picamera2.Picamera2.start, "config"),
        (picamera2.Picamera2.capture_request, "wait"),
        (picamera2.Picamera2.wait, "job timeout"),
        (picamera2.Picamera2.set_controls, "controls"),
        (picamera2.Picamera2.cancel_all_and_flush, ""),
        (picamera2.Picamera2.close, ""),
        (picamera2.MappedArray.__init__, "request stream reshape write"),
        (picamera2.CompletedRequest.release, ""),
        (picamera2.CompletedRequest.get_metadata, ""),
        (Encoder.encode, "stream request"),
        (Encoder.start, ""),
        (Encoder.stop, ""),
        (H264Encoder.__init__, "bitrate repeat iperiod framerate qp"),
        (H264Encoder.force_key_frame, ""),
        (LibavH264Encoder.__init__, "bitrate repeat iperiod framerate qp"),
        (LibavH264Encoder.force_key_frame, ""),
        (Output.outputframe, "frame keyframe timestamp packet audio"),
    ],
)
def test_signature(call: object, names: str) -> None:
    """What the driver calls takes the arguments the driver gives."""
    have = inspect.signature(call).parameters  # type: ignore[arg-type]
    assert set(names.split()) <= set(have)
    required = {n for n, p in have.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD and n != "self"}
    assert required <= set(names.split())


def test_numbers_of_the_controls() -> None:
    """Libcamera's enumerations are the numbers written down in sensor_controls."""
    controls = libcamera.controls
    pairs = [
        (controls.AfModeEnum.Manual, sensor_controls.AF_MANUAL),
        (controls.AfModeEnum.Auto, sensor_controls.AF_AUTO),
        (controls.AfModeEnum.Continuous, sensor_controls.AF_CONTINUOUS),
        (controls.AfTriggerEnum.Start, sensor_controls.AF_TRIGGER_START),
        (controls.AeExposureModeEnum.Normal, sensor_controls.AE_NORMAL),
        (controls.AeExposureModeEnum.Long, sensor_controls.AE_LONG),
        (controls.HdrModeEnum.SingleExposure, sensor_controls.HDR_SINGLE_EXPOSURE),
    ]
    assert [int(theirs) for theirs, _ in pairs] == [ours for _, ours in pairs]
    for name in ("ExposureTime", "AnalogueGain", "Lux", "FocusFoM", "LensPosition", "SensorTimestamp", "Saturation"):
        assert hasattr(controls, name)


@pytest.mark.parametrize(
    ("width", "height", "stride"), [(1296, 720, 1344), (1920, 1080, 1920), (1928, 1080, 1984), (640, 360, 640)]
)
def test_layout_of_a_padded_yuv420_buffer(width: int, height: int, stride: int) -> None:
    """Our planes and picamera2's own array name the same samples, also where rows are padded."""
    buffer = np.random.default_rng(1).integers(0, 256, stride * height * 3 // 2, np.uint8)
    layout = {"format": "YUV420", "size": (width, height), "stride": stride}
    theirs = Helpers(SimpleNamespace())._make_array_shared(buffer, layout)
    ours = planes_of(buffer, layout)
    halves = theirs.reshape(-1, stride // 2)
    assert np.array_equal(ours.y, theirs[:height, :width])
    assert np.array_equal(ours.u, halves[2 * height : 2 * height + height // 2, : width // 2])
    assert np.array_equal(ours.v, halves[2 * height + height // 2 :, : width // 2])
    assert all(np.shares_memory(plane, buffer) for plane in (ours.y, ours.u, ours.v))
    nv12 = Helpers(SimpleNamespace())._make_array_shared(buffer, {**layout, "format": "NV12"})
    assert np.array_equal(interleaved_chroma(buffer, layout).reshape(height // 2, width), nv12[height:])
