"""config.example.toml: what the package installs, and the only manual many technicians will ever read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agent.config.annotation import section_of
from agent.config.load import load
from agent.config.locate import KeyPath
from agent.config.model import CameraSettings, Config, NodeSettings

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
AT_REST = re.compile(r"^#(?=[\w\[])", re.MULTILINE)


def keys_of(table: dict[str, Any], path: KeyPath = ()) -> set[KeyPath]:
    """Every key of a parsed file, indices left out."""
    found: set[KeyPath] = set()
    for key, value in table.items():
        found.add((*path, key))
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, dict):
                found |= keys_of(row, (*path, key))
    return found


def fields_of(path: KeyPath = ()) -> set[KeyPath]:
    """Every key the model knows."""
    section = section_of(path)
    names = section.__struct_fields__ if section else ()
    return {p for name in names for p in ({(*path, name)} | fields_of((*path, name)))}


def test_it_loads_as_it_stands() -> None:
    """The package installs it: a fresh node must start, with no mask, and so with opaque pictures only."""
    config = load(EXAMPLE)
    assert not config.privacy.mask
    assert config.privacy.none_needed is None


def test_it_holds_every_key_of_the_model_and_no_other() -> None:
    """A key that is not explained does not exist for a technician; one that is not in the model is refused."""
    whole = tomllib.loads(AT_REST.sub("", EXAMPLE.read_text()))
    assert keys_of(whole) == fields_of()


def test_the_values_shown_are_the_defaults() -> None:
    """What is written out, save the four things to set and the bit rate, is what leaving it out would give."""
    shown = load(EXAMPLE)
    bare = Config(node=NodeSettings(id="pole-17"), camera=CameraSettings(driver="picamera2"))
    assert replace(shown, encoding=replace(shown.encoding, bitrate_kbps=None), mqtt=None) == bare
    assert shown.mqtt == type(shown.mqtt)(url=shown.mqtt.url) if shown.mqtt else False


@pytest.mark.parametrize("line", [m.start() for m in AT_REST.finditer(EXAMPLE.read_text())])
def test_every_key_at_rest_may_be_woken(line: int, tmp_path: Path) -> None:
    """Taking the # away, with its neighbours where they belong together, gives a file that loads."""
    text = EXAMPLE.read_text()
    first = text.rfind("\n\n", 0, line) if text[line + 1] != "[" else line
    last = text.find("\n\n", line)
    block = AT_REST.sub("", text[first:last])
    if "crf" in block:
        block = block.replace("bitrate_kbps = 3000", "")
    path = tmp_path / "config.toml"
    whole = text[:first] + block + text[last:]
    if "camera-password" in block:
        whole = whole.replace('driver = "picamera2"\n', 'driver = "rtsp"\n').replace('source = ""', 'source = "rtsp://camera/1"')
    if "camera-ca" in block:
        whole = whole.replace('driver = "picamera2"\n', 'driver = "rtsp"\n').replace('source = ""', 'source = "rtsps://camera/1"')
    path.write_text(whole)
    load(path)
