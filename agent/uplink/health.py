"""The health document of a node: where its parts come from, and when it is sent."""

from __future__ import annotations

import logging
import numbers
import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent.base.clock import NS, Clock, rfc3339
from agent.base.component import Component
from agent.base.errors import DeviceError
from agent.base.phrase import Phrase, say
from agent.ports.health import (
    Health,
)

log = logging.getLogger(__name__)


class HealthPublisher(Component):
    """Samples once a second, hands over every `interval_s` and at once when a state changed.

    A part that cannot be told costs this document and not all that follow: it is logged, and tried again.

    `publish` gets each document to be sent and must not block: the session keeps the newest only.
    """

    critical = False
    sample_s = 1.0

    def __init__(
        self,
        node_id: str,
        version: str,
        clock: Clock,
        parts: Callable[[], Mapping[str, Any]],
        publish: Callable[[bytes], None],
        interval_s: float = 10.0,
    ) -> None:
        super().__init__("health", clock)
        self.node_id = node_id
        self.version = version
        self.interval_s = interval_s
        self._spared_s = 0.0
        self._parts = parts
        self._publish = publish
        self._began_ns = clock.monotonic_ns()
        self._nudged = threading.Event()
        self._sent_ns: int | None = None
        self._sent_states: tuple[object, ...] = ()

    def sample(self) -> Health:
        """The document as of now; any thread. DeviceError: a feature could not tell its part."""
        return self._sampled()[0]

    def _sampled(self) -> tuple[Health, Health]:
        """As it is published, and as the features told it."""
        try:
            told = Health(
                node=self.node_id,
                at=rfc3339(self.clock.wall_ns()),
                uptime_s=round((self.clock.monotonic_ns() - self._began_ns) / NS, 1),
                version=self.version,
                **self._parts(),
            )
            return _as_published(told), told
        except Exception as error:
            log.exception("health cannot be told now")
            raise DeviceError(say("health cannot be told: {kind}: {error}", kind=type(error).__name__, error=error)) from error

    def document(self) -> dict[str, Any]:
        """The same as plain data, in which a Phrase is one still, for whoever shows it to a person; any thread."""
        published, told = self._sampled()
        plain: dict[str, Any] = _with_phrases(msgspec.to_builtins(published), told)
        return plain

    def set_interval(self, seconds: float) -> None:
        """Send every so often from now on; any thread."""
        self.interval_s = seconds
        self._nudged.set()

    def spare(self, seconds: float) -> None:
        """Send no oftener than this while nothing changes, whatever was asked for; any thread."""
        self._spared_s = seconds
        self._nudged.set()

    def work(self) -> None:
        while not self.stopping.is_set():
            self.turn()
            self.progressed()
            self.clock.wait(self._nudged, self.sample_s)
            self._nudged.clear()

    def wake(self) -> None:
        self._nudged.set()

    def turn(self) -> bool:
        """Sample, and hand the document over if it is due or says something new; whether it did."""
        health = self.sample()
        now_ns = self.clock.monotonic_ns()
        states = health.states()
        due = self._sent_ns is None or now_ns - self._sent_ns >= max(self.interval_s, self._spared_s) * NS
        if not due and states == self._sent_states:
            return False
        self._publish(msgspec.json.encode(health))
        self._sent_ns, self._sent_states = now_ns, states
        return True


def _as_published(health: Health) -> Health:
    """The same, with every figure of its field's type: a driver's whole number is written `2.0` where a float is published.

    A part that no conversion fits is an error here, rather than a document that its own schema refuses.
    """
    return msgspec.convert(msgspec.to_builtins(health, enc_hook=_plain), Health)


def _with_phrases(plain: Any, told: object) -> Any:
    """What was published, and each text as it was said."""
    if isinstance(told, Phrase):
        return told
    if isinstance(plain, dict) and isinstance(told, msgspec.Struct):
        named = {field.encode_name: getattr(told, field.name) for field in msgspec.structs.fields(told)}
        return {name: _with_phrases(value, named.get(name)) for name, value in plain.items()}
    return plain


def _plain(value: object) -> object:
    """What came out of a computation with numpy, or out of a driver's own kind of text."""
    match value:
        case str():
            return str(value)
        case numbers.Integral():
            return int(value)
        case numbers.Real():
            return float(value)
    raise NotImplementedError(type(value).__name__)  # as msgspec wants to be told that there is no such form
