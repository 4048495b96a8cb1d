"""What `vigie check` shows: the findings, or a short summary of a good configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from agent.config.advice import advice
from agent.config.digest import config_digest
from agent.config.finding import Finding
from agent.config.model import Config
from agent.config.sources import Sources
from agent.config.url_secret import random_starred


def print_findings(findings: Sequence[Finding], stream: IO[str]) -> None:
    """Every finding, coloured on a terminal, plain elsewhere."""
    console = _console(stream)
    for n, finding in enumerate(findings):
        headline = Text(finding.headline)
        headline.stylize("bold")
        console.print(headline, soft_wrap=True)
        if finding.excerpt:
            line, carets = finding.excerpt
            console.print(Text(line), soft_wrap=True)
            console.print(Text(carets, style="red"), soft_wrap=True)
        again = n + 1 < len(findings) and findings[n + 1].pasted == finding.pasted  # the line as it should read, once
        for line in () if again else finding.pasted:
            console.print(Text(line, style="green"), soft_wrap=True)
        console.print()
    count = "1 error" if len(findings) == 1 else f"{len(findings)} errors"
    console.print(Text(f"{count}: the configuration is refused", style="bold red"))


def print_summary(path: Path, config: Config, sources: Sources, stream: IO[str]) -> None:
    """`ok`, what the node will do, and what deserves a second look."""
    console = _console(stream)
    console.print(Text(f"{path}: ok", style="bold green"), soft_wrap=True)
    for name, words in summary(config).items():
        console.print(Text(f"  {name:<11}{words}"), soft_wrap=True)
    for line in advice(config, sources):
        console.print(Text(f"  note: {line}", style="yellow"), soft_wrap=True)


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
        masks = f"{len(privacy.mask)} ({privacy.fill}): {', '.join(m.name for m in privacy.mask)}"
    elif privacy.none_needed:
        masks = f"none needed, stated by {privacy.none_needed.by} on {privacy.none_needed.on}"
    else:
        masks = "none, and no statement that none is needed: the picture stays opaque"
    rate = f"{encoding.bitrate_kbps} kbit/s" if encoding.bitrate_kbps else f"crf {encoding.crf or 23}"
    source = f" {random_starred(camera.source)}" if camera.source else ""
    return {
        "node": f"{config.node.id}, {config.node.role}" + (f", {config.node.site}" if config.node.site else ""),
        "camera": f"{camera.driver}{source}, {camera.width}x{camera.height} at {camera.fps:g} per second, {camera.purpose}",
        "masks": masks,
        "encoding": f"{encoding.codec}, {rate}",
        "retention": f"{config.recording.retention_days:g} days in {config.recordings_dir}",
        "signing": "on" if config.evidence.sign else "off",
        "broker": f"{config.mqtt.url}, below {config.mqtt.prefix}/{config.node.id}/" if config.mqtt else "none",
    }


def _console(stream: IO[str]) -> Console:
    return Console(file=stream, highlight=False, markup=False, emoji=False)
