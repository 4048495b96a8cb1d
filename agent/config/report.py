"""What `vigie check` shows: the findings, or a short summary of a good configuration."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import IO, Any, Final

from rich.console import Console
from rich.text import Text

from agent.base.language import for_reader
from agent.base.phrase import day, joined, many, say
from agent.config.advice import advice
from agent.config.digest import config_digest
from agent.config.finding import Finding, errors
from agent.config.model import Config
from agent.config.sources import Sources
from agent.config.url_secret import random_starred
from agent.config.words import FILLS, PURPOSES, ROLES

_NAMES: Final = {
    "node": say("node"),
    "camera": say("camera"),
    "masks": say("masks"),
    "encoding": say("encoding"),
    "retention": say("retention"),
    "signing": say("signing"),
    "broker": say("broker"),
}


def print_findings(findings: Sequence[Finding], stream: IO[str]) -> None:
    """Every finding, coloured on a terminal, plain elsewhere."""
    console = _console(stream)
    for n, finding in enumerate(findings):
        headline = Text(for_reader(finding.headline))
        headline.stylize("bold")
        console.print(headline, soft_wrap=True)
        if finding.excerpt:
            line, carets = finding.excerpt
            console.print(Text(line), soft_wrap=True)
            console.print(Text(carets, style="red"), soft_wrap=True)
        again = n + 1 < len(findings) and findings[n + 1].pasted == finding.pasted  # the line as it should read, once
        for line in () if again else finding.pasted:
            console.print(Text(for_reader(line), style="green"), soft_wrap=True)
        console.print()
    refused = say("{count}: the configuration is refused", count=errors(len(findings)))
    console.print(Text(for_reader(refused), style="bold red"))


def print_summary(path: Path, config: Config, sources: Sources, stream: IO[str]) -> None:
    """`ok`, what the node will do, and what deserves a second look."""
    console = _console(stream)
    console.print(Text(for_reader(say("{path}: ok", path=path)), style="bold green"), soft_wrap=True)
    names = {name: for_reader(words) for name, words in _NAMES.items()}
    columns = max(map(len, names.values())) + 2
    for name, words in summary(config).items():
        console.print(Text(f"  {names[name]:<{columns}}{for_reader(words)}"), soft_wrap=True)
    for line in advice(config, sources):
        console.print(Text(for_reader(say("  note: {line}", line=line)), style="yellow"), soft_wrap=True)


def check_document(path: Path, sources: Sources, findings: Sequence[Finding], config: Config | None) -> dict[str, Any]:
    """The JSON document of `vigie check --json`."""
    return {
        "file": str(path),
        "ok": config is not None,
        "findings": [
            {
                "file": str(f.file),
                "line": f.span.line if f.span else None,
                "column": f.span.column if f.span else None,
                "length": f.span.length if f.span else None,
                "key": f.key,
                "what": f.what,
                "remedy": f.remedy,
                "edits": [{"after_line": edit.after, "replace_lines": edit.count, "with": list(edit.lines)} for edit in f.edits],
            }
            for f in findings
        ],
        "notes": advice(config, sources) if config else [],
        "summary": summary(config) if config else None,
        "config_digest": config_digest(config) if config else None,
    }


def summary(config: Config) -> dict[str, str]:
    """One line for each thing a technician should recognise."""
    camera, privacy, encoding = config.camera, config.privacy, config.encoding
    if privacy.mask:
        names = ", ".join(mask.name for mask in privacy.mask)
        masks = say("{count} ({fill}): {names}", count=len(privacy.mask), fill=FILLS[privacy.fill], names=names)
    elif privacy.none_needed:
        masks = say("none needed, stated by {by} on {on}", by=privacy.none_needed.by, on=day(privacy.none_needed.on))
    else:
        masks = say("none, and no statement that none is needed: the picture stays opaque")
    rate = f"{encoding.bitrate_kbps} kbit/s" if encoding.bitrate_kbps else f"crf {encoding.crf or 23}"
    source = f" {random_starred(camera.source)}" if camera.source else ""
    broker = random_starred(config.mqtt.url) if config.mqtt else ""
    return {
        "node": joined(", ", [word for word in (config.node.id, ROLES[config.node.role], config.node.site) if word]),
        "camera": say(
            "{driver}{source}, {width}x{height} at {fps:g} per second, {purpose}",
            driver=camera.driver,
            source=source,
            width=camera.width,
            height=camera.height,
            fps=camera.fps,
            purpose=PURPOSES[camera.purpose],
        ),
        "masks": masks,
        "encoding": f"{encoding.codec}, {rate}",
        "retention": many(
            "{days:g} day in {directory}",
            "{days:g} days in {directory}",
            ceil(config.recording.retention_days),
            days=config.recording.retention_days,
            directory=config.recordings_dir,
        ),
        "signing": say("on") if config.evidence.sign else say("off"),
        "broker": say("{url}, below {prefix}/{id}/", url=broker, prefix=config.mqtt.prefix, id=config.node.id)
        if config.mqtt
        else say("none"),
    }


def _console(stream: IO[str]) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False)
