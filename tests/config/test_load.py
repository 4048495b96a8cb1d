"""Loading: what a good file gives, and how a bad one is refused."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.annotation import section_of
from agent.config.finding import RefusedConfiguration
from agent.config.load import load
from agent.config.locate import KeyPath

GOOD = '[node]\nid = "pole-17"\n[camera]\ndriver = "synthetic"\n'

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def keys(path: KeyPath = ()) -> Iterator[str]:
    """Every dotted key the model knows, tables included."""
    model = section_of(path)
    for name in model.__struct_fields__ if model else ():
        yield ".".join(str(step) for step in (*path, name))
        yield from keys((*path, name))


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


@pytest.mark.parametrize("name", ["hub", "hub-2", "police-1", "watch-1", "simulator", "home-assistant", "broker", "ca"])
def test_no_node_bears_the_name_of_somebody_at_the_centre(tmp_path: Path, name: str) -> None:
    """To the broker its id is who it is: such a node would command the others, or throw the hub off."""
    line, words = findings(tmp_path, GOOD.replace("pole-17", name))["node.id"]
    assert line == 2
    assert "to the broker" in words


@pytest.mark.parametrize("name", ["hubert", "policeman-3", "square-hub", "camera-1", "cafe"])
def test_names_that_only_begin_alike_are_a_nodes(tmp_path: Path, name: str) -> None:
    """A square may be called so."""
    assert load(written(tmp_path, GOOD.replace("pole-17", name))).node.id == name


@pytest.mark.parametrize("host", ["", "pole-17.example", "127.0.0.1:8080", "*"])
def test_the_local_page_listens_on_an_address(tmp_path: Path, host: str) -> None:
    """A name nobody could open the page by, and an empty one, which would mean every interface, are refused."""
    assert "no address to listen on" in findings(tmp_path, GOOD + f'[console]\nhost = "{host}"\n')["console.host"][1]
    for good in ("localhost", "::1", "10.0.0.7"):
        assert load(written(tmp_path, GOOD + f'[console]\nhost = "{good}"\n')).console.host == good


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
        "node.id": 2, "node.site": 3, "camera.driver": 5, "camera.fps": 6, "camera.width": 7, "privacy.mask[0].polygon[2]": 13,
        "privacy.mask[1].name": 15, "encoding.crf": 18, "recording.segment_seconds": 21, "recording.retention_days": 22,
        "mqtt.url": 24, "mqtt.cert_file": 25,
    }  # fmt: skip
    assert "did you mean 'site'" in found["node.site"][1]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[node]\nid = pole-17\n', 2, "quotation marks"),
        ('[node\nid = "a"\n', 1, "a bracket is missing"),
        ('[node]\nid = "a"\nid = "b"\n', 3, "twice"),
        ('[node]\nid = "a\n', 2, "does not end"),
        ('[privacy]\nmargin = 0,01\n', 2, "a point"),
        ('[camera]\nloop = True\n', 2, "small letters"),
        ('[node]\nid = “pole”\n', 2, "typographic"),
        ('[privacy.none_needed]\non = 2026-13-45\n', 2, "2026-13-45 is no date; write 2026-11-23"),
        ('[privacy.none_needed]\non = 2026-02-30  # winter\n', 2, "2026-02-30 is no date; write 2026-11-23"),
        ('[privacy.none_needed]\non = 23/11/2026\n', 2, "23/11/2026 is no date; write year-month-day"),
        ('[privacy.none_needed]\non = 2026-11-23 by = "A. M"\n', 2, "something behind"),
        ('[console]\nhost = 10.0.0.1\n', 2, "quotation marks"),
        (b'[node]\n# caf\xe9\nid = "a"\n', 2, "UTF-8"),
        ("a = " + "[" * 5000, 0, "nested"),
        ("a = " + "9" * 5000, 0, "digits"),
    ],
)  # fmt: skip
def test_broken_toml_is_placed(tmp_path: Path, text: str | bytes, line: int, words: str) -> None:
    """A slip in TOML itself is placed, and said in words of the trade, not of a parser."""
    assert any(found == line and words in said for found, said in findings(tmp_path, text).values())


def test_a_missing_file_a_directory_and_a_pipe_are_one_line_each(tmp_path: Path) -> None:
    """What is no file at all is refused at once, and never hangs."""
    import os

    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "none.toml", "no such file"), (tmp_path, "directory"), (tmp_path / "pipe", "regular")):
        with pytest.raises(RefusedConfiguration, match=words):
            load(path)


VALUES = ["0", "-1", "1e400", "nan", "99999999999999999999", "true", '""', '"x"', "'\\'", "[]", "[[]]", "[1]", "{}", "{a=1}"]
VALUES += [
    "2026-11-23",
    "2026-11-23T10:00:00Z",
    "[[0,0],[1,1],[1,0],[0,1]]",
    '"mqtt://a:b@c"',
    '"http://["',
    '"\\u0000"',
    '["mqtt://a", 3]',
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(keys())), st.sampled_from(VALUES)), min_size=1, max_size=6))
def test_any_value_in_any_key_is_either_right_or_refused_in_its_place(changes: list[tuple[str, str]]) -> None:
    """Whatever stands in the file: no traceback, and each finding points at a line of the file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        lines = [f"{key} = {value}" for key, value in dict(changes).items()]
        path.write_text("\n".join(lines))
        with pytest.raises(RefusedConfiguration) as refused:  # no drawn file has both a node and a camera
            load(path)
        for finding in refused.value.findings:
            assert finding.what
            assert finding.span is None or 1 <= finding.span.line <= len(lines)
            assert "msgspec" not in str(finding).lower()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8000), st.integers(0, 40), st.binary(max_size=12))
