"""The units follow the configuration."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st


def drop_ins(generator: ModuleType, directory: Path, text: str, **fragments: str) -> dict[str, str]:
    """What the generator writes for one configuration: drop-in by its place; a link by its target."""
    config, target = directory / "vigie" / "config.toml", directory / "out"
    (config.parent / "config.d").mkdir(parents=True, exist_ok=True)
    target.mkdir(exist_ok=True)
    config.write_bytes(text.encode("utf-8", "surrogatepass"))
    for name, fragment in fragments.items():
        (config.parent / "config.d" / f"{name}.toml").write_text(fragment)
    generator.generate(config, target, directory / "credstore.encrypted")
    written = [path for path in sorted(target.rglob("*")) if not path.is_dir()]
    return {str(p.relative_to(target)): str(p.readlink()) if p.is_symlink() else p.read_text() for p in written}


def test_ordinary_node_needs_nothing(generator: ModuleType, tmp_path: Path) -> None:
    """A fixed node that keeps its recordings where the package puts them runs the units as they are."""
    example = (Path(__file__).parents[2] / "config.example.toml").read_text()
    assert drop_ins(generator, tmp_path, example) == {}


def test_directories_elsewhere_become_writable(generator: ModuleType, tmp_path: Path) -> None:
    """Recordings on an SSD: one line in the configuration is enough, for the daemon and for destruction."""
    written = drop_ins(generator, tmp_path, '[recording]\ndirectory = "/media/ssd/recordings"\n')
    assert written == {
        f"{service}.d/50-node.conf": '[Service]\nReadWritePaths="-/media/ssd/recordings"\n'
        for service in ("vigie.service", "vigie-retention.service")
    }


def test_encrypted_credential_takes_the_plain_ones_place(generator: ModuleType, tmp_path: Path) -> None:
    """A secret encrypted to this board needs no further line anywhere; a service gets those it uses."""
    (tmp_path / "credstore.encrypted").mkdir()
    for name in ("vigie.identity-key", "vigie.mqtt-password", "another.secret"):
        (tmp_path / "credstore.encrypted" / name).touch()
    key = "LoadCredentialEncrypted=identity-key:vigie.identity-key\n"
    assert drop_ins(generator, tmp_path, "") == {
        "vigie.service.d/50-node.conf": f"[Service]\n{key}LoadCredentialEncrypted=mqtt-password:vigie.mqtt-password\n",
        "vigie-retention.service.d/50-node.conf": f"[Service]\n{key}",
    }


def test_nomadic_node_reboots_when_stuck(generator: ModuleType, tmp_path: Path) -> None:
    """Only role = "nomadic" links the drop-in; the last fragment decides."""
    fixed, nomadic = '[node]\nrole = "fixed"\n', '[node]\nrole = "nomadic"\n'
    assert drop_ins(generator, tmp_path / "a", fixed) == {}
    assert drop_ins(generator, tmp_path / "b", fixed, zone=nomadic) == {
        "vigie.service.d/60-reboot-when-stuck.conf": "/usr/share/vigie/reboot-when-stuck.conf"
    }


@pytest.mark.parametrize("text", ["", "[node", "node = 3", '[node]\nrole = ["nomadic"]', "\ud800"])
def test_unusable_configuration_changes_nothing(generator: ModuleType, tmp_path: Path, text: str) -> None:
    """The units still run; it is `vigie run` that says what is wrong."""
    assert drop_ins(generator, tmp_path, text) == {}


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_path_can_write_another_line(generator: ModuleType, name: str) -> None:
    """Whatever stands in the configuration, a drop-in holds one ReadWritePaths line, and it reads back as one path."""
    directory = generator.os.path.normpath(f"/media/{name}")
    found = generator.elsewhere(Path("/etc/vigie/config.toml"), [{"recording": {"directory": f"/media/{name}"}}])
    for path in found:
        line = generator.quoted(path)
        assert "\n" not in line
        assert "\r" not in line
        assert shlex.split(line.replace("%%", "%")) == ["-" + directory]
