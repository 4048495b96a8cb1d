"""A unit's deployments as the command line works on them: on its files, which a running daemon looks at each second."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from agent.base.clock import NS, rfc3339
from agent.base.errors import DeploymentError, DeviceError
from agent.base.phrase import say
from agent.cli._node_files import NodeFiles
from agent.nomad.acts import DeploymentActs, none_under_way
from agent.nomad.deployment import Deployment, Stage
from agent.nomad.judgement import STOWED
from agent.nomad.perimeter import metres_outside
from agent.nomad.plan import Wanted, check_period, film_place, planned
from agent.nomad.sheet import DeploymentSheet
from agent.nomad.store import DeploymentStore
from agent.nomad.view_proof import ViewProof
from agent.nomad.watch import SLACK_M
from agent.operations.control_socket import ask
from agent.recording.places import PlaceBook
from agent.recording.trusted_time import boot_id
from agent.stream.shutter import Light

_LOOKS_WITHIN_NS: Final = 5 * NS
"""The watch looks once a second; a loaded board takes longer for it."""


class Deployments(Struct, frozen=True):
    """Of one node."""

    node: NodeFiles
    store: DeploymentStore
    acts: DeploymentActs

    @classmethod
    def of(cls, config_path: Path) -> Deployments:
        """By its configuration."""
        node = NodeFiles.of(config_path)
        store = DeploymentStore(node.config.node.state_dir)
        return cls(node, store, DeploymentActs(store, node.register(), node.clock.wall_ns, boot_id()))

    def begin(self, *, from_ns: int | None, position: tuple[float, float] | None, **more: Any) -> Deployment:
        """See `planned` and DeploymentActs."""
        config, wall_ns = self.node.config, self.node.clock.wall_ns()
        given = {name: value for name, value in more.items() if value is not None}
        wanted = Wanted(from_ns=wall_ns if from_ns is None else from_ns, position=position or self._position(), **given)
        plan = planned(config, wanted, wall_ns, self.node.clock.quality())
        book = PlaceBook(config.node.state_dir)
        return self.acts.begin(plan, view=ViewProof(config).read(), before=lambda begun: book.add(film_place(begun)))

    def wait_until_seen(self, begun: Deployment) -> None:
        """Until the daemon has looked, some seconds at the most: what is typed next asks it. At once where none runs."""
        end_ns = self.node.clock.monotonic_ns() + _LOOKS_WITHIN_NS
        while (told := self._told()) is not None and self.node.clock.monotonic_ns() < end_ns:
            if told.get("deployment") == begun.id:
                return
            self.node.clock.wait(threading.Event(), 0.1)

    def wait_until_dark(self) -> bool:
        """Until the daemon has closed the camera, some seconds at the most; False when it has not. At once where none runs."""
        end_ns = self.node.clock.monotonic_ns() + _LOOKS_WITHIN_NS
        while (told := self._told()) is not None and told.get("light") != Light.DARK.value:
            if self.node.clock.monotonic_ns() > end_ns:
                return False
            self.node.clock.wait(threading.Event(), 0.1)
        return True

    def commission(self, by: str) -> Deployment:
        """With the view that is in force, where the unit is said to stand."""
        present, position, proof = self.store.current(), self._position(), ViewProof(self.node.config)
        if present is not None and position is not None:
            metres = metres_outside(present.polygon, *position)
            if metres > SLACK_M:
                raise DeploymentError(
                    say(
                        "by its receiver the unit stands {metres:.0f} m outside of {name}", metres=metres, name=present.perimeter
                    ),
                    remedy=say("wait for a better fix, or put it up inside of its perimeter"),
                )
        return self.acts.commission(by, proof.read(), proof.masks)

    def extend(self, by: str, until_ns: int, informed_on: date | None, authorisation: str) -> Deployment:
        """Within what is authorised."""
        config, wall_ns = self.node.config, self.node.clock.wall_ns()
        told = informed_on.isoformat() if informed_on else ""
        return self.acts.extend(by, until_ns, told, authorisation, lambda later: check_period(config, later, wall_ns))

    def shown(self) -> dict[str, Any]:
        """The document of `show --json`: by the running daemon, or by the files where none runs."""
        told = self._told()
        if told is not None:
            return {name: told.get(name) for name in ("stage", "deployment", "authorisation", "until", "light", "why")}
        present = self.store.current()
        return {
            "stage": (present.stage if present else Stage.STOWED).value,
            "deployment": present.id if present else "",
            "authorisation": present.authorisation if present else "",
            "until": rfc3339(present.until_ns) if present else None,
            "light": Light.DARK.value,
            "why": say("the daemon does not run") if present else STOWED,
        }

    def sheet(self, name: str) -> str:
        """The page of that deployment, or of the newest."""
        present = self.store.of(name) if name else self.store.current()
        if present is None:
            raise none_under_way(None)
        config = self.node.config
        return DeploymentSheet(ZoneInfo(config.encoding.time_zone))(present, config, self.node.clock.wall_ns())

    def _position(self) -> tuple[float, float] | None:
        """Where the running daemon's receiver says that it stands; None where nobody knows."""
        position = (self._told() or {}).get("position")
        if not position or position.get("latitude") is None:
            return None
        return position["latitude"], position["longitude"]

    def _told(self) -> Mapping[str, Any] | None:
        try:
            found = ask(self.node.config.node.state_dir, "status").get("nomad")
        except DeviceError:
            return None
        return found if isinstance(found, Mapping) else None
