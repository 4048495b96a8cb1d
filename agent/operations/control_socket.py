"""The daemon's local socket: `vigie status` and friends ask here. One JSON line in, one JSON line out."""

from __future__ import annotations

import grp
import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import DeviceError, VigieError

log = logging.getLogger(__name__)

Verb = Callable[[Mapping[str, Any]], Mapping[str, Any]]
LONGEST_REQUEST_BYTES = 64 * 1024
PATIENCE_S = 5.0


def socket_path(state_dir: Path) -> Path:
    """Where the daemon of this state directory listens."""
    return state_dir / "run" / "control.sock"


class ControlSocket(Component):
    """Answers each connection in a thread of its own; a verb is a plain function of the request.

    Whoever may open the socket may use it: mode 0660, group `vigie` where that group exists.
    """

    critical = False

    def __init__(self, path: Path, verbs: Mapping[str, Verb], clock: Clock) -> None:
        super().__init__("control", clock)
        self._path = path
        self._verbs = dict(verbs)
        self._server: _Server | None = None

    def work(self) -> None:
        """Serve until stopped."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        try:
            server = _Server(str(self._path), self._verbs)
        except OSError as error:
            raise DeviceError(
                f"the control socket {self._path} cannot be made: {error.strerror}",
                remedy="`vigie status` will not work; check the directory's owner and the path's length (107 bytes at most)",
            ) from error
        with server:
            _give_to_group(self._path)
            self._server = server
            self.progressed()
            if not self.stopping.is_set():
                server.serve_forever(poll_interval=0.2)
        self._path.unlink(missing_ok=True)

    def wake(self) -> None:
        server = self._server
        if server is not None:
            threading.Thread(target=server.shutdown, daemon=True).start()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, path: str, verbs: Mapping[str, Verb]) -> None:
        self.verbs = verbs
        super().__init__(path, _Answer)


class _Answer(socketserver.StreamRequestHandler):
    timeout = PATIENCE_S
    server: _Server

    def handle(self) -> None:
        try:
            self.wfile.write(self._answer(self.rfile.readline(LONGEST_REQUEST_BYTES)) + b"\n")
        except OSError as error:
            log.debug("a client of the control socket went away: %s", error)

    def _answer(self, line: bytes) -> bytes:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _refusal("the request is not one line of JSON")
        if not isinstance(request, dict) or not isinstance(verb := request.get("verb"), str):
            return _refusal('the request must look like {"verb": "status"}')
        if verb not in self.server.verbs:
            return _refusal(f"unknown verb {verb!r}; known: {', '.join(sorted(self.server.verbs))}")
        try:
            return json.dumps({"ok": self.server.verbs[verb](request)}).encode()
        except VigieError as error:
            return _refusal(str(error))
        except Exception as error:  # the thread's outermost loop: one line for each side, the traceback for who asks for it
            log.error("the control verb %s failed: %s: %s", verb, type(error).__name__, error)
            log.debug("the control verb %s failed", verb, exc_info=True)
            return _refusal(f"the daemon failed on {verb!r} ({type(error).__name__}). Its log says more: `journalctl -u vigie`")


def _refusal(why: str) -> bytes:
    return json.dumps({"error": why}).encode()


def _give_to_group(path: Path) -> None:
    path.chmod(0o660)
    try:
        os.chown(path, -1, grp.getgrnam("vigie").gr_gid)
    except (KeyError, PermissionError):
        log.debug("no group `vigie` to give the control socket to: it stays with the daemon's own group")


def ask(state_dir: Path, verb: str, *, patience_s: float = PATIENCE_S, **more: Any) -> dict[str, Any]:
    """Ask the running daemon. Raises DeviceError when none runs here or when it refuses."""
    path = socket_path(state_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(patience_s)
        try:
            client.connect(str(path))
            client.sendall(json.dumps({"verb": verb, **more}).encode() + b"\n")
            with client.makefile("rb") as answer:
                document = json.loads(answer.readline())
        except (FileNotFoundError, ConnectionRefusedError):
            raise DeviceError(
                f"no daemon answers at {path}", remedy="Is it running? `systemctl status vigie`, or `vigie run --config FILE`"
            ) from None
        except PermissionError:
            raise DeviceError(f"you may not open {path}", remedy="Use sudo, or join the group `vigie`") from None
        except (OSError, ValueError) as error:
            raise DeviceError(f"the daemon at {path} does not answer in order: {error}") from error
    if "error" in document:
        raise DeviceError(str(document["error"]))
    found = document["ok"]
    assert isinstance(found, dict)
    return found
