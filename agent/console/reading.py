"""What the local page shows of health: a verdict, a sentence about privacy, and a card for each part, in the reader's words.

A feature that fills a new part of health is shown without a word here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from agent.base.phrase import joined, many, say
from agent.ports.health_words import Facts, name_of, said, word

Tone = Literal["good", "wait", "bad"]
_SAID_ABOVE: Final = ("privacy",)


def reading(health: Facts, tell: Callable[[str], str]) -> dict[str, Any]:
    """The document of the page's `health` message; `tell` puts a text into the reader's language."""
    words, tone = verdict(health)
    return {
        "node": f"{health.get('node', '')} · {health.get('version', '')}",
        "verdict": tell(words),
        "tone": tone,
        "privacy": tell(privacy(_part(health, "privacy"))),
        "cards": [
            {"name": tell(name_of(name)), "rows": [_row(fact, value, tell) for fact, value in part.items()]}
            for name, part in health.items()
            if isinstance(part, Mapping) and name not in _SAID_ABOVE
        ],
    }


def verdict(health: Facts) -> tuple[str, Tone]:
    """How the node fares, in few words, the worst first."""
    failed = _failed(_part(health, "components"))
    if failed:
        return say("failed: {names}", names=joined(", ", [name_of(name) for name in failed])), "bad"
    if reason := _part(health, "camera").get("reason"):
        return reason, "bad"
    if trouble := health.get("config_trouble"):
        return say("configuration: {why}", why=trouble), "bad"
    if _part(health, "privacy").get("state") == "opaque":
        return say("picture closed"), "wait"
    return say("running, masked"), "good"


def privacy(part: Facts) -> str:
    """What covers the picture."""
    if part.get("state") == "opaque":
        return say("The whole picture is covered: {why}", why=part.get("reason") or say("no reason given"))
    view = word(_part(part, "view").get("state") or "unknown")
    return many(
        "{number} mask lies on the picture; the view is {view}.",
        "{number} masks lie on the picture; the view is {view}.",
        part.get("masks", 0),
        view=view,
    )


def _row(name: str, fact: Any, tell: Callable[[str], str]) -> dict[str, Any]:
    return {"name": tell(name_of(name)), "words": tell(said(name, fact)), "bad": fact == "failed"}


def _failed(part: Facts) -> list[str]:
    return [name for name, state in part.items() if state == "failed"]


def _part(health: Facts, name: str) -> Facts:
    part = health.get(name)
    return part if isinstance(part, Mapping) else {}
