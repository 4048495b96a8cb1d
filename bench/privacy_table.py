"""The figures of the disturbance corpus: one row per kind, one column per wrapping, and every sequence that leaked."""

from __future__ import annotations

from statistics import fmean, median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.disturbance import FPS
from bench.disturbance_kinds import KINDS
from bench.ordinary_life import closures, minutes_of
from bench.sequence import Outcome
from bench.wrapping import WRAPPINGS


def report(outcomes: list[Outcome], console: Console) -> dict[str, object]:
    """Print the tables; the same as a document."""
    wrappings = sorted({o.plan.wrapping for o in outcomes}, key=lambda name: ([*WRAPPINGS, name].index(name.split("+")[0]), name))
    table = Table(title=f"{len(outcomes)} disturbances, {sum(o.frames for o in outcomes)} frames: leak frames / % available")
    for column in ("kind", "wanted", *wrappings, "all", "min", "back, median s", "max s"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    rows: dict[str, object] = {}
    for kind, about in KINDS.items():
        own = [o for o in outcomes if o.plan.kind == kind and not o.refused]
        if not own:
            continue
        row = _row(own) | {"wanted": about.least}
        parts = {name: [o for o in own if o.plan.wrapping == name] for name in wrappings}
        row["with"] = {name: _row(part) for name, part in parts.items() if part}
        rows[kind] = row
        never = row["never_back"]
        table.add_row(
            kind,
            "" if about.least is None else f"{about.least:g}",
            *(_cell(part) for part in parts.values()),
            _cell(own),
            f"{row['available_min']:.1f}",
            "-" if row["back_median_s"] is None else f"{row['back_median_s']:.2f}",
            f"{never} never" if never else f"{row['back_max_s']:.2f}",
        )
    console.print(table)
    _by_scene(outcomes, console)
    life = _lives(outcomes, console)
    console.print(f"{sum(o.decoded for o in outcomes)} of the pictures were also encoded, decoded and looked at")
    leaked = [_leak(o) for o in outcomes if o.leaks]
    for leak in leaked:
        console.print(
            f"LEAK {leak['count']} frames from {leak['frames'][0]}, {leak['pixels']} pixels: {leak['again']}", soft_wrap=True
        )
    return {
        "sequences": len(outcomes),
        "frames": sum(o.frames for o in outcomes),
        "decoded": sum(o.decoded for o in outcomes),
        "refused": sorted({f"{o.plan.scene}/{o.plan.layout}: {o.refused}" for o in outcomes if o.refused}),
        "leak_frames": sum(len(o.leaks) for o in outcomes),
        "kinds": rows,
        "ordinary_life": life,
        "leaks": leaked,
    }


def _row(own: list[Outcome]) -> dict[str, Any]:
    backs = [o.back_s for o in own if o.back_s is not None]
    never = len(own) - len(backs)
    return {
        "sequences": len(own),
        "leak_frames": sum(len(o.leaks) for o in own),
        "available_mean": round(fmean(o.available for o in own), 2),
        "held": sum(o.held for o in own),
        "available_min": round(min(o.available for o in own), 1),
        "back_median_s": round(median(backs), 2) if backs else None,
        "back_max_s": round(max(backs), 2) if backs and not never else None,
        "never_back": never,
        "back_within_2s": sum(b <= 2 for b in backs),
    }


def _cell(own: list[Outcome]) -> str:
    if not own:
        return ""
    leaks = sum(len(o.leaks) for o in own)
    return f"{f'[bold red]{leaks}[/]' if leaks else '0'} / {fmean(o.available for o in own):.1f}"


def _by_scene(outcomes: list[Outcome], console: Console) -> None:
    table = Table(title="by scene")
    for column in ("scene", "sequences", "leak frames", "available, mean %", "not commissioned"):
        table.add_column(column, justify="left" if column == "scene" else "right")
    for name in sorted({o.plan.scene for o in outcomes}):
        own = [o for o in outcomes if o.plan.scene == name]
        played = [o for o in own if not o.refused]
        leaks, available = sum(len(o.leaks) for o in played), fmean(o.available for o in played) if played else 0.0
        table.add_row(name, str(len(own)), str(leaks), f"{available:.2f}", str(len(own) - len(played)))
    console.print(table)


def leak_line(outcome: Outcome) -> str:
    """One sequence that leaked, and how to see it again."""
    leak = _leak(outcome)
    return f"LEAK {leak['count']} frames from {leak['frames'][0]}, {leak['pixels']} pixels: {leak['again']}"


def _lives(outcomes: list[Outcome], console: Console) -> list[dict[str, Any]]:
    table = Table(title="ordinary life: nobody touches the camera")
    for column in ("scene", "with", "frames", "leak frames", "closures", "longest, s", "held frames", "not clear, %"):
        table.add_column(column, justify="left" if column in {"scene", "with"} else "right")
    rows = []
    for o in outcomes:
        if minutes_of(o.plan.kind) is None or o.refused:
            continue
        runs = closures(o.shut)
        row = {
            "scene": o.plan.scene,
            "with": o.plan.wrapping,
            "frames": o.frames,
            "leak_frames": len(o.leaks),
            "closures": len(runs),
            "longest_s": round(max(runs, default=0) / FPS, 2),
            "held": o.held,
            "not_clear": round(100 - o.available, 3),
        }
        rows.append(row)
        table.add_row(*(str(value) for value in row.values()))
    if rows:
        console.print(table)
    return rows


def _leak(outcome: Outcome) -> dict[str, Any]:
    plan = outcome.plan
    return {
        "kind": plan.kind,
        "with": plan.wrapping,
        "scene": plan.scene,
        "layout": plan.layout,
        "seed": plan.seed,
        "frames": outcome.leaks[:20],
        "count": len(outcome.leaks),
        "pixels": outcome.worst,
        "again": f"vigie bench privacy --replay '{plan}'",
    }
