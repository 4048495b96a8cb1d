"""Writes the register: one line per act, chained, durable on return, whoever else writes at the same time.

The daemon, the retention timer and the command line all write to it. Each entry takes an exclusive lock, reads the tail
anew, and leaves `register.head` beside the file: how many lines there are and the digest of the last. A register that
is shorter than its head says has lost its end.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.clock import Clock, rfc3339
from agent.base.errors import EvidenceError, JournalError
from agent.base.regular_file import open_regular, read_regular
from agent.journal import chain
from agent.journal.chain import Signature
from agent.journal.entry import Act, Fact
from agent.ports.host import Signer

_TAIL_BYTES: Final = 1 << 16
_HEAD_BYTES: Final = 1 << 10


class Head(Struct, frozen=True):
    """The end of the chain: number and digest of the last line."""

    n: int
    digest: str


class Register:
    """The register at `path`. Any thread, any number of processes. Implements Journal.

    Without a `signer` lines are chained but not signed; `verify` says from where on. `alarm` is told in words whenever an
    entry could not be made durable or signed; the first also raises JournalError.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        signer: Signer | None = None,
        alarm: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = path
        self._clock = clock
        self._signature = Signature.by(signer) if signer is not None else None
        self._alarm = alarm
        self._thread_lock = threading.Lock()  # flock does not hold between threads that share a process' descriptors

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """Append one entry; it is on disk on return. JournalError with the remedy otherwise, and nothing is half written."""
        try:
            with self._thread_lock, self._locked() as fd:
                self._append(fd, act, by, facts)
        except OSError as error:
            sentence = f"the register {self.path} cannot be written: {(error.strerror or str(error)).lower()}"
            self._alarm(sentence)
            raise JournalError(sentence, remedy="Free space on its disk and check its permissions") from error

    def sign_head(self) -> bool:
        """Enter a signed line when unsigned ones hang at the end; called hourly. False when there is no need or no key."""
        last = None
        for last in lines(self.path):  # noqa: B007 - the last one is wanted
            pass
        if self._signature is None or last is None or _is_signed(last):
            return False
        self.enter(Act.CHAIN_SIGNED, "register", {"head": chain.digest(last)})
        return True

    def head(self) -> Head:
        """Where the chain stands now, by the head file; n = 0 for a register that was never written."""
        return read_head(self.path) or Head(0, chain.GENESIS)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self.path.exists()
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if fresh:
                _sync_directory(self.path.parent)
            yield fd
        finally:
            os.close(fd)  # and with it the lock

    def _append(self, fd: int, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        size = os.fstat(fd).st_size
        known = read_head(self.path)
        if known is None and size == 0:
            self._write_head(Head(0, chain.GENESIS))  # before the first line: a missing head is then always a finding
        torn, size = self._set_torn_aside(fd, size)
        last = _last_line(fd, size)
        head = _end_of(last, known)
        entry: dict[str, Fact] = dict(facts)
        if torn:
            entry["torn"] = torn
        n, now_ns, quality = head.n + 1, self._clock.wall_ns(), self._clock.quality()
        try:
            line = chain.compose(n, rfc3339(now_ns), quality, act, by, entry, head.digest, self._signature)
        except (EvidenceError, JournalError) as error:
            self._alarm(f"a register entry could not be signed: {error}")
            line = chain.compose(n, rfc3339(now_ns), quality, act, by, entry, head.digest, None)
        try:
            _write(fd, line + b"\n")
            os.fdatasync(fd)
        except OSError:
            os.ftruncate(fd, size)
            raise
        self._write_head(Head(n, chain.digest(line)))

    def _set_torn_aside(self, fd: int, size: int) -> tuple[str, int]:
        """What a power cut left after the last newline goes to `register.torn`; the digest of it, and the size without it."""
        if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
            return "", size
        start = _last_newline(fd, size) + 1
        tail = os.pread(fd, size - start, start)
        aside = os.open(self.path.with_suffix(".torn"), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            _write(aside, tail + b"\n")
            os.fsync(aside)
        finally:
            os.close(aside)
        os.ftruncate(fd, start)
        return chain.digest(tail), start

    def _write_head(self, head: Head) -> None:
        path = head_path(self.path)
        new = path.with_name(path.name + ".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            _write(fd, json.dumps({"n": head.n, "digest": head.digest}).encode() + b"\n")
            os.fdatasync(fd)
        finally:
            os.close(fd)
        new.replace(path)
        _sync_directory(path.parent)


def head_path(path: Path) -> Path:
    """Where the head of the register at `path` lies."""
    return path.with_suffix(".head")


def read_head(path: Path) -> Head | None:
    """The head beside the register at `path`; None when there is none, or none that can be read."""
    try:
        fields = json.loads(read_regular(head_path(path), _HEAD_BYTES))
        return Head(int(fields["n"]), str(fields["digest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def lines(path: Path, from_offset: int = 0) -> Iterator[bytes]:
    """The whole lines of a register without their newlines; a torn end is left out. Nothing when there is no file."""
    try:
        with open_regular(path) as file:
            file.seek(from_offset)
            for line in file:
                if line.endswith(b"\n"):
                    yield line[:-1]
    except FileNotFoundError:
        return


def _end_of(last: bytes | None, known: Head | None) -> Head:
    """What the next line hangs on: the last line, unless the head knows of later ones that are gone."""
    if last is None:
        return known or Head(0, chain.GENESIS)
    try:
        found = Head(chain.parse(last).n, chain.digest(last))
    except ValueError:
        found = Head(known.n if known else 0, chain.digest(last))
    return known if known is not None and known.n > found.n else found


def _is_signed(raw: bytes) -> bool:
    try:
        return chain.parse(raw).signed
    except ValueError:
        return False


def _last_line(fd: int, size: int) -> bytes | None:
    if size == 0:
        return None
    start = _last_newline(fd, size - 1) + 1
    return os.pread(fd, size - 1 - start, start)


def _last_newline(fd: int, end: int) -> int:
    """Offset of the last newline before `end`, -1 when there is none."""
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found
        end = start
    return -1


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
