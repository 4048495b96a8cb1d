"""The table `vigie watch` draws: the nodes with the worst faults on top."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.base.clock import NS
from agent.base.language import for_reader
from agent.base.phrase import amount, joined, many, say
from agent.fleet.feed import FleetFeed, NodeView
from agent.ports.health_words import word

ROWS_MOST = 40
COLUMNS = ("node", "state", "heard", "view", "fps", "waiting", "events", "missing", "alarms")
WHEN_NARROW = ("node", "state", "heard", "view", "missing")
WHEN_NARROWEST = ("node", "state")
NARROW, NARROWEST = 110, 80
_TITLES = {
    "node": say("node"),
    "state": say("state"),
    "heard": say("heard"),
    "view": say("view"),
    "fps": say("fps"),
    "waiting": say("waiting"),
    "events": say("events"),
    "missing": say("missing"),
    "alarms": say("alarms"),
    "fault": say("fault"),
}


def draw(feed: FleetFeed, broker: str, fault: str, now_ns: int, *, width: int | None = None) -> RenderableType:
    """The whole screen, in the reader's language. On a narrow one figures give way to words: what is wrong is always told.

    `width` None: for a pipe or a file, where everything is told and each column is as wide as it has to be.
    """
    longer = sum(len(_title(name)) - len(name) for name in COLUMNS)
    shown = _shown(width, longer)
    views = feed.by_fault()
    online = sum(view.state == "online" and not view.silent for view in views)
    nodes = many("{number} node", "{number} nodes", len(views))
    headline = Text(
        for_reader(say("{broker}  {nodes}, {online} online", broker=broker, nodes=nodes, online=online)), style="bold"
    )
    if fault:
        headline.append(f"  {for_reader(fault)}", style="bold red")
    table = Table(expand=width is not None, show_edge=False, header_style="dim")
    for name in shown:
        if name == "node":
            table.add_column(_title(name), overflow="fold", max_width=None if width is None else max(8, width // 3))
        else:
            table.add_column(_title(name), no_wrap=True, justify="left" if name in ("state", "view") else "right")
    table.add_column(_title("fault"), ratio=None if width is None else 1, min_width=20, overflow="fold")
    for view in views[:ROWS_MOST]:
        row = _row(view, now_ns)
        table.add_row(*(row[name] for name in shown), row["fault"])
    parts: list[RenderableType] = [headline, table]
    if len(views) > ROWS_MOST:
        more = say("and {count} more, with lesser faults", count=len(views) - ROWS_MOST)
        parts.append(Text(for_reader(more), style="dim"))
    return Group(*parts)


def _shown(width: int | None, longer: int) -> tuple[str, ...]:
    if width is None or width >= NARROW + longer:
        return COLUMNS
    return WHEN_NARROW if width >= NARROWEST else WHEN_NARROWEST


def _row(view: NodeView, now_ns: int) -> dict[str, RenderableType]:
    faults = view.faults()
    worst = faults[0][0] if faults else 0
    style = "red" if worst >= 60 else "yellow" if worst else "green"
    words: str = joined(say("; "), [text for _, text in faults])
    if not words and view.alarms:
        words = say("last alarm: {topic}", topic=view.alarms[-1])
    return {
        "node": Text(view.node, style="bold"),
        "state": Text(for_reader(say("silent") if view.silent else word(view.state)), style=style),
        "heard": for_reader(say("{seconds:.0f} s", seconds=(now_ns - view.seen_ns) / NS)),
        "view": for_reader(word(view.part("privacy").get("state", ""))),
        "fps": _number(view.part("camera").get("fps")),
        "waiting": str(view.part("outbox").get("pending", "")),
        "events": str(view.events),
        "missing": str(view.ledger.unexplained or ""),
        "alarms": str(view.alarm_count or ""),
        "fault": Text(for_reader(words), style=style if faults else "dim"),
    }


def _number(value: object) -> str:
    return for_reader(amount(value, 1)) if isinstance(value, int | float) else ""


def _title(column: str) -> str:
    return for_reader(_TITLES[column])
