"""Drop-ins: config.d/*.toml over config.toml."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config.finding import RefusedConfiguration
from agent.config.load import load
from agent.config.sources import Sources

BASE = """\
[node]
id = "pole-17"
[camera]
driver = "synthetic"
width = 1280
height = 720
[mqtt]
url = "mqtt://hub"
prefix = "old"
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """config.toml with an empty config.d beside it."""
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.toml").write_text(BASE)
    return tmp_path / "config.toml"


def drop_in(base: Path, name: str, text: str) -> Path:
    """A file in config.d."""
    path = base.parent / "config.d" / name
    path.write_text(text)
    return path


def test_the_later_file_wins_key_by_key(base: Path) -> None:
    """Tables merge, arrays are replaced, names give the order, and what is no .toml file or hidden is not read."""
    mask = '[[privacy.mask]]\nname = "{0}"\npolygon = [[0,0],[1,0],[1,1]]\n'
    drop_in(base, "20-b.toml", '[mqtt]\nprefix = "b"\n' + mask.format("b"))
    drop_in(base, "10-a.toml", '[mqtt]\nprefix = "a"\nhealth_seconds = 30\n' + mask.format("a1") + mask.format("a2"))
    drop_in(base, "30-c.toml.dpkg-old", "broken")
    drop_in(base, ".40-d.toml", "broken")
    config = load(base)
    assert config.mqtt is not None
    assert (config.mqtt.prefix, config.mqtt.health_seconds, config.mqtt.url) == ("b", 30, "mqtt://hub")
    assert [m.name for m in config.privacy.mask] == ["b"]
    assert config.camera.width == 1280


def test_an_error_is_placed_in_the_file_that_holds_the_key(base: Path) -> None:
    """Wrong keys, clashes between files and slips of syntax each name their own file and line; one run tells them all."""
    first = drop_in(base, "10-a.toml", "# x\n[camera]\nwidth = 12345\n")
    second = drop_in(base, "20-b.toml", "[encoding]\ncrf = 23\nbitrate_kbps = 1000\n[mqtt]\nprefix = True\n")
    with pytest.raises(RefusedConfiguration) as refused:
        load(base)
    where = [(f.file, f.span and f.span.line, f.key) for f in refused.value.findings]
    assert where == [(first, 3, "camera.width"), (second, 2, "encoding.crf"), (second, 5, "mqtt.prefix")]


def test_a_relative_path_is_relative_to_the_file_that_names_it(base: Path) -> None:
    """Also in a drop-in; and a credential is where systemd puts it."""
    drop_in(
        base, "10-a.toml", '[mqtt]\nurl = "mqtts://hub"\nca_file = "ca.pem"\nusername = "n"\npassword_file = "credential:mqtt"\n'
    )
    config = load(base)
    assert config.mqtt is not None
    assert config.mqtt.ca_file == base.parent / "config.d" / "ca.pem"
    assert config.mqtt.password_file == Path("/run/credentials/vigie.service/mqtt")


def test_a_drop_in_that_cannot_be_read_refuses_the_whole(base: Path) -> None:
    """Half a configuration is none: masks might stand in the file that is lost."""
    (base.parent / "config.d" / "10-a.toml").mkdir()
    with pytest.raises(RefusedConfiguration, match="directory"):
        load(base)


@pytest.mark.parametrize(("target", "told"), [("gone", "link to nowhere"), ("config.d", "symbolic links")])
def test_drop_ins_that_cannot_be_listed_refuse_the_whole(base: Path, target: str, told: str) -> None:
    """A disk that is not mounted, a link that went wrong: nobody knows which masks stand there. A reload goes on as before."""
    (base.parent / "config.d").rmdir()
    (base.parent / "config.d").symlink_to(base.parent / target)
    with pytest.raises(RefusedConfiguration, match=told):
        load(base)


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE, errno.ENOENT])
def test_a_disk_that_fails_refuses_in_words(base: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Listing the drop-ins fails: a finding, never an error that ends a node at its reload. One just removed is none."""

    def fails(directory: Path) -> Iterator[Path]:
        raise OSError(error, os.strerror(error), str(directory))

    monkeypatch.setattr(Path, "iterdir", fails)
    if error == errno.ENOENT:
        assert load(base).node.id == "pole-17"
        return
    with pytest.raises(RefusedConfiguration, match="cannot be listed"):
        load(base)


def test_a_name_with_no_room_for_drop_ins_has_none(base: Path) -> None:
    """255 letters are a file's name, and `.d` behind them is no directory's."""
    assert load(base.rename(base.with_name("n" * 255))).node.id == "pole-17"


def test_who_overrode_whom_is_kept(base: Path) -> None:
    """Of each key, every file that holds it, in order."""
    over = drop_in(base, "10-a.toml", '[mqtt]\nprefix = "new"\n')
    sources = Sources.read(base)
    assert [d.path for d in sources.holders["mqtt", "prefix"]] == [base, over]
    found = sources.place(("mqtt", "prefix"))
    assert found is not None
    assert (found[0].path, found[1].key.line) == (over, 2)
