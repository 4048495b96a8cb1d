"""Questions to a service of the system's D-Bus, one at a time, each with a deadline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from agent.base.errors import DeviceError
from agent.base.phrase import say

_ANSWER_S: Final = 1.0
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
OBJECTS: Final = "org.freedesktop.DBus.ObjectManager"


class SystemBus:
    """Connects with the first question, and anew after every failure. One thread.

    `service` is the bus name that is asked, `package` what brings it, for the remedy.
    """

    def __init__(self, service: str, package: str) -> None:
        self._service = service
        self._package = package
        self._bus: Any = None

    def ask(self, path: str, interface: str, method: str, signature: str = "", arguments: tuple[object, ...] = ()) -> Any:
        """The first value of the answer. DeviceError: no bus, no such service, no answer in time, or one that refuses."""
        from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call
        from jeepney.auth import AuthenticationError
        from jeepney.io.blocking import open_dbus_connection

        question = new_method_call(DBusAddress(path, self._service, interface), method, signature or None, arguments)
        try:
            if self._bus is None:
                self._bus = open_dbus_connection(bus="SYSTEM", auth_timeout=_ANSWER_S)
            answer = self._bus.send_and_get_reply(question, timeout=_ANSWER_S)
        except (OSError, EOFError, TimeoutError, ValueError, AuthenticationError) as error:
            self.close()
            raise DeviceError(
                say("{service} does not answer on the system's bus: {why}", service=self._service, why=str(error) or "in time"),
                remedy=self._remedy(),
            ) from error
        if answer.header.message_type is MessageType.error:
            name = answer.header.fields.get(HeaderFields.error_name, "")
            raise DeviceError(say("{service} refuses: {why}", service=self._service, why=name), remedy=self._remedy())
        return answer.body[0] if answer.body else None

    def properties(self, path: str, interface: str) -> dict[str, object]:
        """All properties of one interface, bare of their types."""
        return bare(self.ask(path, PROPERTIES, "GetAll", "s", (interface,)))

    def close(self) -> None:
        """Leave the bus. Idempotent."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()

    def _remedy(self) -> str:
        return say("`apt-get install {package}`, then look at `systemctl status {package}`", package=self._package)


def number(properties: Mapping[str, object], name: str) -> float | None:
    """A finite number of that name; None where there is none."""
    value = properties.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def bare(properties: object) -> dict[str, object]:
    """`a{sv}` without the signatures; empty when it is something else."""
    if not isinstance(properties, Mapping):
        return {}
    return {str(name): value[1] for name, value in properties.items() if isinstance(value, tuple) and len(value) == 2}
