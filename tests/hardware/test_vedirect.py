"""A Victron gauge on a real pseudo-terminal: whole blocks count, garbled ones never do, whatever else comes on the line."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.errors import DeviceError
from agent.ports.battery import PowerMetrics
from hardware.battery_vedirect import VeDirectBattery, metrics_of
from hardware.vedirect_block import VeDirectBlocks
from tests.support.manual_clock import ManualClock

LABEL = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1, max_size=8).filter(
    lambda label: label != "Checksum"
)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=32)
FIELDS = st.dictionaries(LABEL, VALUE, min_size=1, max_size=20)
GAUGE = {"PID": "0xA389", "V": "12800", "I": "-1500", "P": "-19", "SOC": "870", "TTG": "600", "Alarm": "OFF"}


def block(fields: dict[str, str]) -> bytes:
    """As a gauge sends it."""
    text = "".join(f"\r\n{label}\t{value}" for label, value in fields.items()) + "\r\nChecksum\t"
    return text.encode("ascii") + bytes([-sum(text.encode("ascii")) % 256])


@given(blocks=st.lists(FIELDS, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_whole_blocks_come_through_however_they_are_cut(blocks: list[dict[str, str]], cuts: list[int]) -> None:
    """Every field of every block, in order, none broken."""
    line, taken = b"".join(map(block, blocks)), VeDirectBlocks()
    edges = sorted({0, len(line), *(cut for cut in cuts if cut < len(line))})
    found = [dict(each) for a, b in pairwise(edges) for each in taken.feed(line[a:b])]
    assert (found, taken.broken) == (blocks, 0)


@given(fields=FIELDS, at=st.integers(0, 10_000), by=st.integers(1, 255))
def test_a_block_with_one_wrong_byte_never_counts(fields: dict[str, str], at: int, by: int) -> None:
    """The sum tells, and the next whole block is taken again."""
    wrong = bytearray(block(fields))
    wrong[at % len(wrong)] = (wrong[at % len(wrong)] + by) % 256
    taken = VeDirectBlocks()
    list(taken.feed(block(GAUGE)))
    found = [dict(each) for each in taken.feed(bytes(wrong) + block(GAUGE) * 2)]
    assert all(each == GAUGE for each in found)
    assert found


@given(noise=st.binary(max_size=3000))
def test_noise_raises_nothing_and_is_bounded(noise: bytes) -> None:
    """Another baud rate, another protocol: what comes of it is small, and a gauge is heard afterwards."""
    taken = VeDirectBlocks()
    for each in taken.feed(noise):
        assert sum(len(label) + len(value) for label, value in each.items()) <= 64 * 64
    assert GAUGE in [dict(each) for each in taken.feed(b"\n" + block(GAUGE) * 3)]


def test_a_message_of_the_other_protocol_in_between_is_no_part_of_the_block() -> None:
    """Victron's own application asks in hexadecimal while the text goes on."""
    lines = block(GAUGE).split(b"\r\n")
    mixed = b"\r\n".join([*lines[:3], lines[3] + b"\n"[:0], *lines[4:]])
    at = mixed.index(b"SOC")
    mixed = mixed[:at] + b":A4F1000DE\n" + mixed[at:]
    assert [dict(each) for each in VeDirectBlocks().feed(mixed)] == [GAUGE]


@given(st.dictionaries(st.sampled_from(["V", "I", "P", "SOC", "TTG", "PPV"]), VALUE | st.integers().map(str)))
def test_whatever_a_block_says_the_figures_are_possible(fields: dict[str, str]) -> None:
    """A gauge that lies about its charge says nothing."""
    found = metrics_of(fields)
    assert found.percent is None or 0 <= found.percent <= 100
    assert found.hours_left is None or found.hours_left >= 0


def test_a_gauge_and_a_charger_say_what_they_know() -> None:
    """Neither is asked for what it does not measure."""
    assert metrics_of(GAUGE) == PowerMetrics(None, 87.0, 10.0, "discharging", 12.8, 19.0)
    assert metrics_of({"V": "13100", "I": "2000", "PPV": "27"}) == PowerMetrics(True, None, None, "charging", 13.1, -26.2)
    assert metrics_of({"V": "12800", "I": "-900", "SOC": "---", "TTG": "-1"}).percent is None
    assert metrics_of({"TTG": "-1"}).hours_left is None


class Gauge:
    """The far end of the line."""

    def __init__(self, link: Path) -> None:
        self.end, self._near = pty.openpty()
        link.symlink_to(os.ttyname(self._near))
        self.link = link

    def say(self, data: bytes) -> None:
        os.write(self.end, data)

    def unplug(self) -> None:
        os.close(self._near)
        os.close(self.end)
        self.link.unlink()


@pytest.fixture
def gauge(tmp_path: Path) -> Iterator[Gauge]:
    """On a pseudo-terminal."""
    made = Gauge(tmp_path / "ttyVE")
    yield made
    if made.link.is_symlink():
        made.unplug()


def test_the_last_block_on_the_line_counts(gauge: Gauge) -> None:
    """What came between two looks is read in one; a garbled block in between costs nothing."""
    battery = VeDirectBattery(str(gauge.link), ManualClock())
    assert battery.read() == PowerMetrics()
    wrong = block({**GAUGE, "SOC": "10"}).replace(b"SOC\t10", b"SOC\t11")
    gauge.say(block(GAUGE) + wrong + block({**GAUGE, "SOC": "860"}) + wrong)
    assert battery.read().percent == 86.0
    battery.close()
    battery.close()


def test_a_line_that_is_garbled_and_one_that_is_mute_are_told_apart(gauge: Gauge) -> None:
    """After half a minute; a single block mends either."""
    clock = ManualClock()
    battery = VeDirectBattery(str(gauge.link), clock)
    battery.read()
    clock.advance(31)
    with pytest.raises(DeviceError, match="says nothing"):
        battery.read()
    gauge.say(block(GAUGE).replace(b"870", b"871") * 3)
    with pytest.raises(DeviceError, match="garbled"):
        battery.read()
    gauge.say(block(GAUGE))
    assert battery.read().percent == 87.0


def test_a_line_that_is_unplugged_is_told_and_taken_again(gauge: Gauge, tmp_path: Path) -> None:
    """By its name: the adapter comes back as another device."""
    battery = VeDirectBattery(str(gauge.link), ManualClock())
    assert battery.read() == PowerMetrics()
    gauge.say(block(GAUGE))
    assert battery.read().percent == 87.0
    gauge.unplug()
    with pytest.raises(DeviceError, match=r"broke|cannot be opened"):
        battery.read()
    with pytest.raises(DeviceError, match="cannot be opened"):
        battery.read()
    again = Gauge(tmp_path / "ttyVE")
    assert battery.read() == PowerMetrics()
    again.say(block(GAUGE))
    assert battery.read().percent == 87.0
    again.unplug()


def test_what_is_no_serial_line_is_told(tmp_path: Path) -> None:
    """A file of that name."""
    (tmp_path / "file").write_bytes(block(GAUGE))
    with pytest.raises(DeviceError, match="no serial line"):
        VeDirectBattery(str(tmp_path / "file"), ManualClock()).read()
