"""A remedy's command works as it is typed, for this user and this configuration."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from agent.cli import vigie
from agent.commissioning.commands_here import CommandsHere

VALIDATE = "take it with `sudo vigie masks validate --by NAME`"
DEMO = Path("/home/a b/demo/config.toml")


@pytest.mark.parametrize(
    ("here", "remedy", "typed"),
    [
        (CommandsHere(), VALIDATE, VALIDATE),
        (CommandsHere(), "`vigie status -v`", "`sudo vigie status -v`"),
        (CommandsHere(is_root=True), VALIDATE, "take it with `vigie masks validate --by NAME`"),
        (CommandsHere(is_root=True), "`sudo systemctl start x`, then `y`", "`systemctl start x`, then `y`"),
        (CommandsHere(owns_state=True), VALIDATE, "take it with `vigie masks validate --by NAME`"),
        (CommandsHere(owns_state=True), "`sudo systemctl stop vigie`", "`sudo systemctl stop vigie`"),
        (
            CommandsHere(DEMO, owns_state=True),
            "`sudo systemctl stop vigie && sudo vigie doctor` tries each",
            "`sudo systemctl stop vigie && vigie doctor --config '/home/a b/demo/config.toml'` tries each",
        ),
        (CommandsHere(DEMO), "set [mqtt] url, or restart vigie", "set [mqtt] url, or restart vigie"),
        (
            CommandsHere(DEMO),
            "`sudo vigie identity rename && sudo systemctl restart vigie`",
            "`sudo vigie identity rename --config '/home/a b/demo/config.toml' && sudo systemctl restart vigie`",
        ),
    ],
)
def test_commands_are_written_for_who_reads_them(here: CommandsHere, remedy: str, typed: str) -> None:
    """Sudo where it is needed and nowhere else, and the configuration wherever it is not the installed one."""
    assert here(remedy) == typed


@pytest.mark.parametrize("command", ["doctor --focus", "masks validate --by NAME", "identity csr --out FILE", "status -v", "run"])
def test_what_gets_a_configuration_takes_one(command: str) -> None:
    """Every command that is given `--config` has that option."""
    typed = shlex.split(CommandsHere(DEMO, is_root=True)(f"`vigie {command}`").strip("`"))[1:]
    assert "--config" in typed
    context = vigie.make_context("vigie", [], resilient_parsing=True)
    found: click.Command | None = vigie
    for word in typed[:2]:
        found = found.get_command(context, word) if isinstance(found, click.Group) else found
    assert found is not None
    assert any("--config" in option.opts for option in found.params)


INSTALLED = Path("/etc/vigie/config.toml")


@pytest.mark.parametrize(
    ("user", "environment", "is_root", "owns_state"),
    [
        (1000, {}, False, True),
        (0, {}, True, False),
        (0, {"SUDO_USER": "technician"}, False, False),
        (999, {"VIGIE_STARTED_BY": "root", "SUDO_USER": "technician"}, False, False),
        (999, {"VIGIE_STARTED_BY": "root"}, True, False),
    ],
)
def test_it_is_known_who_typed_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, environment: dict[str, str], is_root: bool, owns_state: bool
) -> None:
    """Root's own shell needs no sudo, nor does who owns the state, also before it was ever made; a technician's sudo does."""
    monkeypatch.setattr("os.geteuid", lambda: user)
    here = CommandsHere.of(INSTALLED, INSTALLED, tmp_path / "not" / "yet", environment)
    assert (here.is_root, here.owns_state) == (is_root, owns_state)
    assert CommandsHere.of(tmp_path / "c.toml", INSTALLED, tmp_path, environment).config == tmp_path / "c.toml"
