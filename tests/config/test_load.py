"""Loading: what a good file gives, and how a bad one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.finding import RefusedConfiguration
from agent.config.load import load

GOOD = '[node]\nid = "pole-17"\n[camera]\ndriver = "synthetic"\n'


def written(tmp_path: Path, text: str | bytes) -> Path:
    """A file of this content."""
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def findings(tmp_path: Path, text: str | bytes) -> dict[str, tuple[int, str]]:
    """Key -> (line, words), of a file that is refused."""
    with pytest.raises(RefusedConfiguration) as refused:
        load(written(tmp_path, text))
    assert refused.value.exit_code == 78
    return {f.key: (f.span.line if f.span else 0, f.headline) for f in refused.value.findings}


def test_a_small_file_loads_with_every_default(tmp_path: Path) -> None:
    """Four lines are a configuration; the rest has defaults, and relative paths are relative to the file."""
    path = written(tmp_path, GOOD + '[recording]\ndirectory = "films"\n[mqtt]\nurl = "mqtts://hub"\nca_file = "ca.pem"\n')
    config = load(path)
    assert config.recording.retention_days == 14
    assert config.recordings_dir == tmp_path / "films"
    assert config.mqtt is not None
    assert config.mqtt.ca_file == tmp_path / "ca.pem"


def test_every_error_is_told_at_once_and_on_its_line(tmp_path: Path) -> None:
    """Errors of one section never hide those of another, nor a cross check behind a wrong value."""
    found = findings(
        tmp_path,
        '[node]\nid = "Pole 17"\nsit = "x"\n[camera]\ndriver = "rtsp"\nfps = "25"\nwidth = 99999\n'
        "[privacy]\nmargin = 0.01\n"
        '[[privacy.mask]]\nname = "a"\npolygon = [[0, 0], [1, 1],\n [1, 0], [0, 1]]\n'
        '[[privacy.mask]]\nname = "a"\npolygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]\n'
        "[encoding]\ncrf = 23\nbitrate_kbps = 100\n[recording]\nsegment_seconds = 1\nretention_days = 31\n"
        '[mqtt]\nurl = "mqtt://me:secret@hub"\ncert_file = "x.pem"\n',
    )
    assert {key: line for key, (line, _) in found.items()} == {
        "node.id": 2, "node.sit": 3, "camera.driver": 5, "camera.fps": 6, "camera.width": 7, "privacy.mask[0].polygon[2]": 13,
        "privacy.mask[1].name": 15, "encoding.crf": 18, "recording.segment_seconds": 21, "recording.retention_days": 22,
        "mqtt.url": 24, "mqtt.cert_file": 25,
    }  # fmt: skip
    assert "did you mean 'site'" in found["node.sit"][1]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[node]\nid = pole-17\n', 2, "quotation marks"),
        ('[node\nid = "a"\n', 1, "no TOML"),
        ('[node]\nid = "a"\nid = "b"\n', 3, "twice"),
        ('[node]\nid = "a\n', 2, "does not end"),
        ('[privacy]\nmargin = 0,01\n', 2, "decimal point"),
        ('[camera]\nloop = True\n', 2, "small letters"),
        ('[node]\nid = “pole”\n', 2, "typographic"),
        (b'[node]\n# caf\xe9\nid = "a"\n', 2, "UTF-8"),
        ("a = " + "[" * 5000, 0, "nested"),
        ("a = " + "9" * 5000, 0, "digits"),
    ],
)  # fmt: skip
def test_broken_toml_is_one_clear_line(tmp_path: Path, text: str | bytes, line: int, words: str) -> None:
    """A slip in TOML itself is placed, and said in words of the trade, not of a parser."""
    ((found, said),) = findings(tmp_path, text).values()
    assert (found, words in said) == (line, True), said


def test_a_missing_file_a_directory_and_a_pipe_are_one_line_each(tmp_path: Path) -> None:
    """What is no file at all is refused at once, and never hangs."""
    import os

    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "none.toml", "no such file"), (tmp_path, "directory"), (tmp_path / "pipe", "regular")):
        with pytest.raises(RefusedConfiguration, match=words):
            load(path)
