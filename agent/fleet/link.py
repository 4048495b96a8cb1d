"""A line that can be cut: a transport between a simulated node's session and its real connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.ports.mqtt import BrokerEndpoint, ConnectOptions, Lost, MqttTransport, Publication, RefusedConnection, TransportEvent


class CuttableLink:
    """Passes everything through until `cut`; from then on the session sees a dead network until `mend`. One thread."""

    def __init__(self, inner: MqttTransport, stirred: Callable[[], None]) -> None:
        self.is_cut = False
        self._inner = inner
        self._stirred = stirred
        self._own: list[TransportEvent] = []

    def cut(self) -> None:
        """The line breaks, without a goodbye."""
        self.is_cut = True
        self._inner.abort()
        self._tell(Lost(None, "the line was cut"))

    def mend(self) -> None:
        """The line is whole again; the session finds out when it tries."""
        self.is_cut = False

    def take_own(self) -> list[TransportEvent]:
        """What the line itself had to tell."""
        own, self._own = self._own, []
        return own

    def _tell(self, event: TransportEvent) -> None:
        self._own.append(event)
        self._stirred()

    # -- agent.ports.MqttTransport ---------------------------------------------------------------------------------

    def open(self, endpoint: BrokerEndpoint, options: ConnectOptions) -> None:
        if self.is_cut:
            self._tell(RefusedConnection(None, "the line is cut"))
        else:
            self._inner.open(endpoint, options)

    def publish(self, publication: Publication, tag: int) -> None:
        if not self.is_cut:
            self._inner.publish(publication, tag)

    def subscribe(self, filters: Sequence[str]) -> None:
        if not self.is_cut:
            self._inner.subscribe(filters)

    def close(self, *, with_will: bool = False) -> None:
        self._inner.close(with_will=with_will)

    def abort(self) -> None:
        self._inner.abort()

    def probe(self, endpoint: BrokerEndpoint) -> None:
        self._inner.probe(endpoint)

    def wait(self, timeout_s: float) -> Sequence[TransportEvent]:
        return [*self.take_own(), *self._inner.wait(timeout_s)]

    def wake(self) -> None:
        """A simulated node is turned by its fleet: there is nobody to wake."""
