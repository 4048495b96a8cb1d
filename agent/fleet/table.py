"""The table `vigie watch` draws: the nodes with the worst faults on top."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.base.clock import NS
from agent.fleet.feed import FleetFeed, NodeView

ROWS_MOST = 40
COLUMNS = ("node", "state", "heard", "view", "fps", "waiting", "events", "missing", "alarms")
WHEN_NARROW = ("node", "state", "heard", "view", "missing")
WHEN_NARROWEST = ("node", "state")
NARROW, NARROWEST = 110, 80


def draw(feed: FleetFeed, broker: str, fault: str, now_ns: int, *, width: int = 160) -> RenderableType:
    """The whole screen. On a narrow one figures give way to words: what is wrong is always told."""
    shown = COLUMNS if width >= NARROW else WHEN_NARROW if width >= NARROWEST else WHEN_NARROWEST
    views = feed.by_fault()
    online = sum(view.state == "online" and not view.silent for view in views)
    headline = Text(f"{broker}  {len(views)} node{'' if len(views) == 1 else 's'}, {online} online", style="bold")
    if fault:
        headline.append(f"  {fault}", style="bold red")
    table = Table(expand=True, show_edge=False, header_style="dim")
    for name in shown:
        if name == "node":
            table.add_column(name, overflow="fold", max_width=max(8, width // 3))
        else:
            table.add_column(name, no_wrap=True, justify="left" if name in ("state", "view") else "right")
    table.add_column("fault", ratio=1, min_width=20, overflow="fold")
    for view in views[:ROWS_MOST]:
        row = _row(view, now_ns)
        table.add_row(*(row[name] for name in shown), row["fault"])
    parts: list[RenderableType] = [headline, table]
    if len(views) > ROWS_MOST:
        parts.append(Text(f"and {len(views) - ROWS_MOST} more, with lesser faults", style="dim"))
    return Group(*parts)


def _row(view: NodeView, now_ns: int) -> dict[str, RenderableType]:
    faults = view.faults()
    worst = faults[0][0] if faults else 0
    style = "red" if worst >= 60 else "yellow" if worst else "green"
    words = "; ".join(text for _, text in faults)
    if not words and view.alarms:
        words = f"last alarm: {view.alarms[-1]}"
    return {
        "node": Text(view.node, style="bold"),
        "state": Text("silent" if view.silent else view.state, style=style),
        "heard": f"{(now_ns - view.seen_ns) / NS:.0f} s",
        "view": str(view.part("privacy").get("state", "")),
        "fps": _number(view.part("camera").get("fps")),
        "waiting": str(view.part("outbox").get("pending", "")),
        "events": str(view.events),
        "missing": str(view.ledger.unexplained or ""),
        "alarms": str(view.alarm_count or ""),
        "fault": Text(words, style=style if faults else "dim"),
    }


def _number(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else ""
