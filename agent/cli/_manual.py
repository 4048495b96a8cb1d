"""Manual pages in troff, made from the commands themselves: whatever `--help` says, and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

import click

from agent import __version__


def manuals(root: click.Command, name: str) -> Mapping[str, str]:
    """The text of every page by its file name: `vigie.1`, `vigie-check.1`, `vigie-masks-show.1`."""
    return {f"{'-'.join(path)}.1": _page(context, path) for path, context in _contexts(root, (name,), None)}


def _contexts(
    command: click.Command, path: tuple[str, ...], parent: click.Context | None
) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    context = click.Context(command, info_name=path[-1], parent=parent, **command.context_settings)
    yield path, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from _contexts(found, (*path, name), context)


def _page(context: click.Context, path: tuple[str, ...]) -> str:
    command = context.command
    lines = [
        f'.TH "{"-".join(path).upper()}" 1 "" "Vigie {__version__}" "Vigie"',
        ".SH NAME",
        f"{'-'.join(path)} \\- {_escaped(command.get_short_help_str(10_000).rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {' '.join(path)}",
        _escaped(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        *_paragraphs(inspect.cleandoc(command.help or "")),
        ".SH OPTIONS",
    ]
    for param in command.get_params(context):
        record = param.get_help_record(context)
        if record is not None:
            lines += [".TP", f".B {_escaped(record[0])}", _escaped(record[1]) or "\\ "]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                lines += [".TP", f".B {name}", _escaped(found.get_short_help_str(10_000))]
    examples = [line.strip() for line in (command.epilog or "").split("\n") if line.startswith("  ")]
    if examples:
        lines += [".SH EXAMPLES", ".nf", *(f"    {_escaped(line)}" for line in examples), ".fi"]
    return "\n".join([*lines, *_end(path)]) + "\n"


def _end(path: tuple[str, ...]) -> list[str]:
    above = f".BR {'-'.join(path[:-1])} (1)" if len(path) > 1 else "/usr/share/doc/vigie"
    return [
        ".SH EXIT STATUS",
        "0 done; 1 failed; 2 wrong usage; 3 not authentic; 4 not signed, so it cannot be told; 78 configuration refused.",
        ".SH FILES",
        "/etc/vigie/config.toml, /usr/share/vigie/config.example.toml",
        ".SH SEE ALSO",
        above,
    ]


def _paragraphs(text: str) -> Iterator[str]:
    for n, paragraph in enumerate(text.split("\n\n")):
        if n:
            yield ".PP"
        yield _escaped(" ".join(paragraph.replace("\b", "").split()))


def _escaped(text: str) -> str:
    """As troff prints it: no line begins with a request, a hyphen is one that can be copied."""
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return f"\\&{plain}" if plain[:1] in (".", "'") else plain
