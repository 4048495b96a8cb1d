"""The `vigie` command: one module of this package per command, found by name and imported only when called.

A module `agent/cli/foo_bar.py` is the command `vigie foo-bar`; it holds a click command (or group) named `command`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shlex
import sys
from collections.abc import Sequence

import click

from agent import __version__
from agent.base import language
from agent.base.phrase import say
from agent.base.process_exit import INTERRUPTED, STARTED_BY, for_root, leave
from agent.base.umask import keep_from_writing
from agent.cli._help_words import speak_click
from agent.cli._manners import Group, meant, width, with_examples

WRONG_USAGE = 2
speak_click()

COMPLETING = "_VIGIE_COMPLETE"
"""Set by the completions in the package (tools/write_manuals.py)."""


class _Commands(Group):
    """Finds commands by their module names, so that `vigie run` does not pay for importing `vigie verify`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        assert isinstance(found, click.Command)
        return with_examples(found, cmd_name)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vigie")
def vigie() -> None:
    """Edge agent for public-space cameras: masks first, then records, signs and reports."""


def run(argv: Sequence[str]) -> int:
    """Run one command; its exit code. Every error a user can meet ends as one clear text on stderr, never a traceback."""
    keep_from_writing()
    if argv[:1] != ["run"]:  # the daemon's words are its log
        language.begin()
        if language.is_open():
            language.prefer(_language_of_the_node())
    try:
        return _run(argv)
    finally:
        language.end()


def _language_of_the_node() -> object:
    """What its configuration says, as far as this user may read it: help and slips are told before it is loaded."""
    import tomllib

    from agent.cli import _options

    try:
        table = tomllib.loads(_options.DEFAULT_CONFIG.read_text(encoding="utf-8")).get("node")
    except (OSError, ValueError):
        return None
    return table.get("language") if isinstance(table, dict) else None


def _run(argv: Sequence[str]) -> int:
    try:
        code = vigie.main(args=list(argv), prog_name="vigie", standalone_mode=False, terminal_width=width())
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(sys.stderr)
        return error.exit_code
    except click.ClickException as error:
        click.echo(_wrong_usage(error), err=True)
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except SystemExit as error:
        # A shell that asks for completions is answered by click, which then leaves: only that is an end in order.
        return 0 if error.code == 0 and COMPLETING in os.environ else leave(error)
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - the end of the process, and it is told
        return leave(error)
    return code if isinstance(code, int) else 0


def _not_for_you(error: click.BadParameter) -> str:
    """A technician without sudo: the command is right, and only who typed it may not read the configuration."""
    path = error.ctx.command_path if error.ctx is not None else "vigie"
    what = f"{path}: {error.message.rstrip('.').removeprefix(language.reworded('path').capitalize()).strip()}"
    if os.environ.get(STARTED_BY) == "root":
        return for_root(what)
    again = shlex.join(("vigie", *sys.argv[1:]))
    return language.for_reader(say("{what} by this user. Use sudo: `sudo {again}`", what=what, again=again))


def _wrong_usage(error: click.ClickException) -> str:
    """One line: which command, what is wrong with it, what was meant, and where its usage stands."""
    wrong = meant(error) if isinstance(error, click.UsageError) else error.format_message()
    said = " ".join(language.for_reader(wrong).split())
    if said.rstrip(".").endswith(_forbidden()):  # click's own words, which no error stands behind
        said = for_root(said)
        if isinstance(error, click.BadParameter) and error.param is not None and error.param.name == "config_path":
            return _not_for_you(error)
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return f"vigie: {said}"
    said = said.rstrip(".")
    said = said if said.endswith("?") else f"{said}."
    return language.for_reader(say("{path}: {said} `{path} --help` shows how", path=context.command_path, said=said))


def _forbidden() -> tuple[str, ...]:
    """How click ends a sentence on a file that may not be read or written."""
    sentences = ("{name} {filename!r} is not readable.", "{name} {filename!r} is not writable.")
    return tuple(language.reworded(sentence).rpartition("}")[2].strip().rstrip(".") for sentence in sentences)