def test_a_mangled_example_never_gives_a_traceback(start: int, length: int, junk: bytes) -> None:
    """An editor's accident anywhere in the example: it loads or is refused, nothing else."""
    content = EXAMPLE.read_bytes()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        path.write_bytes(content[:start] + junk + content[start + length :])
        with suppress(RefusedConfiguration):
            load(path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("camera.rotation", "false", "none of the choices"),
        ("camera.rotation", "180.0", "none of the choices"),
        ("camera.loop", "1", "neither true nor false"),
        ("camera.fps", "true", "no number"),
        ("camera.fps", "nan", "no number"),
        ("camera.width", "1280.0", "no whole number; write 1280"),
        ("camera.height", "-1", "write at least 64"),
        ("camera.height", "65", "write an even number"),
        ("camera.seed", '"1"', "without quotation marks: 1"),
        ("node.id", '"pole-17\\n"', "cannot be a name"),
        ("node.site", "2026-11-23", "no text"),
        ("node.state_dir", "17", "no text"),
        ("privacy.none_needed.on", '"2026-11-23"', "no date"),
        ("privacy.none_needed.on", "2026-11-23T10:00:00", "no date"),
    ],
)
def test_nothing_is_taken_for_what_it_is_not(tmp_path: Path, key: str, value: str, words: str) -> None:
    """A number is no switch, a text no number, a time no day: what looks alike is refused with what would be right."""
    tables = {"node": {"id": '"pole-17"'}, "camera": {"driver": '"synthetic"'}}
    table, _, name = key.rpartition(".")
    tables.setdefault(table, {})[name] = value
    text = "".join(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in tables.items())
    assert words in findings(tmp_path, text)[key][1]


def test_no_password_reaches_the_log(tmp_path: Path) -> None:
    """A secret that stands in the file against the rules is not repeated in the refusal, which journald would keep."""
    with pytest.raises(RefusedConfiguration) as refused:
        load(written(tmp_path, GOOD + 'password = "hunter2"\n[mqtt]\nurl = "mqtt://me:hunter2@hub"\nmot_de_passe="hunter2"\n'))
    assert len(refused.value.findings) == 3
    assert "hunter2" not in str(refused.value)


def test_an_escape_sequence_in_the_file_does_not_reach_the_terminal(tmp_path: Path) -> None:
    """The snippet shows no control character, and the caret still stands under the value."""
    with pytest.raises(RefusedConfiguration) as refused:
        load(written(tmp_path, '[node]\n\tid\t=\t"a\\u001b[2Jb"\n\u200b\n'))
    assert all(c.isprintable() or c == "\n" for c in str(refused.value))


