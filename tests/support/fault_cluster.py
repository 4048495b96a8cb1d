"""Three RabbitMQ nodes as the broker the fault scenes hurt: one member of them, or all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.base.errors import DeviceError
from bench.line import Line, line
from tests.support.authority import Authority
from tests.support.fault_broker import BrokerUnderFault, Stage, given
from tests.support.rabbitmq_cluster import RabbitMqCluster

FORGOTTEN = ("failed to shrink", "not in the cluster", "not_a_cluster_node")


class ClusterUnderFault:
    """Three RabbitMQ nodes; a fault strikes one of them, or all."""

    def __init__(self, cluster: RabbitMqCluster, at: Line | None = None) -> None:
        self._cluster = cluster
        self._line = at

    @property
    def authority(self) -> Authority:
        return self._cluster.authority

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(f"mqtt://127.0.0.1:{port}" for port in self._cluster.ports)

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(self._cluster.ports)

    @property
    def line(self) -> Line:
        return given(self._line)

    @property
    def line_urls(self) -> tuple[str, ...]:
        return tuple(f"mqtt://{self.line.address}:{port}" for port in self._cluster.line_ports)

    @property
    def tls_urls(self) -> tuple[str, ...]:
        return tuple(f"mqtts://127.0.0.1:{port}" for port in self._cluster.tls_ports)

    def kill(self, member: str | None = None) -> None:
        self._cluster.kill(*self._struck(member))

    def start(self) -> None:
        self._cluster.start()

    def freeze(self, member: str | None = None) -> None:
        self._cluster.freeze(*self._struck(member))

    def thaw(self) -> None:
        self._cluster.thaw()

    def empty(self, member: str | None = None) -> None:
        struck = self._struck(member)
        self._cluster.wipe(*struck)
        if member is None:
            self._cluster.form()
            for n in self._cluster.nodes:  # a session of a node that was in before all members were has one copy
                self._cluster.insist(n, "rabbitmq-queues", "grow", f"rb{n}@localhost", "all")
            return
        # The machine was replaced: its place is given up, then taken anew, with copies of all queues.
        asked, replaced = next(n for n in self._cluster.nodes if n not in struck), f"rb{struck[0]}@localhost"
        self._forget(asked, replaced)
        self._cluster.start()
        self._cluster.insist(asked, "rabbitmq-queues", "grow", replaced, "all")

    def _forget(self, asked: int, replaced: str) -> None:
        try:
            self._cluster.insist(asked, "rabbitmqctl", "forget_cluster_node", replaced, unless=FORGOTTEN)
        except DeviceError as error:
            if not any(sign in str(error) for sign in FORGOTTEN):
                raise
            self._cluster.insist(asked, "rabbitmq-queues", "shrink", replaced)  # forgotten all the same, but not by every queue

    def mend(self) -> None:
        """Whole again, for the next scene."""
        self.thaw()
        self.start()
        if self._line is not None:
            self._line.mend()

    def _struck(self, member: str | None) -> Sequence[int]:
        return self._cluster.nodes if member is None else (self.urls.index(member),)


ATTEMPTS = 3


@contextmanager
def _formed(directory: Path, address: str) -> Iterator[RabbitMqCluster]:
    """A cluster that runs. A port that was free may be somebody's once a node listens: then all begin again on others."""
    with ExitStack() as stack:
        for attempt in range(ATTEMPTS):
            try:
                running = stack.enter_context(RabbitMqCluster(directory / f"cluster-{attempt}", line_address=address))
            except DeviceError:
                if attempt + 1 == ATTEMPTS:
                    raise
            else:
                break
        yield running


@contextmanager
def cluster(directory: Path) -> Iterator[Stage]:
    """Start the nodes once; the `Stage` gives the same to every scene, whole again."""
    with line() as at, _formed(directory, at.address) as running:
        broker = ClusterUnderFault(running, at)

        @contextmanager
        def stage(directory: Path, *, with_line: bool = False) -> Iterator[BrokerUnderFault]:
            broker.mend()
            yield broker

        yield stage
