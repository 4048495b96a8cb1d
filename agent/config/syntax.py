"""Slips in TOML itself: placed, said in a technician's words, and stepped over so that one does not hide the next."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from agent.base.phrase import say
from agent.config.edit import Edit
from agent.config.locate import KeyPath, KeyPlace, TextSpan, locate

if TYPE_CHECKING:
    from agent.config.mending.repair import Repair
    from agent.config.mending.second_reading import SecondReading

MOST_SLIPS = 50
"""Of one file; who has more has opened the wrong file."""

MOST_CLASHES = 10


class Slip(Struct, frozen=True):
    """One place that is no TOML; `span` is None when nobody can say where. `edits` mend it,
    where they can."""

    span: TextSpan | None
    what: str
    remedy: str
    edits: tuple[Edit, ...] = ()


class Parsed(Struct, frozen=True):
    """A text as far as it is TOML. `damaged` are the keys whose values were lost; not `whole`: nothing of it can be judged.

    `read` are the lines that were read in the end, line n of them from line `rows[n]` of the file; `read_places` are places in
    them, `places` the same in the file.
    """

    lines: tuple[str, ...]
    content: Mapping[str, Any]
    places: Mapping[KeyPath, KeyPlace]
    slips: tuple[Slip, ...] = ()
    damaged: frozenset[KeyPath] = frozenset()
    whole: bool = True
    read: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    read_places: Mapping[KeyPath, KeyPlace] = {}


def parse(text: str, *, closely: bool = False) -> Parsed:
    """Parse `text`, whose line ends are plain newlines. Never raises. Only a text that tomllib accepts has no slips.

    `closely` takes names that nobody knows for slips too: what a misspelt key or section holds is then judged with the rest.
    """
    lines = tuple(text.split("\n"))
    try:
        content, places = tomllib.loads(text), locate(text)
    except tomllib.TOMLDecodeError as error:
        return _again(lines, str(error))
    except RecursionError:
        slip = Slip(None, say("brackets are nested too deeply"), say("no key needs more than three levels"))
        return Parsed(lines, {}, {}, (slip,), whole=False)
    except ValueError:  # a number of thousands of digits
        slip = Slip(None, say("a number has too many digits"), say("look for a key that was held down"))
        return Parsed(lines, {}, {}, (slip,), whole=False)
    if closely:
        return _again(lines, "")
    return Parsed(lines, content, places, read=lines, rows=tuple(range(len(lines))), read_places=places)


def _again(lines: tuple[str, ...], said: str) -> Parsed:
    """The second reading, for its findings alone: `said` is why the first one failed, and then there is one slip at least."""
    from agent.config.mending.second_reading import merged, second_reading  # a good file needs none of it

    reading = second_reading(lines)
    slips = [_slip(repair, lines, reading) for repair in reading.repairs]
    content, read, more = _loaded(reading, lines)
    slips += more
    if said and not slips:
        slips.append(
            Slip(
                None,
                say("this is no TOML ({said})", said=f"{said[:1].lower()}{said[1:]}"),
                say("compare the file with config.example.toml"),
            )
        )
    if len(slips) > MOST_SLIPS:
        last = Slip(slips[MOST_SLIPS].span, say("there are more"), say("this may not be a configuration at all"))
        return Parsed(lines, {}, {}, (*slips[:MOST_SLIPS], last), whole=False)
    if content is None:
        return Parsed(lines, {}, {}, tuple(slips), whole=False)
    found = locate("\n".join(read))
    merged(content, reading.again)
    read_places = dict(_moved(found, reading))
    guessed = {path for path, place in read_places.items() if reading.rows[place.key.line - 1] in reading.guessed}
    damaged = {path for path in guessed if isinstance(path[-1], str)}
    places = {path: _in_file(place, lines, reading) for path, place in read_places.items()}
    for path in damaged:
        _take_out(content, path)
    return Parsed(lines, content, places, tuple(slips), frozenset(damaged), True, read, reading.rows, read_places)


def _loaded(reading: SecondReading, lines: Sequence[str]) -> tuple[dict[str, Any] | None, tuple[str, ...], list[Slip]]:
    """What the second reading holds, its lines, and the slips that lie between them: lines that clash with one above."""
    read = list(reading.lines)
    slips: list[Slip] = []
    while len(slips) <= MOST_CLASHES:
        try:
            return tomllib.loads("\n".join(read)), tuple(read), slips
        except tomllib.TOMLDecodeError as error:
            match = re.search(r"\(at line (\d+), column", str(error))
            at = int(match[1]) - 1 if match else -1
            if at < 0 or not read[at].strip() or read[at].lstrip().startswith("#"):
                break
            row = reading.rows[at]
            commented = Edit(row, 1, (f"# {lines[row].strip()}",))
            slips.append(
                Slip(_whole(lines[row], row), say("this was something else before"), say("keep one of the two"), (commented,))
            )
            read[at] = ""
        except (RecursionError, ValueError):
            break
    return None, tuple(read), slips


def _moved(places: Mapping[KeyPath, KeyPlace], reading: SecondReading) -> Mapping[KeyPath, KeyPlace]:
    """The places of what stood below a second header are those of the table it belongs to."""
    moved = {path: place for path, place in places.items() if str(path[0]) not in reading.again}
    for path, place in places.items():
        table = reading.again.get(str(path[0]))
        if table is not None and len(path) > 1:
            moved.setdefault((*table, *path[1:]), place)
    return moved


def _in_file(place: KeyPlace, lines: Sequence[str], reading: SecondReading) -> KeyPlace:
    return KeyPlace(_span_in_file(place.key, lines, reading), _span_in_file(place.value, lines, reading))


def _span_in_file(span: TextSpan, lines: Sequence[str], reading: SecondReading) -> TextSpan:
    """Where a span of the second reading stands in the file; the whole line when that was mended."""
    row = reading.rows[span.line - 1]
    if lines[row] == reading.lines[span.line - 1]:
        return TextSpan(row + 1, span.column, span.length)
    return _whole(lines[row], row)


def _whole(line: str, row: int) -> TextSpan:
    text = line.strip()
    return TextSpan(row + 1, len(line) - len(line.lstrip()) + 1, max(1, len(text)))


def _slip(repair: Repair, lines: Sequence[str], reading: SecondReading) -> Slip:
    edits = (Edit(repair.row, repair.count, repair.lines),) if repair.lines else reading.moves.get(repair.row, ())
    return Slip(_changed(lines[repair.row], repair), repair.what, repair.remedy, edits)


def _changed(line: str, repair: Repair) -> TextSpan:
    """The stretch of the line that must change: what its beginning and its end have in common with the mended one is right."""
    if repair.count != 1 or len(repair.lines) != 1 or not line.strip():
        return _whole(line, repair.row)
    mended = repair.lines[0]
    first = 0
    while first < min(len(line), len(mended)) and line[first] == mended[first]:
        first += 1
    last = 0
    while last < min(len(line), len(mended)) - first and line[-1 - last] == mended[-1 - last]:
        last += 1
    end = len(line) - last
    while first and line[first - 1 : first].isalnum() and line[first : first + 1].isalnum():
        first -= 1
    while end < len(line) and line[end].isalnum() and line[end - 1 : end].isalnum():
        end += 1
    return TextSpan(repair.row + 1, first + 1, max(1, end - first))


def _take_out(content: dict[str, Any], path: KeyPath) -> None:
    table: Any = content
    for step in path[:-1]:
        table = table[step]
    if isinstance(table, dict):
        table.pop(path[-1], None)
