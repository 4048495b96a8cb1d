"""`vigie check`: what it says of good and bad files, to people and to machines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from agent.cli import vigie
from agent.config.digest import config_digest
from agent.config.load import load

GOOD = """\
[node]
id = "pole-17"
[camera]
driver = "synthetic"
[[privacy.mask]]
name = "flat above the bakery"
polygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]
[mqtt]
url = "mqtts://hub.example"
"""


def check(tmp_path: Path, text: str, *more: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the real command."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "agent", "check", "--config", str(path), *more], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_good_file_is_ok_with_its_summary(tmp_path: Path) -> None:
    """Masks, retention and broker, as a technician should recognise them; nothing on stderr, no escape sequences."""
    code, out, err = check(tmp_path, GOOD)
    assert (code, err) == (0, "")
    for words in ("config.toml: ok", "flat above the bakery", "14 days", "mqtts://hub.example", "vigie/pole-17/"):
        assert words in out
    assert "\x1b" not in out


def test_a_bad_file_leaves_with_78_and_compiler_lines(tmp_path: Path) -> None:
    """`FILE:LINE: key: what`, the line and a caret under the value; all on stderr, no traceback."""
    code, out, err = check(tmp_path, GOOD.replace('"synthetic"', '"synthetik"').replace("url =", "utl ="))
    assert (code, out) == (78, "")
    lines = err.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f"{tmp_path / 'config.toml'}:4: camera.driver: "))
    assert "did you mean 'synthetic'" in lines[at]
    assert lines[at + 1].endswith('driver = "synthetik"')
    assert lines[at + 2].index("^") == lines[at + 1].index('"synthetik"')
    assert lines[at + 2].count("^") == len('"synthetik"')
    assert any(f"{tmp_path / 'config.toml'}:9: mqtt.url: there is no key 'utl'" in line for line in lines)
    assert "Traceback" not in err
    assert lines[-1].startswith("2 errors")


def test_the_json_document_alone_stands_on_stdout(tmp_path: Path) -> None:
    """One document, whatever the file is like."""
    code, out, _ = check(tmp_path, GOOD, "--json")
    good = json.loads(out)
    assert (code, good["ok"], good["findings"]) == (0, True, [])
    assert good["config_digest"] == config_digest(load(tmp_path / "config.toml"))
    code, out, err = check(tmp_path, GOOD.replace('id = "pole-17"', "id = 17"), "--json")
    bad = json.loads(out)
    assert (code, err, bad["ok"]) == (78, "", False)
    assert bad["findings"][0] | {"file": "", "remedy": ""} == {
        "file": "", "line": 2, "column": 6, "length": 2, "key": "node.id", "what": "17 is no text", "remedy": "",
        "edits": [{"after_line": 1, "replace_lines": 1, "with": ['id = "17"']}],
    }  # fmt: skip


def test_what_deserves_a_second_look_is_noted_and_refuses_nothing(tmp_path: Path) -> None:
    """No masks, a local page that others reach, no TLS, few bits, a file that is not there."""
    text = GOOD.replace("[[privacy.mask]]", "[[motion.ignore]]").replace('name = "flat above the bakery"\n', "")
    text = text.replace("mqtts://", "mqtt://") + 'username = "a"\npassword_file = "none"\n[encoding]\nbitrate_kbps = 100\n'
    text += '[console]\nhost = "0.0.0.0"\n'
    code, out, _ = check(tmp_path, text)
    assert code == 0
    for words in ("opaque", "without a password", "not encrypted", "bitrate_kbps 100 is little", "there is no file"):
        assert words in out


def test_a_digest_names_a_meaning_and_no_secret(tmp_path: Path) -> None:
    """Order, comments and spelt-out defaults change nothing; a value does; a password file's content does not."""
    path = tmp_path / "config.toml"
    path.write_text(GOOD + 'username = "a"\npassword_file = "pw"\n')
    (tmp_path / "pw").write_text("one")
    first = config_digest(load(path))
    path.write_text(
        '# x\n[mqtt]\npassword_file = "pw"\nusername = "a"\n'
        + GOOD.split("[mqtt]\n")[1]
        + GOOD.split("[mqtt]\n", maxsplit=1)[0]
        + "[recording]\nretention_days = 14\n"
    )
    (tmp_path / "pw").write_text("two")
    assert config_digest(load(path)) == first
    path.write_text(path.read_text().replace("= 14", "= 13"))
    assert config_digest(load(path)) != first


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    """The default is /etc/vigie/config.toml; any other may be named."""
    result = CliRunner().invoke(vigie, ["check", "--config", str(tmp_path / "none.toml")])
    assert result.output.startswith(f"{tmp_path / 'none.toml'}: there is no such file")


