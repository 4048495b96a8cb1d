"""The table `vigie watch` draws: the nodes in trouble on top."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.clock import NS
from agent.fleet.feed import FleetFeed, NodeView

ROWS_MOST = 40


def draw(feed: FleetFeed, broker: str, trouble: str, now_ns: int) -> RenderableType:
    """The whole screen."""
    views = feed.by_trouble()
    online = sum(view.state == "online" and not view.silent for view in views)
    headline = Text(f"{broker}  {len(views)} nodes, {online} online", style="bold")
    if trouble:
        headline.append(f"  {trouble}", style="bold red")
    table = Table(expand=True, show_edge=False, header_style="dim")
    for name in ("node", "state", "heard", "view", "fps", "waiting", "events", "missing", "alarms"):
        table.add_column(name, no_wrap=True, justify="left" if name in ("node", "state", "view") else "right")
    table.add_column("trouble", ratio=1, min_width=20, overflow="fold")
    for view in views[:ROWS_MOST]:
        table.add_row(*_row(view, now_ns))
    parts: list[RenderableType] = [headline, table]
    if len(views) > ROWS_MOST:
        parts.append(Text(f"and {len(views) - ROWS_MOST} more, in less trouble", style="dim"))
    return Group(*parts)


def _row(view: NodeView, now_ns: int) -> list[RenderableType]:
    troubles = view.troubles()
    worst = troubles[0][0] if troubles else 0
    style = "red" if worst >= 60 else "yellow" if worst else "green"
    words = "; ".join(text for _, text in troubles)
    if not words and view.alarms:
        words = f"last alarm: {view.alarms[-1]}"
    return [
        Text(view.node, style="bold"),
        Text("silent" if view.silent else view.state, style=style),
        f"{(now_ns - view.seen_ns) / NS:.0f} s",
        str(view.part("privacy").get("state", "")),
        _number(view.part("camera").get("fps")),
        str(view.part("outbox").get("pending", "")),
        str(view.events),
        str(view.ledger.unexplained or ""),
        str(view.alarm_count or ""),
        Text(words, style=style if troubles else "dim"),
    ]


def _number(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else ""
