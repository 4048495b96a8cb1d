"""The folder `nomad/` of a node: one file per deployment, whole or not there, and believed only when it is as it was written."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from agent.base.durable_file import replace_durably, sync_directory
from agent.base.errors import DeploymentError
from agent.base.phrase import say
from agent.base.regular_file import open_own, read_regular
from agent.base.system_words import system_words
from agent.nomad.deployment import Deployment

_NAME = re.compile(r"([0-9]{6,9})\.json")
_LAST: Final = 999_999_999
_MOST_BYTES: Final = 64 * 1024
_DIGEST: Final = b"sha256 "
_LOCK: Final = "lock"
_LOCK_WITHIN_S: Final = 5.0
"""Holders are quick: one that is not has been stopped in the middle."""
_VIEWS: Final = "views"
_MOST_VIEW_BYTES: Final = 16 << 20


class RecordDamaged(DeploymentError):
    """The record of the deployment is not as it was written."""


class StoreLocked(DeploymentError):
    """Nobody can be alone with the deployments now."""


class DeploymentStore:
    """Any thread, any number of processes. The deployment with the highest number is the present one, over or not."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "nomad"

    def current(self) -> Deployment | None:
        """The present one; None before the first. DeploymentError when it cannot be believed: then nothing may be open."""
        numbers = self._numbers()
        return self._read(numbers[-1]) if numbers else None

    def all(self) -> tuple[list[Deployment], list[str]]:
        """Every one that can be read, oldest first, and in words those that cannot."""
        found, faults = [], []
        for number in self._numbers():
            try:
                found.append(self._read(number))
            except DeploymentError as error:
                faults.append(str(error))
        return found, faults

    def of(self, name: str) -> Deployment:
        """The one of this id. DeploymentError when there is none."""
        found, _ = self.all()
        for deployment in found:
            if deployment.id == name:
                return deployment
        raise DeploymentError(say("there is no deployment {name}", name=name), remedy=say("`vigie deploy list` names them"))

    def next_number(self) -> int:
        """Of a deployment that begins now; that of an unreadable one is not used again."""
        number = (self._numbers() or [0])[-1] + 1
        if number > _LAST:
            raise DeploymentError(
                say("{path} has the last number there is", path=self._path(_LAST)),
                remedy=say("`vigie deploy list`, and remove it"),
            )
        return number

    def save(self, deployment: Deployment) -> None:
        """On disk on return, in the place of what was there. DeploymentError: what was there is still there."""
        body = msgspec.json.encode(deployment, enc_hook=str)  # what is told in words is kept in English
        seal = _DIGEST + hashlib.sha256(body).hexdigest().encode()
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o750, parents=True)
                sync_directory(self.folder.parent)
            replace_durably(self._path(deployment.number), body + b"\n" + seal + b"\n", mode=0o640)
        except OSError as error:
            raise self._refused(error, "written") from None

    def note_view(self, deployment: str, view: str) -> None:
        """From now on this view proves nothing in any other deployment, whatever becomes of the records. DeploymentError."""
        try:
            path = self.folder / _VIEWS
            descriptor = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                os.write(descriptor, f"\n{deployment} {view}\n".encode())  # behind a line that a power cut may have torn
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_directory(self.folder)
        except OSError as error:
            raise self._refused(error, "written") from None

    def is_of_another(self, view: str, deployment: str) -> bool:
        """Whether this view was ever used in another deployment, or lay here when one began. DeploymentError."""
        try:
            noted = read_regular(self.folder / _VIEWS, _MOST_VIEW_BYTES, follow=False).decode("ascii", "replace")
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._refused(error, "read") from None
        return any(line.endswith(f" {view}") and line != f"{deployment} {view}" for line in noted.splitlines())

    def spoil_newest(self) -> None:
        """Whatever it is, and whoever holds the lock. OSError, DeploymentError."""
        if numbers := self._numbers():
            self.spoil(numbers[-1])

    def spoil(self, number: int) -> None:
        """Make a record unbelievable where it lies, for which no room is needed: a full disk keeps nothing open. OSError."""
        descriptor = open_own(self._path(number), os.O_WRONLY)
        try:
            os.pwrite(descriptor, b"!", 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes a deployment meanwhile; holders are quick. DeploymentError."""
        try:
            descriptor = self._locked()
        except OSError as error:
            what, remedy = self._refused(error, "locked").said
            raise StoreLocked(what, remedy=remedy) from None
        try:
            yield
        finally:
            os.close(descriptor)

    def _locked(self) -> int:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o750, parents=True)
        path = self.folder / _LOCK
        if path.is_symlink():
            path.unlink()  # the folder is ours, and a lock is nothing but itself
        descriptor = open_own(path, os.O_RDWR | os.O_CREAT)
        ends_s = time.monotonic() + _LOCK_WITHIN_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > ends_s:
                    os.close(descriptor)
                    raise OSError(errno.EBUSY, "another command holds them") from None
                time.sleep(0.02)
            else:
                return descriptor

    def fingerprint(self) -> object:
        """Changes whenever the present deployment was touched, replaced or followed by another."""
        try:
            numbers = self._numbers()
            found = self._path(numbers[-1]).lstat() if numbers else None
        except (OSError, DeploymentError) as error:
            return str(error)
        return (len(numbers), found and (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))

    def _numbers(self) -> list[int]:
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._refused(error, "read") from None
        return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))

    def _read(self, number: int) -> Deployment:
        path = self._path(number)
        try:
            content = read_regular(path, _MOST_BYTES + 1, follow=False)
        except OSError as error:
            raise self._refused(error, "read") from None
        body, _, seal = content.removesuffix(b"\n").rpartition(b"\n")
        if seal != _DIGEST + hashlib.sha256(body).hexdigest().encode():
            raise _damaged(path)
        try:
            found = msgspec.json.decode(body, type=Deployment)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise _damaged(path) from None
        if found.number != number:
            raise _damaged(path)
        return found

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.json"

    def _refused(self, error: OSError, how: str) -> DeploymentError:
        words = system_words((error.strerror or str(error)).lower())
        if how == "written":
            what = say("the deployment cannot be written to {folder}: {words}", folder=self.folder, words=words)
        elif how == "locked":
            what = say("the deployments in {folder} cannot be locked: {words}", folder=self.folder, words=words)
        else:
            what = say("the deployments in {folder} cannot be read: {words}", folder=self.folder, words=words)
        return DeploymentError(what, remedy=say("check its disk, its permissions and what lies there"))


def _damaged(path: Path) -> DeploymentError:
    return RecordDamaged(
        say("the record of the deployment {path} is damaged, so nobody can tell what is allowed", path=path),
        remedy=say("begin a new one with `vigie deploy begin`; the register has what this one was"),
    )