def test_every_slip_of_syntax_is_told_at_once(tmp_path: Path) -> None:
    """A line that is no TOML hides neither the next one nor what is wrong elsewhere, and brings no false alarm about its key."""
    with pytest.raises(RefusedConfiguration) as refused:
        load(written(tmp_path, '[node]\nid = pole-17\n[camera]\ndriver = "file"\nsource = "a\nfps = "25"\nloop = True\n'))
    assert [f.span and f.span.line for f in refused.value.findings] == [2, 5, 6, 7]


def test_a_section_given_twice_brings_no_false_alarm(tmp_path: Path) -> None:
    """Only the second header is told, not the keys below it, nor the ones the first lacks."""
    found = findings(tmp_path, '[node]\nid = "a"\n[camera]\nwidth = 5\n[camera]\ndriver = "file"\nsource = "x"\n')
    assert sorted(line for line, _ in found.values()) == [4, 5]


def test_a_check_of_two_keys_is_made_behind_a_slip_in_a_third(tmp_path: Path) -> None:
    """Lines that are no TOML take nothing from a judgement that does not rest on them."""
    found = findings(
        tmp_path,
        GOOD + "[[privacy.mask]]\nname = window\npolygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]\n"
        '[privacy.none_needed]\nby = "A. Martin"\non = 2026-13-45\nwhy = "the view shows a car park"\n'
        "[encoding]\nkeyframe_seconds = 8\ncaption = bottom\n[recording]\nsegment_seconds = 5\nretention_days = 14,5\n",
    )
    assert sorted(line for line, _ in found.values()) == [6, 8, 10, 14, 16, 17]
    assert "there are masks, and a statement" in found["privacy.none_needed"][1]
    assert "between keyframes" in found["recording.segment_seconds"][1]


def test_every_picture_a_keyframe_is_refused(tmp_path: Path) -> None:
    """A signature for each picture costs more than a node promises: the line, and the least that may be written."""
    found = findings(tmp_path, GOOD + "[encoding]\nkeyframe_seconds = 0.04\n")
    assert "every picture a keyframe" in found["encoding.keyframe_seconds"][1]
    assert "write at least 0.0" in found["encoding.keyframe_seconds"][1]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('[camera]\ndriver = "rtsp"\npassword_file = "x"\n', ["camera.driver"]),
        ('[camera]\ndriver = "rtps"\npassword_file = "x"\n', ["camera.driver"]),
        ('[camera]\ndriver = "file"\nsource = film\n', ["camera.source"]),
        ('[camera]\ndriver = "synthetic"\nfps = "9"\nexposure_max_us = 100000\n', ["camera.fps"]),
        ('[camera]\ndriver = "synthetic"\nwidth = 7680\nheight = 4320\nfps = 100\n', ["camera.width"]),
        ('[camera]\ndriver = "synthetic"\n[mqtt]\nurl = "mqtts://a"\nusername = 1\npassword_file = "x"\n', ["mqtt.username"]),
        ('[camera]\ndriver = "synthetic"\n[node]\nlatitude = "48"\nlongitude = 2.0\n', ["node.latitude"]),
        (
            '[camera]\ndriver = "synthetic"\nwidth = 7680\nheight = 4320\n'
            "[board]\ntemperature_critical_c = 60\ntemperature_clear_c = 5\n",
            ["camera.width", "board.temperature_clear_c"],
        ),
    ],
)
def test_a_value_that_the_check_put_in_itself_is_held_against_nobody(tmp_path: Path, text: str, keys: list[str]) -> None:
    """What stands in for a wrong value may not fit the others: that is no error of this file, and hides none."""
    node = '[node]\nid = "pole-17"\n'
    text = text.replace("[node]\n", node) if "[node]" in text else node + text
    assert list(findings(tmp_path, text)) == keys


def test_a_good_file_loads_nothing_that_only_a_bad_one_needs() -> None:
    """The second reading, and the words for faults, stay out of a daemon's memory."""
    script = "import sys; from pathlib import Path; from agent.config.load import load; load(Path(sys.argv[1]));"
    script += "print([m for m in sys.modules if m.startswith(('agent.config.mending', 'agent.config.faults', 'difflib'))])"
    root = EXAMPLE.parent
    done = subprocess.run([sys.executable, "-c", script, str(EXAMPLE)], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
