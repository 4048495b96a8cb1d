"""Films of 40 MB made to cost: what each takes, in seconds of processor time and megabytes (`--megabytes 40`)."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.evidence.boxes import box, full_box
from agent.evidence.export_boxes import FragmentSample, fragment_head, ftyp, moov
from agent.identity.node_key import IdentityDirectory
from agent.ports.host import Signer
from agent.signing import sei
from agent.signing.tlv import CryptoInformation, GopInformation, Tag, VendorInformation, encode_certificates, field

_SPS: Final = bytes.fromhex("67640015acd941e08fe5c044000003000400000300a03c58b658")
_PPS: Final = bytes.fromhex("68ebe3cb22c0")
_IDR: Final = bytes.fromhex("65888410ffd22a02")
_HASH: Final = bytes(range(1, 33))
_JUDGE: Final = (
    "import sys, resource; from pathlib import Path; from agent.base.errors import VigieError\n"
    "from agent.evidence.verification import verify; from agent.identity.certificates import read_chain\n"
    "try: said = verify(Path(sys.argv[1]), read_chain(Path(sys.argv[2]))).verdict.value\n"
    "except VigieError as error: said = 'refused: ' + str(error)[-60:]\n"
    "spent = resource.getrusage(resource.RUSAGE_SELF)\n"
    # Not ru_maxrss: a child begins with its parent's there.
    "peak = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]\n"
    "print(round(spent.ru_utime + spent.ru_stime, 2), int(peak) // 1024, said)"
)
Shape = Callable[[int, Signer], bytes]


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _unit(content: bytes) -> bytes:
    return _number(len(content)) + content


def _entry() -> bytes:
    configuration = b"\1\x64\0\x15\xff\xe1" + len(_SPS).to_bytes(2, "big") + _SPS + b"\1" + len(_PPS).to_bytes(2, "big") + _PPS
    head = bytes(6) + b"\0\1" + bytes(16) + b"\1\xe0\1\x0e" + bytes(12) + b"\0\1" + bytes(32) + b"\0\x18\xff\xff"
    return box(b"avc1", head, box(b"avcC", configuration))


def _film(samples: list[bytes]) -> bytes:
    made = [ftyp(), moov([_entry()], 480, 270, 0, 0, None)]
    for at in range(0, len(samples), 10_000):
        part = samples[at : at + 10_000]
        table = [FragmentSample(len(each), 9000, 0, sync=True) for each in part]
        made += [fragment_head(at // 10_000 + 1, at * 9000, 1, table), *part]
    return b"".join(made)


def _part(runs: bytes) -> bytes:
    return box(b"traf", full_box(b"tfhd", 0, 0x20000, _number(1)), runs)


def _fragment(runs: bytes) -> bytes:
    return box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), _part(runs))


def _table(kind: bytes, body: bytes) -> bytes:
    """An unfragmented film whose `kind` is this."""
    tables = {
        b"stsd": _number(0) + _number(1) + _entry(),
        b"stts": _number(0) + _number(1) + _number(1000) + _number(1),
        b"stsc": _number(0) + _number(1) + _number(1) + _number(1000) + _number(1),
        b"stsz": _number(0) + _number(20) + _number(1000),
        b"stco": _number(0) + _number(1) + _number(64),
        kind: body,
    }
    stbl = box(b"stbl", *(box(name, content) for name, content in tables.items()))
    honest = moov([_entry()], 480, 270, 0, 0, None)
    at = honest.index(b"stbl") - 4
    old = int.from_bytes(honest[at : at + 4], "big")
    made = bytearray(honest[:at] + stbl + honest[at + old :])
    for name in (b"moov", b"trak", b"mdia", b"minf"):
        place = made.index(name) - 4
        made[place : place + 4] = _number(int.from_bytes(made[place : place + 4], "big") + len(stbl) - old)
    return ftyp() + bytes(made) + box(b"mdat", bytes(20_000))


def _signature(signer: Signer, number: int, hashes: int) -> bytes:
    gop = GopInformation(number * 10**9, (number + 1) * 10**9, number, hashes, _HASH, _HASH, partial=False)
    return sei.build(field(Tag.GOP, gop.encode()) + field(Tag.HASHES, b"\1" + _HASH * hashes), signer.sign)


def _certificate(signer: Signer) -> bytes:
    body = (
        field(Tag.CRYPTO, CryptoInformation("sha256").encode())
        + field(Tag.VENDOR, VendorInformation("0", "x", "Vigie").encode())
        + field(Tag.CERTIFICATES, encode_certificates(signer.chain_pem))
    )
    return sei.build(body, signer.sign, certificate=True)


def _tiny(size: int, _signer: Signer) -> bytes:
    one = _unit(_IDR)
    return _film([one] * (size // (len(one) + 16)))


def _tiny_and_signatures(size: int, signer: Signer) -> bytes:
    head, one = _unit(_certificate(signer)) + _unit(_IDR), _unit(_IDR)
    samples = [head] + [one] * (min(size, 1_200_000) // len(one))
    for number in range(40):
        samples[-1 - number * 50] = _unit(_signature(signer, number + 1, 60)) + one
    return _film(samples)


def _signatures(hashes: int) -> Shape:
    def made(size: int, signer: Signer) -> bytes:
        head, one = _unit(_certificate(signer)) + _unit(_IDR), _unit(_IDR)
        few = [_unit(_signature(signer, number + 1, hashes)) + one * 1 for number in range(min(3000, size // (40 * hashes)))]
        return _film([head, *(few[number % len(few)] for number in range(size // len(few[0])))])

    return made


SHAPES: Final[dict[str, Shape]] = {
    "empty boxes": lambda size, _: ftyp() + box(b"free") * (size // 8),
    "boxes in moov": lambda size, _: ftyp() + box(b"moov", box(b"free") * (size // 8)),
    "empty fragments": lambda size, _: (
        ftyp() + moov([_entry()], 480, 270, 0, 0, None) + box(b"moof", full_box(b"mfhd", 0, 0, bytes(4))) * (size // 24)
    ),
    "runs of nothing": lambda size, _: (
        ftyp() + moov([_entry()], 480, 270, 0, 0, None) + _fragment(full_box(b"trun", 0, 1, bytes(8)) * 3900) * (size // 78_076)
    ),
    "parts of nothing": lambda size, _: (
        ftyp()
        + moov([_entry()], 480, 270, 0, 0, None)
        + box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), _part(full_box(b"trun", 0, 1, bytes(8))) * 3900) * (size // 171_624)
    ),
    "one fragment of boxes": lambda size, _: _film([_unit(_IDR)]) + box(b"moof", box(b"free") * (size // 8)),
    "stss": lambda size, _: _table(b"stss", _number(0) + _number(size // 4) + bytes(size // 4 * 4)),
    "ctts": lambda size, _: _table(b"ctts", _number(0) + _number(size // 8) + bytes(size // 8 * 8)),
    "stts": lambda size, _: _table(b"stts", _number(0) + _number(size // 8) + bytes(size // 8 * 8)),
    "stsc": lambda size, _: _table(b"stsc", _number(0) + _number(size // 12) + bytes(size // 12 * 12)),
    "stsz": lambda size, _: _table(b"stsz", _number(0) + _number(0) + _number(size // 4) + b"\0\0\0\1" * (size // 4)),
    "stco": lambda size, _: _table(b"stco", _number(0) + _number(size // 4) + bytes(size // 4 * 4)),
    "one unit": lambda size, _: _film([_unit(b"\x65" + b"\x88" * size)]),
    "units of a byte": lambda size, _: _film([_unit(b"\x06") * (size // 5)]),
    "zeros": lambda size, _: _film([_unit(bytes(size))]),
    "SEI without end": lambda size, _: _film([_unit(b"\x06\x05" + b"\xff" * size)]),
    "tiny pictures": _tiny,
    "tiny slices and 40 signatures": _tiny_and_signatures,
    "signatures of a hash": _signatures(1),
    "signatures of 2000 hashes": _signatures(2000),
}


def judged(content: bytes, directory: Path) -> tuple[float, int, str]:
    """Seconds of processor time, megabytes at most, and what is said; in a process of its own."""
    path = directory / "hostile.mp4"
    path.write_bytes(content)
    command = [sys.executable, "-c", _JUDGE, str(path), str(directory / "identity" / "ca.pem")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, preexec_fn=_within)
    if done.returncode:
        return 0.0, 0, f"failed: {done.stderr[-200:]}"
    seconds, megabytes, said = done.stdout.split(" ", 2)
    return float(seconds), int(megabytes), said.strip()


def _within() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


def run(options: dict[str, object]) -> dict[str, object]:
    """Every shape in turn."""
    size = int(float(str(options.get("megabytes", 40))) * 1e6)
    only = options.get("only")
    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as directory:
        own = IdentityDirectory(Path(directory) / "forger").init("forger")
        IdentityDirectory(Path(directory) / "identity").init("node")
        for name, shape in SHAPES.items():
            if only is None or only == name:
                seconds, megabytes, said = judged(shape(size, own), Path(directory))
                results[name] = {"seconds": seconds, "megabytes": megabytes, "said": said}
                print(f"{seconds:7.2f} s {megabytes:5} MB  {name}: {said}")
    return results
