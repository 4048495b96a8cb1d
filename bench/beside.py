"""A node beside a peer that did the same job in the same run: the medians of both, their ratios, and the table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Metrics = Mapping[str, float]


def compared(ours: Sequence[Metrics], peer: str, theirs: Sequence[Metrics]) -> dict[str, Any]:
    """The medians over the rounds of the node (`vigie`) and of `peer`, and the ratios of what they cost a picture."""
    node, other = _medians(ours), _medians(theirs)
    return {
        "vigie": node,
        peer: other,
        "cpu_ratio": round(node["cpu_ms_per_frame"] / other["cpu_ms_per_frame"], 3),
        "bytes_ratio": round(node["bytes_per_s"] / other["bytes_per_s"], 3),
    }


def show(title: str, peer: str, result: Mapping[str, Any]) -> None:
    """Print what `compared` found."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("vigie", justify="right")
    table.add_column(peer, justify="right")
    for key in result["vigie"]:
        table.add_row(key, str(result["vigie"][key]), str(result[peer].get(key, "")))
    table.add_row("[bold]cpu ratio[/bold]", f"[bold]{result['cpu_ratio']}[/bold]", "1")
    table.add_row("bytes ratio", str(result["bytes_ratio"]), "1")
    Console().print(table)


def _medians(rows: Sequence[Metrics]) -> dict[str, float]:
    return {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}
