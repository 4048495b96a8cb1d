"""The whole examination of a node: every subject in turn, with the daemon running or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from agent.base.clock import Clock, rfc3339, utc
from agent.base.errors import DeviceError, EvidenceError, VigieError
from agent.base.kernel_clock import KernelClock, read_kernel_clock
from agent.base.phrase import say
from agent.base.process_exit import why_refused
from agent.commissioning.board import judge_board
from agent.commissioning.broker import LogIn, judge_brokers, judge_uplink
from agent.commissioning.camera import judge_running, judge_sight
from agent.commissioning.clock import judge_clock
from agent.commissioning.deployment import judge_deployment
from agent.commissioning.disk import Speed, existing, judge_room, judge_speed, measure_speed, room_of
from agent.commissioning.identity import judge_identity, judge_register
from agent.commissioning.line import Grade, Line, fail, left_open, worst
from agent.commissioning.masks import excluded_areas, judge_masks
from agent.commissioning.medium import judge_medium, medium_of
from agent.commissioning.own_certificate import judge_own_certificate
from agent.commissioning.programs import Ask, ask_system
from agent.commissioning.service import Units, judge_service, judge_updates
from agent.commissioning.sight import Sight, look
from agent.config.digest import config_digest
from agent.config.model import CameraSettings, Config
from agent.identity.node_key import IdentityDirectory
from agent.nomad.closed import why_dark
from agent.operations.control_socket import ask as ask_daemon
from agent.picture.cover import Cover, ViewState
from agent.ports.host import Board
from agent.ports.mqtt import BrokerCredentials
from agent.ports.video import Camera
from agent.view.excluded_area import ExcludedArea
from agent.view.guard import FixedGuard, Guard, guard_for

_WHY = say("`sudo dmesg | tail -n 20` shows whether the disk or a device fails")
DAYS_TO_TELL_A_RATE = 0.04
"""An hour of footage: less of it says little of the mean bit rate."""


class Means(Struct, frozen=True):
    """What the doctor works with: everything that touches the node, so that tests can hand in other nodes."""

    clock: Clock
    open_camera: Callable[[CameraSettings, Clock], Camera]
    board: Board
    identity: IdentityDirectory
    credentials: BrokerCredentials = field(default_factory=BrokerCredentials)
    log_in: LogIn | None = None
    ask: Ask = ask_system
    kernel_clock: Callable[[], KernelClock] = read_kernel_clock
    measure_speed: Callable[[Path], Speed] = measure_speed
    root: Path = Path("/")
    look_s: float = 6.0


class ExaminationReport(Struct, frozen=True):
    """What came out: `subjects` in the order of the sheet."""

    config: Config
    at: str
    running: bool
    subjects: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    fixed: tuple[ExcludedArea, ...] = ()
    """What the signed reference of the view says is fixed to the camera."""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for lines in self.subjects.values() for line in lines)

    @property
    def grade(self) -> Grade:
        """That of the worst line."""
        return worst(self.lines)

    def line(self, check: str) -> Line | None:
        """The first line of this name."""
        return next((line for line in self.lines if line.check == check), None)

    def document(self, spell: Callable[[str], str] = str) -> dict[str, Any]:
        """The JSON document of `vigie doctor --json`; `spell` writes the commands of a remedy as they work here."""
        return {
            "node": self.config.node.id,
            "site": self.config.node.site,
            "at": self.at,
            "config_digest": config_digest(self.config),
            "daemon_running": self.running,
            "grade": self.grade.word,
            "lines": [
                {
                    "subject": subject,
                    "check": line.check,
                    "grade": line.grade.word,
                    "measured": line.measured,
                    "remedy": spell(line.remedy),
                    "figures": dict(line.metrics),
                }
                for subject, lines in self.subjects.items()
                for line in lines
            ],
        }


def examine(config: Config, means: Means, tell: Callable[[str, tuple[Line, ...]], None] = lambda *_: None) -> ExaminationReport:
    """Look at everything; `tell` hears of each subject as soon as it is done. Raises for nothing that a node may be like."""
    examination = _Examination(config, means)
    subjects: dict[str, tuple[Line, ...]] = {}
    for subject, judge in examination.subjects().items():
        lines = tuple(_guarded(subject, judge))
        subjects[subject] = lines
        tell(subject, lines)
    fixed = excluded_areas(config, means.identity) or ()
    return ExaminationReport(config, rfc3339(means.clock.wall_ns()), examination.health is not None, subjects, fixed)


def _guarded(subject: str, judge: Callable[[], Iterable[Line]]) -> Iterator[Line]:
    """A subject that cannot be looked at is a failure of that subject, not of the examination."""
    try:
        yield from judge()
    except VigieError as error:
        what, remedy = error.said
        yield fail(subject, what, remedy or _WHY)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        remedy = say("`sudo vigie doctor`") if isinstance(error, PermissionError) else _WHY
        yield fail(
            subject,
            say("could not be looked at: {where}{why}", where=where, why=why_refused(error)),
            remedy,
        )


class _Examination:
    def __init__(self, config: Config, means: Means) -> None:
        self._config = config
        self._means = means
        self._sight: Sight | None = None
        try:
            self.health: Mapping[str, Any] | None = ask_daemon(config.node.state_dir, "status")
        except DeviceError:
            self.health = None

    def subjects(self) -> Mapping[str, Callable[[], Iterable[Line]]]:
        """In the order of the sheet."""
        nomadic = {"deployment": self._deployment} if self._config.node.role == "nomadic" else {}
        return {
            "service": self._service,
            "camera": self._camera,
            "privacy": self._privacy,
            "recording": self._recording,
            "clock": self._clock,
            "evidence": self._evidence,
            **nomadic,
            "broker": self._broker,
            "board": lambda: judge_board(self._config.board, self._means.board.read()),
        }

    def _service(self) -> Iterator[Line]:
        yield from judge_service(Units.of(self._means.ask, self._means.root), self.health)
        yield judge_updates(self._means.ask)

    def _camera(self) -> Iterable[Line]:
        if self.health is not None:
            state_dir = self._config.node.state_dir
            return judge_running(self._config.camera, self.health, lambda: ask_daemon(state_dir, "picture"))
        means = self._means
        if why := why_dark(self._config, means.clock):
            return [left_open("camera", say("stays closed, and is not looked at: {why}", why=why))]
        camera = means.open_camera(self._config.camera, means.clock)
        self._sight = look(camera, self._config, self._guard(), means.clock, seconds=means.look_s)
        return judge_sight(self._config.camera, self._sight)

    def _privacy(self) -> Iterable[Line]:
        sight = self._sight if self.health is None else _told_sight(self.health)
        return judge_masks(self._config, self._means.identity, sight)

    def _recording(self) -> Iterator[Line]:
        directory = self._config.recordings_dir
        yield judge_medium(medium_of(existing(directory), self._means.root))
        held = (self.health or {}).get("recording", {})
        recorded = held.get("bytes") or _size(directory)
        measured_bps = recorded * 8 / (held["days"] * 86_400) if held.get("days", 0) > DAYS_TO_TELL_A_RATE else None
        yield judge_room(self._config, room_of(directory), recorded, measured_bps)
        yield judge_speed(self._config, self._means.measure_speed)

    def _clock(self) -> Iterable[Line]:
        clock = self._means.clock
        return judge_clock(clock.wall_ns(), clock.quality(), self._means.kernel_clock, self._means.ask, self._means.root)

    def _evidence(self) -> Iterator[Line]:
        identity = self._means.identity
        yield from judge_identity(self._config, identity, utc(self._means.clock.wall_ns()))
        try:
            chain = identity.load().chain
        except EvidenceError:
            chain = None
        yield judge_register(self._config.node.state_dir / "register.jsonl", chain)

    def _deployment(self) -> Iterable[Line]:
        return judge_deployment(self._config, self.health, utc(self._means.clock.wall_ns()).date())

    def _broker(self) -> Iterator[Line]:
        means, health = self._means, self.health
        line = (health or {}).get("uplink", {})
        now = utc(means.clock.wall_ns())
        yield from judge_own_certificate(means.credentials.cert_file, self._config.node.id, now)
        online_at = str(line.get("broker", "")) if line.get("state") == "online" else ""
        beside = health is not None
        brokers = tuple(
            judge_brokers(self._config.mqtt, means.credentials, means.log_in, now, beside=beside, online_at=online_at)
        )
        yield from brokers
        yield from judge_uplink(line, brokers)

    def _guard(self) -> Guard:
        try:
            signer = self._means.identity.load()
        except EvidenceError as error:
            statement = self._config.privacy.none_needed is not None and not self._config.privacy.mask
            return FixedGuard(Cover.none_needed()) if statement else FixedGuard.closed(error.said[0])
        return guard_for(self._config, self._config.node.state_dir, signer, self._means.clock)


def _told_sight(health: Mapping[str, Any]) -> Sight:
    """What the running daemon's guard says of its frame."""
    privacy, camera = health.get("privacy", {}), health.get("camera", {})
    view = privacy.get("view", {})
    return Sight(
        pictures=camera.get("captured", 0),
        opaque=privacy.get("reason", "") if privacy.get("state") == "opaque" else "",
        view=ViewState(view["state"]) if view.get("state") else None,
        shift_px=view.get("shift_px") or 0.0,
    )


def _size(directory: Path) -> int:
    """Bytes that the recordings take up; what goes meanwhile counts for nothing."""
    total = 0
    for path in directory.rglob("*.mp4") if directory.is_dir() else ():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
