"""Manual pages and completions: made from the commands, complete, and what a shell and troff take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from agent.cli import vigie
from agent.cli._manual import manuals

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the package lays below /usr/share, made as it makes it."""
    directory = tmp_path_factory.mktemp("share")
    subprocess.run([sys.executable, REPOSITORY / "tools/write_manuals.py", directory], check=True)
    return directory


def test_every_command_has_a_page_with_all_its_options(share: Path) -> None:
    """Also those of groups; NAME, SYNOPSIS, every option of `--help`, the examples and the exit codes."""
    pages = {path.name: path.read_text() for path in (share / "man/man1").iterdir()}
    assert pages == manuals(vigie, "vigie")
    assert {"vigie.1", "vigie-check.1", "vigie-masks.1", "vigie-masks-validate.1", "vigie-help.1"} <= set(pages)
    with click.Context(vigie, info_name="vigie") as context:
        export = vigie.get_command(context, "export")
    assert export is not None
    for param in export.params:
        for option in param.opts:
            assert option.replace("-", "\\-") in pages["vigie-export.1"]
    for text in pages.values():
        for section in (".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXIT STATUS"):
            assert f"\n{section}\n" in text
        assert not any(line.startswith("'") for line in text.splitlines())
        assert text.endswith("\n")


def test_the_package_carries_them_with_docs_and_an_example() -> None:
    """What the build script makes and installs, and that every page it names is there."""
    script = (REPOSITORY / "systemd/debian/build.sh").read_text()
    for words in ("tools/write_manuals.py", "man/man1/*.1", "doc/vigie/docs", "doc/vigie/examples"):
        assert words in script
    for place in ("README.md", "config.example.toml", "docs/install.md", "docs/hub/README.md"):
        assert (REPOSITORY / place).is_file()


def test_bash_completes_commands_and_options(share: Path, tmp_path: Path) -> None:
    """The installed file in a real bash, with the real command: a group's commands, and the options of one of them."""
    command = tmp_path / "vigie"
    command.write_text(f'#!/bin/sh\ncd {REPOSITORY} && exec {sys.executable} -m agent "$@"\n')
    command.chmod(0o755)
    script = (
        f"source {share / 'bash-completion/completions/vigie'}\n"
        "COMP_WORDS=(vigie masks va) COMP_CWORD=2; _vigie_completion vigie; echo ${COMPREPLY[@]}\n"
        "COMPREPLY=(); COMP_WORDS=(vigie export --op) COMP_CWORD=2; _vigie_completion vigie; echo ${COMPREPLY[@]}\n"
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["validate", "--operator"], done.stderr


def test_the_completions_of_all_three_shells_ask_the_command(share: Path) -> None:
    """Each where Debian's shells look for it, and answered by the command in order."""
    places = ["bash-completion/completions/vigie", "zsh/vendor-completions/_vigie", "fish/vendor_completions.d/vigie.fish"]
    for shell, place in zip(("bash", "zsh", "fish"), places, strict=True):
        assert f"_VIGIE_COMPLETE={shell}_complete" in (share / place).read_text()
        asked = {"COMP_WORDS": "vigie chec" if shell != "fish" else "vigie", "COMP_CWORD": "1" if shell != "fish" else "chec"}
        environment = {**os.environ, **asked, "_VIGIE_COMPLETE": f"{shell}_complete"}
        done = subprocess.run([sys.executable, "-m", "agent"], capture_output=True, text=True, env=environment, cwd=REPOSITORY)
        assert (done.returncode, done.stderr) == (0, "")
        assert "check" in done.stdout
