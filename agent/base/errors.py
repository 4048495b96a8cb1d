"""One tree of errors. Each says what, where and the remedy; `exit_code` is what a command leaves with.

VigieError
├── ConfigurationError      the file cannot be used as it stands (78); carries every finding at once
├── CameraError             the picture source fails: missing, broken, vanished, stalled
│   ├── CameraEnded         a film without `loop` came to its end: no fault, the source is simply over
│   └── DriverHangs         the driver hangs in this process: only a new process helps, so this one ends
├── MaskError               a mask set or a view reference that must not be used
├── DeploymentError         a deployment that must not begin, or whose record cannot be used
├── EncoderError            the encoder or the muxer refuses
├── StorageError            a disk that is full, read-only or gone; a catalog that cannot be written
│   └── CatalogDamaged      the file of the catalog is wrong: it is made anew from the recordings
├── RegisterError           the register cannot be written or does not verify
├── OutboxError             the outbox cannot be opened, written or read
├── ReplayCacheError        the memory of used tokens cannot be written: no command is taken
├── EvidenceError           keys, signatures, export
│   ├── NotAuthentic        signed, and changed since (3)
│   └── NotSigned           carries no signature: cannot be told (4)
├── UplinkError             broker, session, refused command
└── DeviceError             board, service manager, local socket
    └── NoDaemon            nobody listens at the local socket
"""

from __future__ import annotations

from collections.abc import Callable

from agent.base.phrase import Capital, Phrase, capital, joined


class VigieError(Exception):
    """Anything Vigie can say to a person about what went wrong."""

    exit_code = 1
    final = False
    """True: trying again in this process is no use; a critical component that meets it ends the process."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(str(what))
        self.what = str(what)
        self.remedy = str(remedy)
        self.said = (what, remedy)
        """Both as they were said: Phrases, as far as they are."""

    def text(self, tell: Callable[[str], str] = str) -> str:
        """What is wrong and the remedy, each as `tell` puts it: English, or for a reader of another language."""
        return tell(self.words)

    @property
    def words(self) -> str:
        """Both in one text: a Phrase, as far as they are, for whoever hands it on to a person."""
        what, remedy = self.said
        return joined(". ", (what, capital(remedy))) if remedy else what

    def __str__(self) -> str:
        return self.text()


def told_apart(words: str) -> tuple[str, str]:
    """What is wrong, and the remedy: what `VigieError.words` has put together."""
    if isinstance(words, Phrase) and len(words.parts) == 2 and isinstance(words.parts[1], Capital):
        return words.parts[0], words.parts[1].inner
    what, _, remedy = words.partition(". ")
    return what, remedy


class ConfigurationError(VigieError):
    """The configuration is refused; the text lists every finding."""

    exit_code = 78


class CameraError(VigieError):
    """The picture source fails."""


class CameraEnded(CameraError):
    """A film came to its end."""


class DriverHangs(CameraError):
    """The driver hangs in this process; the service manager starts a new one."""

    final = True


class MaskError(VigieError):
    """A mask set or view reference that must not be used: the picture stays opaque."""


class DeploymentError(VigieError):
    """A deployment of a nomadic unit that must not begin, or whose record cannot be used: the camera stays closed."""


class EncoderError(VigieError):
    """Encoder or muxer refuses."""


class StorageError(VigieError):
    """The disk or the catalog cannot be written or read."""


class CatalogDamaged(StorageError):
    """The catalog's file is wrong, and no wait cures it; whoever opens it next makes it anew."""


class RegisterError(VigieError):
    """The register cannot be written or read, or does not verify."""


class OutboxError(VigieError):
    """The outbox cannot be opened, written or read, or an event is not on disk in time."""


class ReplayCacheError(VigieError):
    """The memory of used tokens cannot be written: a command could be played again, so none is taken."""


class EvidenceError(VigieError):
    """Keys, signatures, export."""


class NotAuthentic(EvidenceError):
    """Signed, and changed since."""

    exit_code = 3


class NotSigned(EvidenceError):
    """No signature: authenticity cannot be told."""

    exit_code = 4


class UplinkError(VigieError):
    """Broker, session or a refused command."""


class DeviceError(VigieError):
    """Board, service manager or local socket."""


class NoDaemon(DeviceError):
    """Nobody listens at the local socket of this state directory."""
