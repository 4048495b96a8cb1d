"""Detection as a feature: every detector of the node, in one table.

A detector joins by a line in `KINDS`: its topics, the section of the configuration it goes by, and what makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct

from agent.analytics import frozen_picture, mask_state, motion, tampering
from agent.analytics.event_stills import EventStills
from agent.analytics.frozen_picture import FrozenPictureDetector
from agent.analytics.mask_state import PrivacyMaskDetector
from agent.analytics.motion import MotionDetector
from agent.analytics.picture_gauge import PictureGauge
from agent.analytics.tampering import TamperDetector
from agent.base.feature import Feature, Setting
from agent.base.topic import Topic
from agent.config.driver_kinds import DRIVERS
from agent.config.model import Config
from agent.mask.privacy_mask import MaskedFrame
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.picture.caption import Caption
from agent.picture.sameness import Sameness
from agent.ports.event import Event, StillSink
from agent.sensors.ladder import Stills
from agent.stream.pipeline import Detector


class DetectorScene(Struct, frozen=True):
    """What a detector may know besides its settings: whether the camera hangs, and where the caption lies."""

    node_id: str
    sameness: Sameness | None = None
    caption: tuple[float, float] = (0.0, 0.0)
    """Top and bottom of its strip, as fractions of the picture's height."""


class DetectorKind(Struct, frozen=True):
    """One kind of detector. `section` is the one it goes by, empty for one without settings; `on` says whether there is one.

    While its section stays as it is, a detector keeps what it has learnt.
    """

    topics: tuple[Topic, ...]
    make: Callable[[Config, DetectorScene], Detector | None]
    section: str = ""
    misses_pictures: bool = False
    """It raises an alarm when none come: not while the camera is closed on purpose."""

    def __post_init__(self) -> None:
        for topic in self.topics:
            if self.section and topic.key.partition(".")[0] != self.section:
                raise ValueError(f"{topic.name}: its `key` has to name what switches it off in [{self.section}]")


def _motion(config: Config, scene: DetectorScene) -> Detector | None:
    return MotionDetector(scene.node_id, config.motion, scene.caption) if config.motion.enabled else None


def _tampering(config: Config, scene: DetectorScene) -> Detector | None:
    return TamperDetector(scene.node_id, config.tampering) if config.tampering.enabled else None


def _frozen(_: Config, scene: DetectorScene) -> Detector | None:
    return FrozenPictureDetector(scene.node_id, scene.sameness) if scene.sameness is not None else None


KINDS: Final = (
    DetectorKind(mask_state.TOPICS, lambda _, scene: PrivacyMaskDetector(scene.node_id)),
    DetectorKind(frozen_picture.TOPICS, _frozen),
    DetectorKind(motion.TOPICS, _motion, "motion"),
    DetectorKind(tampering.TOPICS, _tampering, "tampering", misses_pictures=True),
)
TOPICS: Final = tuple(topic for kind in KINDS for topic in kind.topics)
STILL_TOPICS: Final = frozenset(topic.name for topic in TOPICS if topic.still)

ALARM_STILL_TOPICS: Final = frozenset(topic.name for topic in TOPICS if topic.still and topic.grade == "alarm")


class Detectors:
    """Every detector there is, as one. The pipeline's thread looks; `change` may come from any other."""

    def __init__(self, config: Config, scene: DetectorScene, closed: Callable[[], str] = str) -> None:
        self._scene = scene
        self._closed = closed
        self._running: tuple[Detector | None, ...] = tuple(kind.make(config, scene) for kind in KINDS)

    def change(self, kind: DetectorKind, config: Config) -> None:
        """Judge anew by these settings from the next frame on; the others keep what they have learnt and said."""
        fresh = kind.make(config, self._scene)
        self._running = tuple(fresh if each is kind else old for each, old in zip(KINDS, self._running, strict=True))

    def observe(self, frame: MaskedFrame) -> Sequence[Event]:
        """See `agent.stream.pipeline.Detector`."""
        return [event for detector in self._running if detector is not None for event in detector.observe(frame)]

    def silence(self, wall_ns: int, monotonic_ns: int) -> Sequence[Event]:
        """See `agent.stream.pipeline.Detector`."""
        closed = bool(self._closed())
        asked = [each for kind, each in zip(KINDS, self._running, strict=True) if not (closed and kind.misses_pictures)]
        return [event for each in asked if each is not None for event in each.silence(wall_ns, monotonic_ns)]


class AnalyticsFeature(Feature[Config]):
    """`sink` takes what is seen, with its still where one is wanted; `closed` says why the camera is closed on purpose."""

    topics = TOPICS
    keys = (*(kind.section for kind in KINDS if kind.section), "mqtt.event_stills")

    def __init__(self, config: Config, sameness: Sameness | None, sink: StillSink, closed: Callable[[], str] = str) -> None:
        height = config.camera.height
        strip = Caption(config.node.id, config.encoding.caption, config.encoding.time_zone).rows(config.camera.width, height)
        scene = DetectorScene(config.node.id, sameness, (strip.top / height, strip.bottom / height))
        self.detectors = Detectors(config, scene, closed)
        self.gauge = PictureGauge()
        self._stills = False
        self._want_stills(config)
        self.illustrator = EventStills(sink, lambda: self._stills, STILL_TOPICS)

    def settings(self) -> Sequence[Setting[Config]]:
        judged = [
            Setting((kind.section,), f"{kind.section} is judged anew from the next picture", partial(self.detectors.change, kind))
            for kind in KINDS
            if kind.section
        ]
        return (*judged, Setting(("mqtt.event_stills",), "the next event goes by it", self._want_stills))

    def tells(self, topic: Topic, settings: Config) -> bool:
        if topic in frozen_picture.TOPICS:
            return not DRIVERS[settings.camera.driver].plays
        return super().tells(topic, settings)

    def operations(self) -> Sequence[Operation]:
        def metrics(_asked: object, _by: object) -> Mapping[str, Any]:
            return self.gauge.metrics()

        return (Operation(VERBS["picture"], metrics),)

    def spare(self, stills: Stills) -> None:
        """Which events may take a picture along from now on; any thread."""
        self.illustrator.topics = {Stills.ALL: STILL_TOPICS, Stills.ALARMS: ALARM_STILL_TOPICS, Stills.NONE: frozenset()}[stills]

    def _want_stills(self, config: Config) -> None:
        self._stills = config.mqtt is not None and config.mqtt.event_stills
