"""A unit that is moved, as a feature: its deployment, the gate around the guard, and what may be asked of it.

With role = "fixed" nothing of it runs: no gate stands in the frames' way, and its verbs say what the node is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from agent.base.clock import Clock, rfc3339
from agent.base.component import Component
from agent.base.errors import DeploymentError
from agent.base.feature import Feature
from agent.base.phrase import say
from agent.config.model import Config
from agent.journal.entry import Journal
from agent.nomad.acts import DeploymentActs
from agent.nomad.deployment import Stage
from agent.nomad.gate import DeploymentGate
from agent.nomad.known_time import TimeKeeper
from agent.nomad.senses import Senses
from agent.nomad.store import DeploymentStore
from agent.nomad.topics import TOPICS, DeploymentReport
from agent.nomad.view_proof import ViewProof
from agent.nomad.watch import DeploymentWatch, astray
from agent.operations import payloads
from agent.operations.caller import Caller
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.picture.cover import ViewState
from agent.ports.event import EventSink
from agent.ports.nomad_health import NomadHealth
from agent.recording.catalog import Catalog
from agent.recording.film_origin import FilmOrigin, OnePlace
from agent.recording.trusted_time import peek_at_clock
from agent.sensors.feature import SensorsHealth
from agent.stream.shutter import Light, Shutter
from agent.stream.sparing_shutter import SparingShutter

NO_SENSES: Final = Senses()


class NomadFeature(Feature[Config]):
    """`in_force` tells the configuration the node runs by, `sight` what the guard made of the last frame, `place` the book's
    name of where a fixed node hangs."""

    topics = TOPICS
    keys = ("nomad",)

    def __init__(
        self,
        config: Config,
        in_force: Callable[[], Config],
        catalog: Catalog,
        journal: Journal,
        events: EventSink,
        sight: Callable[[], ViewState | None],
        clock: Clock,
        *,
        boot: str,
        place: str = "",
        senses: Callable[[], Senses] = lambda: NO_SENSES,
        sensors: Callable[[], SensorsHealth | None] = lambda: None,
    ) -> None:
        self._is_nomadic = config.node.role == "nomadic"
        self._senses = senses
        self._sensors = sensors
        self.watch: DeploymentWatch | None = None
        self.shutter: Shutter | None = None
        self._sparing: SparingShutter | None = None
        self.origin: FilmOrigin = OnePlace(place)
        if not self._is_nomadic:
            self._close_sparingly(config, None, OnePlace(place))
            return
        proof = _ProofInForce(in_force)
        self._gate = DeploymentGate(lambda: proof().fingerprint(), clock)
        self._acts = DeploymentActs(DeploymentStore(config.node.state_dir), journal, clock.wall_ns, boot)
        report = DeploymentReport(events, config.node.id, clock)
        self.watch = DeploymentWatch(
            DeploymentStore(config.node.state_dir),
            self._acts,
            self._gate,
            proof,
            TimeKeeper(clock, boot, lambda: peek_at_clock(catalog, clock, boot).now_ns),
            senses,
            lambda: sight() if proof().masks else None,
            lambda present, ruling, sensed: report.tell(present, ruling, sensed, astray(present, sensed) if present else ""),
            clock,
        )
        self.shutter, self.origin = self._gate, _OfDeployment(self.watch, self._gate)
        self._close_sparingly(config, self._gate, self.origin)

    def _close_sparingly(self, config: Config, gate: Shutter | None, origin: FilmOrigin) -> None:
        """Let a battery close the camera too, where the configuration wants that."""
        if config.nomad.when_critical == "close" and config.nomad.battery != "off":
            self.shutter = self._sparing = SparingShutter(gate)
            self.origin = _Spared(origin, self._sparing)

    def spare(self, rests: bool) -> None:
        """The battery is nearly empty, or is so no more; the sensors' thread."""
        if self._sparing is not None:
            self._sparing.closed = rests

    @property
    def stolen(self) -> bool:
        """Whether it is taken for stolen, until a person ends the deployment. Any thread."""
        present = self.watch.present if self.watch is not None else None
        return present is not None and present.stolen and not present.is_over

    @property
    def rests(self) -> bool:
        """Whether it does its job without a picture: the camera is closed on purpose."""
        looked = self.watch is None or self.watch.has_looked
        return looked and self.shutter is not None and bool(self.shutter.dark())

    def components(self) -> Sequence[Component]:
        return (self.watch,) if self.watch is not None else ()

    @property
    def commissioned_ns(self) -> int | None:
        """When a person last commissioned it, in Unix ns; 0 while nobody has, None while the disk has not told. Any thread."""
        if self.watch is None:
            return 0
        present = self.watch.present
        if present is not None:
            return present.commissioned_ns
        return 0 if self.watch.knows else None

    def health(self) -> Mapping[str, Any]:
        """A fixed node tells of its sensors alone, and of nothing where it has none."""
        told = self._sensors()
        found = {} if told is None else structs.asdict(told)
        if self.watch is None:
            return {"nomad": NomadHealth(**found) if found else None}
        present = self.watch.present
        return {
            "nomad": NomadHealth(
                stage=(present.stage if present else Stage.STOWED).value,
                deployment=present.id if present else "",
                authorisation=present.authorisation if present else "",
                until=rfc3339(present.until_ns) if present else None,
                light=Light.DARK.value if self._dark else self._gate.light.value,
                why=str(self._dark or self._gate.covered()),
                **found,
            )
        }

    @property
    def _dark(self) -> str:
        return self.shutter.dark() if self.shutter is not None else ""

    def sentence(self) -> str:
        present = self.watch.present if self.watch is not None else None
        return f"{present.id} {present.stage}" if present is not None else ""

    def operations(self) -> Sequence[Operation]:
        return (Operation(VERBS["withdraw"], self._withdraw), Operation(VERBS["locate"], self._locate))

    def _withdraw(self, asked: payloads.Withdraw, caller: Caller) -> payloads.Withdrawn:
        """Ends the deployment: a command can close, and never open (N9)."""
        self._refuse_fixed()
        ended = self._acts.end(caller.by, asked.why or say("withdrawn by command"))
        return payloads.Withdrawn(deployment=ended.id, at=rfc3339(ended.ended_ns))

    def _locate(self, _asked: payloads.Locate, _caller: Caller) -> payloads.Located:
        self._refuse_fixed()
        senses = self._senses()
        if senses.latitude is None or senses.longitude is None:
            raise DeploymentError(say("the unit does not know where it is"), remedy=say("its health says what its receiver does"))
        return payloads.Located(latitude=senses.latitude, longitude=senses.longitude)

    def _refuse_fixed(self) -> None:
        if not self._is_nomadic:
            raise DeploymentError(say("this node is fixed"))


class _ProofInForce:
    """The proof of the view for the configuration in force; made anew only when that changes."""

    def __init__(self, in_force: Callable[[], Config]) -> None:
        self._in_force = in_force
        self._known: tuple[Config, ViewProof] | None = None

    def __call__(self) -> ViewProof:
        config, known = self._in_force(), self._known
        if known is None or known[0] is not config:
            self._known = known = (config, ViewProof(config))
        return known[1]


class _OfDeployment:
    """Implements FilmOrigin: a film is of the deployment in which it was captured."""

    def __init__(self, watch: DeploymentWatch, gate: DeploymentGate) -> None:
        self._watch = watch
        self._gate = gate

    def at(self, captured_ns: int) -> str:
        return self._watch.trail.at(captured_ns)

    def dark(self) -> str:
        return self._gate.dark()


class _Spared:
    """Implements FilmOrigin: nothing more comes either while a battery keeps the camera closed."""

    def __init__(self, origin: FilmOrigin, shutter: SparingShutter) -> None:
        self._origin = origin
        self._shutter = shutter

    def at(self, captured_ns: int) -> str:
        return self._origin.at(captured_ns)

    def dark(self) -> str:
        return self._origin.dark() or self._shutter.dark()
