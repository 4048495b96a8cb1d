"""The daemon's local socket: `vigie status` and friends ask here. One JSON line in, one JSON line out."""

from __future__ import annotations

import contextlib
import functools
import grp
import json
import logging
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import DeviceError, NoDaemon, VigieError
from agent.base.phrase import say
from agent.base.spelled import restored, spelled
from agent.base.system_words import system_words
from agent.base.visitors import Visit, Visitors

log = logging.getLogger(__name__)

Verb = Callable[[Mapping[str, Any]], Mapping[str, Any]]
LONGEST_REQUEST_BYTES = 64 * 1024
PATIENCE_S = 5.0
MOST_VISITORS = 16


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
        self._verbs = verbs
        self._server: _Server | None = None

    def work(self) -> None:
        """Serve until stopped."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        try:
            server = _Server(str(self._path), self._verbs, Visitors(MOST_VISITORS, PATIENCE_S, self.clock))
        except OSError as error:
            raise DeviceError(
                say("the control socket {path} cannot be made: {why}", path=self._path, why=system_words(error.strerror)),
                remedy=say("`vigie status` will not work; check the directory's owner and the path's length (107 bytes at most)"),
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
    request_queue_size = 64

    def __init__(self, path: str, verbs: Mapping[str, Verb], visitors: Visitors) -> None:
        self.verbs = verbs
        self.visitors = visitors
        self.visits: dict[socket.socket, Visit] = {}
        super().__init__(path, _Answer)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let the connection in, on a thread of its own, or tell it that there is no place."""
        visit = self.visitors.enter(functools.partial(_hang_up, request))
        if visit is None:
            with contextlib.suppress(OSError):
                request.setblocking(False)
                request.sendall(
                    _refusal(say("{count} others are being answered: ask again in a moment", count=MOST_VISITORS)) + b"\n"
                )
            self.shutdown_request(request)
            return
        self.visits[request] = visit
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Between two visitors: those that have not asked in time go."""
        self.visitors.show_out_the_idle()

    def shutdown_request(self, request: Any) -> None:
        """The connection is over, however it ended."""
        visit = self.visits.pop(request, None)
        if visit is not None:
            self.visitors.leave(visit)
        super().shutdown_request(request)


class _Answer(socketserver.StreamRequestHandler):
    timeout = PATIENCE_S
    server: _Server

    def handle(self) -> None:
        try:
            line = self.rfile.readline(LONGEST_REQUEST_BYTES)
            if not line:
                return  # it went away, or was shown out, before it asked for anything
            visit = self.server.visits.get(self.request)
            if visit is not None:
                self.server.visitors.serve(visit)
            self.wfile.write(self._answer(line) + b"\n")
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
            found = self.server.verbs[verb](request)
            return json.dumps({"ok": found, "said": spelled(found)}).encode()
        except VigieError as error:
            return _refusal(*error.said)
        except Exception as error:  # the thread's outermost loop: one line for each side, the traceback for who asks for it
            log.error("the control verb %s failed: %s: %s", verb, type(error).__name__, error)
            log.debug("the control verb %s failed", verb, exc_info=True)
            kind = type(error).__name__
            what = say("the daemon failed on {verb!r} ({kind}). Its log says more: `journalctl -u vigie`", verb=verb, kind=kind)
            return _refusal(what)


def _hang_up(connection: socket.socket) -> None:
    """End a connection that a thread may be reading from: its read comes back empty."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _refusal(what: str, remedy: str = "") -> bytes:
    error = [what, remedy]
    return json.dumps({"error": VigieError(what, remedy=remedy).text(), "parts": error, "said": spelled(error)}).encode()


def _give_to_group(path: Path) -> None:
    path.chmod(0o660)
    try:
        os.chown(path, -1, grp.getgrnam("vigie").gr_gid)
    except (KeyError, PermissionError):
        log.debug("no group `vigie` to give the control socket to: it stays with the daemon's own group")


def ask(state_dir: Path, verb: str, *, patience_s: float = PATIENCE_S, **more: Any) -> dict[str, Any]:
    """Ask the running daemon. Raises NoDaemon when none runs here, DeviceError when it refuses."""
    path = socket_path(state_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(patience_s)
        try:
            _connect(client, path, patience_s)
            client.sendall(json.dumps({"verb": verb, **more}).encode() + b"\n")
            with client.makefile("rb") as answer:
                document = json.loads(answer.readline())
        except (FileNotFoundError, ConnectionRefusedError):
            raise NoDaemon(
                say("no daemon answers at {path}", path=path),
                remedy=say("Is it running? `systemctl status vigie`, or `vigie run --config FILE`"),
            ) from None
        except PermissionError:
            raise DeviceError(
                say("you may not open {path}", path=path), remedy=say("Use sudo, or join the group `vigie`")
            ) from None
        except (BrokenPipeError, ConnectionResetError):
            raise DeviceError(
                say("the daemon at {path} is just stopping or starting: ask again in a moment", path=path)
            ) from None
        except (OSError, ValueError) as error:
            raise DeviceError(say("the daemon at {path} does not answer in order: {error}", path=path, error=error)) from error
    match document:
        case {"error": str(), "parts": [str(), str()] as parts, "said": said}:
            what, remedy = restored(parts, said)
            raise DeviceError(what, remedy=remedy)
        case {"error": why}:
            raise DeviceError(str(why))
        case {"ok": dict() as found}:
            told: dict[str, Any] = restored(found, document.get("said"))
            return told
    raise DeviceError(
        say("what answers at {path} is no daemon of this release", path=path), remedy=say("Restart it: `systemctl restart vigie`")
    )


def _connect(client: socket.socket, path: Path, patience_s: float) -> None:
    """Join the queue at the door; while even that is full, wait for room in it."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            client.connect(str(path))
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(say("too many others ask it, for {seconds:g} s now", seconds=patience_s)) from None
            time.sleep(0.02)
        else:
            return
