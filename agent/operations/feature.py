"""The control socket as a feature: the door for whoever works at the node itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import UplinkError
from agent.base.feature import Feature
from agent.config.model import Config
from agent.operations.arguments import WrongArguments
from agent.operations.caller import AT_THE_NODE, Door
from agent.operations.control_socket import ControlSocket, Verb, socket_path
from agent.operations.desk import Desk


class ControlFeature(Feature[Config]):
    """Whoever may open the socket may use it."""

    def __init__(self, state_dir: Path, desk: Desk, clock: Clock) -> None:
        self._socket = ControlSocket(socket_path(state_dir), SocketVerbs(desk), clock)

    def components(self) -> Sequence[Component]:
        return (self._socket,)


class SocketVerbs(Mapping[str, Verb]):
    """What the desk does through the socket, as plain data in and out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getitem__(self, name: str) -> Verb:
        operation = self._desk.verbs(Door.SOCKET)[name]

        def answer(request: Mapping[str, Any]) -> Mapping[str, Any]:
            given = {key: value for key, value in request.items() if key != "verb"}
            try:
                asked = operation.verb.request.checked(given)
            except WrongArguments as wrong:
                raise UplinkError(str(wrong)) from None
            done = self._desk.do(name, asked, AT_THE_NODE)
            # What is plain already keeps its phrases.
            found: Mapping[str, Any] = done if isinstance(done, dict) else msgspec.to_builtins(done, enc_hook=str)
            return found

        return answer

    def __iter__(self) -> Iterator[str]:
        return iter(self._desk.verbs(Door.SOCKET))

    def __len__(self) -> int:
        return len(self._desk.verbs(Door.SOCKET))