def test_masks_that_a_drop_in_replaces_are_noted(tmp_path: Path) -> None:
    """Masks of two files do not add up: the one whose masks are out of force is named, to people and to machines."""
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d" / "10-fleet.toml").write_text(
        '[[privacy.mask]]\nname = "school"\npolygon = [[0.4, 0.1], [0.5, 0.1], [0.5, 0.2]]\n'
    )
    code, out, _ = check(tmp_path, GOOD)
    assert code == 0
    assert f"note: privacy.mask of {tmp_path / 'config.toml'} is replaced by that of" in out
    noted = json.loads(check(tmp_path, GOOD, "--json")[1])["notes"]
    assert any("10-fleet.toml" in note for note in noted)


def test_the_line_as_it_should_read_is_shown_to_be_copied(tmp_path: Path) -> None:
    """Below the caret, in the same gutter, all that is wrong with the line mended; once, also for two faults of one line."""
    _, _, err = check(
        tmp_path, GOOD.replace('id = "pole-17"', "id: Pole 17").replace('driver = "synthetic"', "driver: synthetik")
    )
    assert [line for line in err.splitlines() if line.startswith("write | ")] == [
        'write | id = "pole-17"',
        'write | driver = "synthetic"',
    ]


def test_a_file_may_be_named_as_any_compiler_takes_it(tmp_path: Path) -> None:
    """`vigie check FILE` beside `--config FILE`; two different files in one call are wrong usage."""
    path = tmp_path / "other.toml"
    path.write_text(GOOD)
    assert CliRunner().invoke(vigie, ["check", str(path)]).output.startswith(f"{path}: ok")
    both = CliRunner().invoke(vigie, ["check", str(path), "--config", str(path)])
    assert both.exit_code == 2
    assert "give one" in both.output


def test_masks_are_called_by_their_names_and_corners_are_counted_from_one(tmp_path: Path) -> None:
    """To people; a machine gets the key as it would be in any TOML reader."""
    bad = GOOD.replace("[0.2, 0.2]]", "[0.2, 1.2]]")
    assert 'privacy.mask "flat above the bakery".polygon, corner 3: ' in check(tmp_path, bad)[2]
    assert json.loads(check(tmp_path, bad, "--json")[1])["findings"][0]["key"] == "privacy.mask[0].polygon[2]"


def test_who_may_not_read_the_file_is_told_to_use_sudo(tmp_path: Path) -> None:
    """One finding, for the file and what lies beside it, with the command that works."""
    import os

    directory = tmp_path / "vigie"
    directory.mkdir()
    (directory / "config.toml").write_text(GOOD)
    directory.chmod(0o700)
    tmp_path.chmod(0o755)
    script = (
        "import os, sys\n"
        "from agent.config.sources import Sources\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "else: os.chmod(sys.argv[2], 0)\n"
        "from pathlib import Path\n"
        "print(*(fault.headline for fault in Sources.read(Path(sys.argv[1])).faults), sep='\\n')\n"
    )
    arguments = [sys.executable, "-c", script, str(directory / "config.toml"), str(directory)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    directory.chmod(0o700)
    assert done.stdout.splitlines() == [
        f"{directory / 'config.toml'}: may not be read by this user; use sudo: `sudo vigie check`"
    ], done.stderr
    assert os.access(directory, os.X_OK)


EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def test_every_value_still_as_shipped_is_named(tmp_path: Path) -> None:
    """The template with its sample mask awake: id, site, mask and broker, each by its key; nothing is refused for it."""
    text = re.sub(r"^#(?=\[\[privacy.mask\]\]|name = \"flat|polygon = \[\[0.12)", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    code, out, _ = check(tmp_path, text)
    assert code == 0
    for words in (
        'node.id is still "pole-17"',
        "node.site is empty",
        'mask "flat above the bakery" still',
        "still that of hub.example",
    ):
        assert words in out
    filled = text.replace('"pole-17"', '"pole-42"').replace('site = ""', 'site = "quai"').replace("hub.example", "hub.town.fr")
    filled = filled.replace("[0.12, 0.08], [0.31", "[0.13, 0.08], [0.31")
    assert "shipped" not in check(tmp_path, filled)[1]
