"""The units follow the configuration."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.sources import Sources


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


@pytest.mark.parametrize("start", ["\ufeff", "\ufeff# with a mark\r\n", "\r\n"])
def test_what_an_editor_leaves_is_read_as_check_reads_it(generator: ModuleType, tmp_path: Path, start: str) -> None:
    """A byte order mark, Windows' line ends: `vigie check` takes them, so the units are fitted to them as well."""
    text = start + '[node]\r\nrole = "nomadic"\r\n[recording]\r\ndirectory = "/media/ssd"\r\n'
    written = drop_ins(generator, tmp_path, text, zone='\ufeff[evidence]\nidentity_dir = "/media/key"\n')
    assert "vigie.service.d/60-reboot-when-stuck.conf" in written
    assert written["vigie.service.d/50-node.conf"].count("ReadWritePaths=") == 2


def test_generator_and_check_read_the_same_files(generator: ModuleType, tmp_path: Path) -> None:
    """A hidden fragment, a backup, a pipe, a film, a directory: both leave out the same, and wait for none."""
    config = tmp_path / "config.toml"
    config.write_text('[node]\nid = "a"\n')
    fragments = tmp_path / "config.d"
    fragments.mkdir()
    for name in (".hidden.toml", "kept.toml~", "50-last.toml", "40-first.toml"):
        (fragments / name).write_text(f'[node]\nid = "{name}"\n')
    os.mkfifo(fragments / "60-pipe.toml")
    (fragments / "70-film.toml").write_bytes(b"#" * 1_000_001)
    (fragments / "80-directory.toml").mkdir()
    read = [table["node"]["id"] for table in generator.tables(config)]
    assert read == [each.content["node"]["id"] for each in Sources.read(config).documents if each.content]
    assert read == ["a", "40-first.toml", "50-last.toml"]


def test_generator_runs_from_the_files_that_the_package_installs(tmp_path: Path, units: Path) -> None:
    """On a bare interpreter, with nothing but its reader beside it."""
    build = (units / "debian/build.sh").read_text()
    lines = [line for line in build.splitlines() if "vigie/reader" in line]
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=units.parent, env={"root": str(tmp_path), "PATH": os.environ["PATH"]})
    script = (units / "generator.py").read_text().replace("/usr/lib/vigie/reader", str(tmp_path / "usr/lib/vigie/reader"))
    config = tmp_path / "config.toml"
    config.write_text('\ufeff[node]\nrole = "nomadic"\n')
    (tmp_path / "generator").write_text(script.replace("/etc/vigie/config.toml", str(config)))
    (tmp_path / "out").mkdir()
    subprocess.run([sys.executable, "-ISB", tmp_path / "generator", tmp_path / "out"], check=True)
    assert (tmp_path / "out/vigie.service.d/60-reboot-when-stuck.conf").is_symlink()
