"""Headers of tables as people write them: a bracket short, of the wrong kind, with something behind."""

from __future__ import annotations

import difflib
import re
import tomllib

from agent.base.phrase import say
from agent.config.locate import KeyPath
from agent.config.mending.repair import Repair
from agent.config.mending.statement import seen
from agent.config.mending.wanted import header_of, tables

_HEADER = re.compile(
    r"^\s*(?P<open>[\[({<]*)\s*(?P<name>[A-Za-z_](?:[\w.:/, -]*\w)?)\s*(?P<close>[\])}>]*)\s*"
    r"(?P<more>[^\w\])}>\s].*|(?<=[\])}>\s])\S.*)?$"
)


def table_named(words: str) -> KeyPath | None:
    """The table that these words mean, `privacy.mask`, `Camera`, `mask`; None when the model has none such."""
    steps = tuple(re.findall(r"[a-z_]+", words.lower().replace("-", "_")))
    known = tables()
    if steps in known:
        return steps
    if ("_".join(steps),) in known:
        return ("_".join(steps),)
    ends = [table for table in known if steps and table[-1] in (steps[-1], "_".join(steps))]
    if len(ends) == 1 and len(steps) <= 2:
        return ends[0]
    near = difflib.get_close_matches(".".join(steps), [".".join(map(str, table)) for table in known], 1, 0.75)
    return tuple(near[0].split(".")) if near else None


def is_header(line: str) -> bool:
    """True for a line that was meant as one, with brackets or without."""
    match = _HEADER.match(line)
    if match is None:
        return False
    more = (match["more"] or "").strip()
    if match["open"]:
        return "=" not in match["name"] and not match["name"].startswith(("true", "false"))
    bare = bool(match["close"]) or more in ("", ":")
    return bare and table_named(match["name"]) is not None and " " not in match["name"]


def mend_header(line: str, row: int) -> tuple[KeyPath | None, Repair | None]:
    """Which table the line opens, and its repair where it needs one."""
    match = _HEADER.match(line)
    strict = strict_header(line)
    if match is None:
        return strict, None
    table = strict if strict in tables() else table_named(match["name"])
    wanted = header_of(table) if table is not None else _as_written(match["name"], match["open"])
    if strict is not None and (table is None or _bare(line) == wanted):
        return strict, None
    name, more = match["name"], (match["more"] or "").strip()
    lines = [wanted]
    if more and not more.startswith("#") and more.strip(":;,="):
        lines = [wanted, more] if "=" in more else [f"{wanted}  # {more}"]
    elif more.startswith("#"):
        lines = [f"{wanted}  {more}"]
    return table, Repair(row, 1, tuple(map(seen, lines)), *_words(wanted, match["open"], match["close"], name))


def _words(wanted: str, opened: str, closed: str, name: str) -> tuple[str, str]:
    many = wanted.startswith("[[")
    if re.sub(r"\s", "", name) != wanted.strip("[]") and len(opened) == len(closed) and opened:
        return say("there is no section {name!r}", name=name), say("did you mean {wanted}?", wanted=wanted)
    if set(opened + closed) - set("[]"):
        return say("a section stands in square brackets"), say("write {wanted}", wanted=wanted)
    if not opened and not closed:
        return say("a section stands in square brackets"), say("write {wanted}", wanted=wanted)
    if len(opened) != len(closed):
        return say("a bracket is missing, or one too many"), say("write {wanted}", wanted=wanted)
    if many and len(opened) == 1:
        return say("there may be several of this section, so it stands in two brackets"), say("write {wanted}", wanted=wanted)
    if not many and len(opened) == 2:
        return say("there is only one of this section, so it stands in one bracket"), say("write {wanted}", wanted=wanted)
    return say("something behind the section's name"), say("write it on a line of its own")


def _as_written(name: str, opened: str) -> str:
    steps = re.findall(r"[A-Za-z0-9_-]+", name)
    return f"[[{'.'.join(steps)}]]" if len(opened) == 2 else f"[{'.'.join(steps)}]"


def _bare(line: str) -> str:
    return re.sub(r"\s", "", line.partition("#")[0])


def strict_header(line: str) -> KeyPath | None:
    """The table of a header that is TOML; None for any other line."""
    if not line.lstrip().startswith("["):
        return None
    try:
        content = tomllib.loads(line)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return None
    path: list[str] = []
    while isinstance(content, dict) and len(content) == 1:
        name, inner = next(iter(content.items()))
        path.append(name)
        content = inner[0] if isinstance(inner, list) else inner
    return tuple(path)
