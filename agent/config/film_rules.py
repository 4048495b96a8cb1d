"""What a film of these settings must be: one that players can show and that can be cut at its keyframes."""

from __future__ import annotations

from collections.abc import Iterator

from agent.base.phrase import say
from agent.config.misfit import Misfit
from agent.config.model import Config

# H.264 level 5.2 (ITU-T H.264, table A-1): the most that players and hardware decoders are sure to take.
MOST_MACROBLOCKS = 36_864
MOST_MACROBLOCKS_PER_S = 2_073_600


def film_misfits(config: Config) -> Iterator[Misfit]:
    """Every rule of films that the sections of `config` break together."""
    yield from _picture_can_be_encoded(config)
    yield from _segment_holds_a_keyframe(config)
    yield from _keyframes_stand_apart(config)


def _picture_can_be_encoded(config: Config) -> Iterator[Misfit]:
    camera = config.camera
    macroblocks = -(-camera.width // 16) * -(-camera.height // 16)
    if macroblocks > MOST_MACROBLOCKS:
        yield Misfit(
            say("{width}x{height} is more than H.264 level 5.2 can carry", width=camera.width, height=camera.height),
            at=("camera", "width"),
            beside=[("camera", "height")],
            remedy=say("write at most 4096x2304, which every player reads"),
        )
    if macroblocks * camera.fps > MOST_MACROBLOCKS_PER_S:
        yield Misfit(
            say(
                "{width}x{height} at {fps:g} pictures per second is more than H.264 level 5.2 can carry",
                width=camera.width,
                height=camera.height,
                fps=camera.fps,
            ),
            at=("camera", "fps"),
            beside=[("camera", "width"), ("camera", "height")],
            remedy=say("write at most {most}, or a smaller picture", most=MOST_MACROBLOCKS_PER_S // macroblocks),
            instead=MOST_MACROBLOCKS_PER_S // macroblocks,
        )


def _segment_holds_a_keyframe(config: Config) -> Iterator[Misfit]:
    segment_s, keyframe_s = config.recording.segment_seconds, config.encoding.keyframe_seconds
    if segment_s < keyframe_s:
        yield Misfit(
            say(
                "a segment of {segment_s:g} s is shorter than the {keyframe_s:g} s between keyframes, and "
                "segments are cut at keyframes",
                segment_s=segment_s,
                keyframe_s=keyframe_s,
            ),
            at=("recording", "segment_seconds"),
            beside=[("encoding", "keyframe_seconds")],
            remedy=say("write at least {least}, or lower encoding.keyframe_seconds", least=f"{keyframe_s:g}"),
            instead=max(60.0, keyframe_s),
        )


def _keyframes_stand_apart(config: Config) -> Iterator[Misfit]:
    keyframe_s, fps = config.encoding.keyframe_seconds, config.camera.fps
    if round(keyframe_s * fps) < 2:
        yield Misfit(
            say(
                "a keyframe every {keyframe_s:g} s at {fps:g} pictures per second makes every picture a "
                "keyframe: films of several times the size, every picture signed",
                keyframe_s=keyframe_s,
                fps=fps,
            ),
            at=("encoding", "keyframe_seconds"),
            beside=[("camera", "fps")],
            remedy=say("write at least {least}", least=f"{2 / fps:.2g}"),
            instead=max(2.0, 2 / fps),
        )
