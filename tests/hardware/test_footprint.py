"""What starting needed is given back, and everything goes on working."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.signals import small_node
from hardware.footprint.program_pages import program_pages
from hardware.footprint.symbol_tables import symbol_tables
from hardware.footprint.trick import Trick
from tests.support.deadline import until

LOOK = """
import json, re
from pathlib import Path

import cv2
import numpy as np

from agent.node.wiring import build
from hardware.footprint.allocation import allocate_sparingly
from hardware.footprint.giving_back import give_back


def resident(kind):
    return 1024 * int(re.search(rf"^{kind}:\\s+(\\d+) kB", Path("/proc/self/status").read_text(), re.M)[1])


def work():
    picture = (np.arange(640 * 480, dtype=np.uint32) % 251).astype(np.uint8).reshape(480, 640)
    return int(cv2.GaussianBlur(picture, (5, 5), 0).sum()) + int(np.linalg.det(np.eye(3) * 7))


allocate_sparingly()
before, answer = resident("RssFile"), work()
give_back()
after = resident("RssFile")
print(json.dumps({"before": before, "after": after, "same": work() == answer}))
"""


def test_program_pages_go_back_and_code_runs_on() -> None:
    """At least a third of the resident program files is unmapped, and the same work gives the same answer afterwards."""
    told = json.loads(subprocess.run([sys.executable, "-c", LOOK], check=True, capture_output=True, text=True).stdout)
    assert told["after"] < told["before"] * 2 / 3
    assert told["same"]


def test_the_switch_leaves_everything_out() -> None:
    """With `VIGIE_FOOTPRINT=off` nothing is unmapped, and the answer is the same."""
    run = subprocess.run(
        [sys.executable, "-c", LOOK], check=True, capture_output=True, text=True, env={**os.environ, "VIGIE_FOOTPRINT": "off"}
    )
    told = json.loads(run.stdout)
    assert told["after"] >= told["before"]
    assert told["same"]


@pytest.mark.parametrize("switch", ["", "off", "-unmap", "-one-heap,-unmap", "unmap", "-unma", "off,-unmap", "nonsense"])
def test_the_switch_leaves_out_what_it_names(monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    """All by `off`, some by name; what it does not know it leaves in."""
    monkeypatch.setenv("VIGIE_FOOTPRINT", switch)
    off = {trick for trick in Trick if not trick.is_on}
    assert off == (set(Trick) if "off" in switch else {trick for trick in Trick if f"-{trick}" in switch.split(",")})


def pages(mapping: str, anonymous: int = 0) -> list[tuple[int, int]]:
    """What may be read again of one mapping, by its first line in smaps and its own pages in kB."""
    smaps = [
        f"{mapping}\n",
        "Rss:                 908 kB\n",
        f"Anonymous:           {anonymous:3} kB\n",
        "VmFlags: rd ex mr mw me\n",
    ]
    return list(program_pages(smaps, "/usr/bin/python3.11"))


@pytest.mark.parametrize(
    "path",
    [
        "/usr/lib/libm.so.6",
        "/opt/vigie/av.libs/libavcodec-5e6b81c2.so.62.28.102",
        "/opt/vigie/opencv_python_headless.libs/libcrypto-5409cd36.so.1.1.1k",
        "/opt/a place/cv2.abi3.so",
        "/usr/bin/python3.11",
    ],
)
@pytest.mark.parametrize("rights", ["r-xp", "r--p"])
def test_libraries_and_the_interpreter_go_back(path: str, rights: str) -> None:
    """Whatever a library's version ends in, and the interpreter's own program where it is not a library."""
    assert pages(f"7f0000001000-7f0000003000 {rights} 00001000 fe:01 42      {path}") == [(0x7F0000001000, 0x7F0000003000)]


@pytest.mark.parametrize(
    ("rights", "inode", "path"),
    [
        ("rw-p", 42, "/usr/lib/libm.so.6"),
        ("rw-s", 42, "/var/lib/vigie/catalog.sqlite3-shm"),
        ("r--p", 42, "/usr/lib/locale/C.utf8/LC_CTYPE"),
        ("r--s", 42, "/usr/lib/gconv/gconv-modules.cache"),
        ("r-xp", 42, "/usr/bin/python3.11-other"),
        ("r--p", 42, "/films/the.so.mp4"),
        ("r--p", 42, "/usr/lib/libm.so.6 (deleted)"),
        ("r-xp", 0, "[vdso]"),
        ("rw-p", 0, ""),
    ],
)
def test_what_may_have_changed_stays(rights: str, inode: int, path: str) -> None:
    """Data, other people's files, and what has no file."""
    assert pages(f"7f0000001000-7f0000003000 {rights} 00001000 fe:01 {inode}      {path}") == []


