"""The `vigie` command: one module of this package per command, found by name and imported only when called.

A module `agent/cli/foo_bar.py` is the command `vigie foo-bar`; it holds a click command (or group) named `command`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

import click

from agent import __version__
from agent.errors import VigieError

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


class _Commands(click.Group):
    """Finds commands by their module names, so that `vigie run` does not pay for importing `vigie verify`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        assert isinstance(found, click.Command)
        return found


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vigie")
def vigie() -> None:
    """Edge agent for public-space cameras: masks first, then records, signs and reports."""


def run(argv: Sequence[str]) -> int:
    """Run one command; its exit code. Every error a user can meet ends as one clear text on stderr, never a traceback."""
    try:
        code = vigie.main(args=list(argv), prog_name="vigie", standalone_mode=False)
    except VigieError as error:
        click.echo(f"vigie: {error}", err=True)
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(sys.stderr)
        return error.exit_code
    except click.ClickException as error:
        click.echo(_wrong_usage(error), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit:
        # click and rich leave so when nobody reads the output any more: told in part is not done, whatever was to be told.
        return FAILED
    except Exception as error:
        if _was_interrupted(error):
            return INTERRUPTED
        if "VIGIE_TRACEBACK" in os.environ:
            raise
        click.echo(f"vigie: {_in_words(error)}", err=True)
        return FAILED
    return code if isinstance(code, int) else 0


def _was_interrupted(error: BaseException | None) -> bool:
    """Ctrl-C while a class is made or a library loads: Python hands it on wrapped in an error of another type."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _wrong_usage(error: click.ClickException) -> str:
    """One line: which command, what is wrong with it, and where its usage stands."""
    said = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return f"vigie: {said}"
    return f"{context.command_path}: {said.rstrip('.')}. `{context.command_path} --help` shows how"


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or str(error)).lower()}. Is it there, and may this user use it?"
    # A bug, not the user's fault: one line, and the traceback only for who asks for it.
    return (
        f"internal error: {type(error).__name__}: {error}. "
        "Please report it with what VIGIE_TRACEBACK=1 shows when you run the same command again"
    )
