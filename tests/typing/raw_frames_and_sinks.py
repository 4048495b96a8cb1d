"""Code that must not pass mypy: every way a picture that is not masked could reach a sink. Never run, only type-checked.

A line that must be refused carries `# refused: CODE` with mypy's error code. Lines without it must pass.
"""

from agent.analytics.motion import MotionDetector
from agent.analytics.tampering import TamperDetector
from agent.config.model import Motion, Tampering
from agent.console.preview import Preview
from agent.ports.video import Encoder
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from agent.stream.pipeline import Detector, Viewer
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.stream.still import jpeg
from hardware.encoder_libav import LibavEncoder

SEEN = ViewState.VERIFIED


def masked_frames_pass(raw: RawFrame, cover: Cover, encoder: Encoder, viewer: Viewer, detector: Detector) -> None:
    masked: MaskedFrame = PrivacyMask().apply(raw, cover)
    encoder.encode(masked)
    detector.observe(masked)
    viewer.show(masked)
    jpeg(masked)


def raw_frames_do_not(raw: RawFrame, planes: Planes, encoder: Encoder, viewer: Viewer, detector: Detector, preview: Preview) -> None:
    encoder.encode(raw)  # refused: arg-type
    encoder.encode(planes)  # refused: arg-type
    LibavEncoder(640, 360, 25.0).encode(raw)  # refused: arg-type
    detector.observe(raw)  # refused: arg-type
    MotionDetector("camera", Motion()).observe(raw)  # refused: arg-type
    TamperDetector("camera", Tampering()).observe(raw)  # refused: arg-type
    viewer.show(raw)  # refused: arg-type
    preview.show(raw)  # refused: arg-type
    jpeg(raw)  # refused: arg-type
    jpeg(planes)  # refused: arg-type
    masked: MaskedFrame = raw  # refused: assignment


def nobody_else_makes_masked_frames(planes: Planes, small: Plane, time: FrameTime) -> None:
    MaskedFrame(planes=planes, small=small, hidden=small, time=time, mask_digest="", view=SEEN, opaque=False, reason="")  # refused: call-arg
    MaskedFrame(None, planes, small, small, time, "", SEEN, opaque=False, reason="")  # refused: arg-type
    MaskedFrame(object(), planes, small, small, time, "", SEEN, opaque=False, reason="")  # refused: arg-type


class Forged(MaskedFrame):  # refused: misc
    pass


class Disguised(RawFrame):  # refused: misc
    pass


class Bypass(PrivacyMask):  # refused: misc
    pass


class EncoderOfRawFrames:
    def encode(self, frame: RawFrame) -> list[str]:
        return []


def an_encoder_of_raw_frames_is_no_encoder(encoder: EncoderOfRawFrames) -> Encoder:
    return encoder  # refused: return-value
