"""Writes the register: one line per act, chained, durable on return, whoever else writes at the same time.

The daemon, the retention timer and the command line all write to it. Each entry takes an exclusive lock, reads the tail
anew, and leaves `register.head` beside the file: how many lines there are and the digest of the last. A register that
is shorter than its head says has lost its end. A full file is set aside as a part of the same chain.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from agent.base.clock import Clock, rfc3339
from agent.base.durable_file import sync_directory
from agent.base.errors import EvidenceError, RegisterError
from agent.base.phrase import say
from agent.base.regular_file import open_own
from agent.base.system_words import system_words
from agent.journal import chain
from agent.journal.chain import LineDraft, Signature
from agent.journal.entry import Act, Fact
from agent.journal.head import Head, read_head, write_head
from agent.journal.parts import lines, parts, set_aside
from agent.journal.rotation import MOST_PARTS, PART_BYTES, gone_with, surplus
from agent.journal.tail import end_of, last_line, last_newline
from agent.ports.host import Signer


class Register:
    """The register at `path`, of the node named `node`. Any thread, any number of processes. Implements Journal.

    Without a `signer` lines are chained but not signed; `verify` says from where on. `key_is_new`: the signer's key was made just
    now, so that lines before it are honest without it. `alarm` is told in words whenever an entry could not be made durable or
    signed; the first also raises RegisterError.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        signer: Signer | None = None,
        alarm: Callable[[str], None] = lambda _: None,
        *,
        node: str = "",
        key_is_new: bool = False,
        part_bytes: int = PART_BYTES,
        most_parts: int = MOST_PARTS,
    ) -> None:
        self.path = path
        self._clock = clock
        self._signature = Signature.by(signer) if signer is not None else None
        self._alarm = alarm
        self._node = node
        self._key_is_new = key_is_new
        self._part_bytes = part_bytes
        self._most_parts = most_parts
        self._thread_lock = threading.Lock()  # flock does not hold between threads that share a process' descriptors

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """Append one entry; it is on disk on return. RegisterError with the remedy otherwise, and nothing is half written."""
        try:
            with self._thread_lock, self._locked() as fd:
                self._open_part(fd)
                self._append(fd, act, by, facts)
        except OSError as error:
            raise self._refused(error) from error

    def ask(self) -> None:
        """Whether it could be opened for a line now: RegisterError when not. A full disk is met by a line alone."""
        try:
            with self._thread_lock, self._locked():
                pass
        except OSError as error:
            raise self._refused(error) from error

    def sign_head(self) -> bool:
        """Enter a signed line when unsigned ones hang at the end. False when there is no need or no key. Raises RegisterError."""
        if self._signature is None:
            return False
        try:
            with self._thread_lock, self._locked() as fd:
                last = last_line(self.path, fd)
                if last is None or is_signed(last):
                    return False
                self._append(fd, Act.CHAIN_SIGNED, "register", {"head": chain.digest(last)}, or_nothing=True)
        except OSError as error:
            raise self._refused(error) from error
        return True

    def head(self) -> Head:
        """Where the chain stands now, by the head file; n = 0 for a register that was never written."""
        return read_head(self.path) or Head(0, chain.GENESIS)

    def fault(self) -> str:
        """What a start finds wrong with the register, in words with the remedy; empty when nothing is. Raises RegisterError."""
        try:
            known, last = read_head(self.path), last_line(self.path)
            if last is None:
                lost = known.n if known else 0
                return _lost(f"{self.path} is empty", lost) if lost else ""
            if known is None:
                return f"{self.path}: register.head is missing or damaged, whether lines were cut off cannot be told. {_REMEDY}"
            end = end_of(last, None)
            if known.n > end.n:
                return _lost(f"{self.path} ends at line {end.n}", known.n - end.n)
            if self._signature is not None and not self._key_is_new and not self._any_of_ours():
                return f"{self.path}: none of its {end.n} lines is signed with this node's key: they were written anew. {_REMEDY}"
        except OSError as error:
            raise self._refused(error) from error
        return ""

    def _any_of_ours(self) -> bool:
        assert self._signature is not None
        mark = f'"key":"{self._signature.key_id}","sig":"'.encode()
        last = last_line(self.path)
        return (last is not None and mark in last) or any(mark in raw for raw in lines(self.path))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file that grows, locked; a full one has been set aside before."""
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        while True:
            fresh = not self.path.exists()
            fd = open_own(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if fresh:
                    sync_directory(self.path.parent)
                if not self._is_current(fd):
                    continue  # somebody else set it aside while we waited
                if self._is_full(fd):
                    self._set_aside(fd)
                    continue
                yield fd
                return
            finally:
                os.close(fd)  # and with it the lock

    def _is_current(self, fd: int) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(fd), self.path.stat())
        return False

    def _is_full(self, fd: int) -> bool:
        size = os.fstat(fd).st_size
        return size >= self._part_bytes and os.pread(fd, 1, size - 1) == b"\n"

    def _set_aside(self, fd: int) -> None:
        last = last_line(self.path, fd)
        end = end_of(last, read_head(self.path))
        first = end_of(_first_line(fd), None)
        set_aside(self.path, max(1, first.n), max(1, first.n, end.n))

    def _open_part(self, fd: int) -> None:
        """The first line behind full parts names the one before it, and what is no longer kept; then that goes."""
        if os.fstat(fd).st_size or not (found := parts(self.path)):
            return
        gone = surplus(self.path, self._most_parts)
        facts: dict[str, Fact] = {"part": found[-1].name, **gone_with(found[len(gone)])}
        self._append(fd, Act.ROTATED, "register", facts)
        for part in gone:
            part.unlink(missing_ok=True)
        sync_directory(self.path.parent)

    def _append(self, fd: int, act: Act, by: str, facts: Mapping[str, Fact], *, or_nothing: bool = False) -> None:
        size = os.fstat(fd).st_size
        known = read_head(self.path)
        if known is None and size == 0 and not parts(self.path):
            write_head(self.path, Head(0, chain.GENESIS))  # before the first line: a missing head is then always a finding
        torn, size = self._set_torn_aside(fd, size)
        head = end_of(last_line(self.path, fd), known)
        if self._key_is_new and self._signature is not None:
            self._key_is_new = False
            if head.n:
                self._append(fd, Act.CHAIN_SIGNED, "register", {"head": head.digest, "unsigned": head.n}, or_nothing=True)
                return self._append(fd, act, by, {**facts, "torn": torn} if torn else facts, or_nothing=or_nothing)
        entry: dict[str, Fact] = dict(facts)
        if torn:
            entry["torn"] = torn
        at = rfc3339(self._clock.wall_ns())
        line = self._composed(LineDraft(self._node, at, self._clock.quality(), act, by, entry), head, or_nothing=or_nothing)
        after = Head(head.n + 1, chain.digest(line))
        try:
            _write(fd, line + b"\n")
            os.fdatasync(fd)
            write_head(self.path, after)
        except OSError:
            if read_head(self.path) != after:  # whoever is told that nothing was entered must not find it there
                os.ftruncate(fd, size)
            raise
        return None

    def _composed(self, draft: LineDraft, head: Head, *, or_nothing: bool) -> bytes:
        try:
            return chain.compose(draft, head, self._signature)
        except (EvidenceError, RegisterError) as error:
            self._alarm(f"a register entry could not be signed: {error}")
            if or_nothing:
                raise RegisterError(
                    say("the register cannot be signed: {why}", why=error.said[0]), remedy=error.said[1]
                ) from error
            return chain.compose(draft, head, None)

    def _set_torn_aside(self, fd: int, size: int) -> tuple[str, int]:
        """What a power cut left after the last newline goes to `register.torn`; the digest of it, and the size without it."""
        if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
            return "", size
        start = last_newline(fd, size) + 1
        tail = os.pread(fd, size - start, start)
        aside = open_own(self.path.with_suffix(".torn"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            _write(aside, tail + b"\n")
            os.fsync(aside)
        finally:
            os.close(aside)
        os.ftruncate(fd, start)
        return chain.digest(tail), start

    def _refused(self, error: OSError) -> RegisterError:
        sentence = say(
            "the register {path} cannot be used: {why}", path=self.path, why=system_words((error.strerror or str(error)).lower())
        )
        self._alarm(sentence)
        free = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = say("Free space on its disk") if free else say("Check its disk, its permissions and what lies there")
        return RegisterError(sentence, remedy=remedy)


_REMEDY: Final = say(
    "`vigie register --verify` places what is wrong, and the centre has a copy of each line. Keep the files as they are,"
    " and tell who answers for them"
)


def _lost(what: str, count: int) -> str:
    lines_are = "1 line that had been written is" if count == 1 else f"{count} lines that had been written are"
    return f"{what}, and {lines_are} gone. {_REMEDY}"


def is_signed(raw: bytes) -> bool:
    """Does this line bear a signature? Whose, and whether it fits, `verify` tells."""
    try:
        return chain.parse(raw).signed
    except ValueError:
        return False


def _first_line(fd: int) -> bytes | None:
    start = os.pread(fd, chain.MOST_LINE_BYTES, 0)
    return start.partition(b"\n")[0] if b"\n" in start else None


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