def test_a_library_with_pages_of_this_process_stays() -> None:
    """The relocated part of a library holds addresses that stand in no file."""
    assert pages("7f0000001000-7f0000003000 r--p 00001000 fe:01 42      /usr/lib/libm.so.6", anonymous=4) == []


REPAIRED = """
import ctypes, json, sys
from pathlib import Path

import cv2
import numpy as np

from hardware.footprint.program_pages import program_pages

pages = list(program_pages(Path("/proc/self/smaps").read_text().splitlines(True), "/none"))
writable = []
for line in Path("/proc/self/maps").read_text().splitlines():
    where, rights, offset, _, _, *path = line.split(maxsplit=5)
    start, end = (int(side, 16) for side in where.split("-"))
    if rights == "rw-p" and path and path[0].startswith("/"):
        writable += [(low, high, low - start + int(offset, 16), path[0]) for low, high in pages if start <= low and high <= end]
same = all(
    ctypes.string_at(low, high - low) == Path(path).read_bytes()[at : at + high - low] for low, high, at, path in writable
)
print(json.dumps({"bytes": sum(high - low for low, high, _, _ in writable), "same": same}))
"""


def test_symbols_in_a_writable_segment_are_what_the_file_holds() -> None:
    """The wheels of numpy and OpenCV keep theirs there: what is unmapped of it stands in the file, byte for byte."""
    told = json.loads(subprocess.run([sys.executable, "-c", REPAIRED], check=True, capture_output=True, text=True).stdout)
    assert told["bytes"] > 1 << 20
    assert told["same"]


@given(st.binary(max_size=80).map(lambda tail: b"\x7fELF\x02\x01" + tail) | st.binary(max_size=80))
def test_a_file_that_is_no_such_library_has_no_tables(content: bytes) -> None:
    """Short, of 32 bits, with a header of nonsense: nothing is unmapped on its word."""
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory) / "lib.so"
        library.write_bytes(content)
        assert symbol_tables(library) == ()
        assert symbol_tables(library.with_name("none.so")) == ()


@given(st.integers(0, 63), st.integers(0, 255))
def test_a_damaged_header_is_no_error(at: int, value: int) -> None:
    """Whatever one byte of a real library's header becomes."""
    real = next(Path(numpy.__file__).parents[1].glob("numpy.libs/*openblas*"))
    header = bytearray(real.read_bytes()[:64])
    header[at] = value
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory) / "lib.so"
        library.write_bytes(header)
        assert symbol_tables(library) == ()


HEAP_BYTES = 64 << 20
"""glibc maps each further heap at a multiple of this, the part in use before the part that may not be touched yet."""


def further_heaps(process: int) -> int:
    """How many heaps of glibc's a process has beside the one that all start with."""
    rows = [line.split() for line in Path(f"/proc/{process}/maps").read_text(encoding="ascii").splitlines()]
    spans = [([int(end, 16) for end in row[0].split("-")], row[1:]) for row in rows]
    return sum(
        begin % HEAP_BYTES == 0
        and used[0] == "rw-p"
        and len(used) == 4
        and unused[0] == "---p"
        and rest == [end, begin + HEAP_BYTES]
        for ((begin, end), used), (rest, unused) in itertools.pairwise(spans)
    )


def test_a_node_has_one_heap(tmp_path: Path) -> None:
    """Every thread of a node that records shares the heap it began with."""
    config = small_node(tmp_path)
    node = subprocess.Popen([sys.executable, "-m", "agent", "run", "--config", str(config)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: list((tmp_path / "state" / "recordings").rglob("*.mp4")), "it records", 60)
        assert further_heaps(node.pid) == 0
    finally:
        node.terminate()
        assert node.wait(60) == 0
