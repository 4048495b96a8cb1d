"""The edits that would mend each finding: what can be pasted, for all that is wrong with a line at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from agent.config.annotation import is_section, plain
from agent.config.diagnosis import MISSED
from agent.config.document import Document
from agent.config.edit import Edit
from agent.config.finding import Finding, without_secrets
from agent.config.locate import KeyPath, KeyPlace, strict_whole
from agent.config.mending.statement import statements
from agent.config.mending.wanted import example, header_of, keys_of, tables
from agent.config.misfit import NOTHING
from agent.config.polygon_meant import on_picture, polygon_line, polygon_meant, size_of
from agent.config.proposal import value_meant
from agent.config.reading import MISSING, ReadingFault
from agent.config.sources import Sources


class _Change(Struct, frozen=True):
    """A stretch of a line that was read: `row` from 0, `start` and `end` in characters."""

    row: int
    start: int
    end: int
    text: str


class Remedies:
    """Of every fault of some sources. Faults that nobody can mend have none."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._changes: dict[str, list[_Change]] = {}
        self._polygons: dict[str, list[Edit]] = {}

    def of(self, fault: ReadingFault, document: Document) -> tuple[Edit, ...]:
        """Edits of their own, which stand elsewhere or span lines; what changes the line itself is kept for `complete`."""
        place = document.read_places.get(fault.path)
        if fault.given is MISSING:
            return tuple(_added(fault.path, document, self._sources))
        if place is None:
            return ()
        if fault.wanted is None and fault.misfit is None:
            return self._unknown(fault.path, document, place)
        if on_picture(fault.path) and (made := self._polygon(fault.path, document)) is not None:
            self._polygons.setdefault(str(document.path), []).append(made)
            return ()
        self._keep(document, *self._value(fault, document, place))
        return ()

    def complete(self, finding: Finding) -> Finding:
        """The finding with the line as it should read, all changes made."""
        document = next((d for d in self._sources.documents if d.path == finding.file), None)
        if document is None or finding.span is None or finding.what == MISSED:
            return finding
        row = finding.span.line - 1
        own = [] if len(finding.edits) == 1 and finding.edits[0].after in document.edits else finding.edits
        edits = [edit for edit in self._polygons.get(str(document.path), ()) if edit.after <= row < edit.after + edit.count]
        edits = edits or _on_row(document, self._changes.get(str(document.path), ()), row)
        edits = [edit for edit in (*edits, *own) if not _shows_secret(document, edit)]
        return replace(finding, edits=tuple(dict.fromkeys(edits)))

    def _keep(self, document: Document, *changes: _Change) -> None:
        self._changes.setdefault(str(document.path), []).extend(changes)

    def _value(self, fault: ReadingFault, document: Document, place: KeyPlace) -> Iterator[_Change]:
        row, start = place.value.line - 1, place.value.column - 1
        line = document.read[row]
        if fault.misfit is not None and fault.misfit.instead is NOTHING:
            yield from _commented(row, line)
        elif fault.wanted is not None and (is_section(plain(fault.wanted)) or fault.path in tables()):
            if line.lstrip().startswith("["):
                yield _Change(row, 0, len(line.partition("#")[0].rstrip()), header_of(fault.path))
        else:
            end = start + place.value.length
            text = value_meant(fault, line[start:end])
            if text is not None:
                yield _Change(row, start, end, text)

    def _polygon(self, path: KeyPath, document: Document) -> Edit | None:
        at = path[: path.index("polygon") + 1]
        polygon = polygon_meant(_value_at(document, at), size_of(self._sources.content))
        place = document.read_places.get(at)
        if polygon is None or place is None:
            return None
        row = place.key.line - 1
        length = next((len(s.lines) for s in statements(document.read) if s.row == row), 1)
        indent = document.read[row][: place.key.column - 1]
        rows = {document.rows[n] for n in range(row, row + length)}
        return Edit(min(rows), max(rows) - min(rows) + 1, (f"{indent}polygon = {polygon_line(polygon)}",))

    def _unknown(self, path: KeyPath, document: Document, place: KeyPlace) -> tuple[Edit, ...]:
        key, row = str(path[-1]), place.key.line - 1
        line = document.read[row]
        if place.key == place.value:  # a table's header: what could be meant by it the second reading has tried
            return ()
        self._keep(document, *_commented(row, line))
        homes = [table for table, many in tables().items() if not many and key in keys_of(table)]
        if len(homes) != 1 or (*homes[0], key) in document.read_places or not strict_whole(line):
            return ()
        return tuple(_put(homes[0], line.strip(), document))


def _value_at(document: Document, path: KeyPath) -> object:
    value: object = document.content
    for step in path:
        value = value[step]  # type: ignore[index]
    return value


def _commented(row: int, line: str) -> Iterator[_Change]:
    """The line at rest; nothing for one whose value goes on below."""
    if strict_whole(line):
        yield _Change(row, 0, len(line), f"# {line.strip()}")


def _put(table: KeyPath, line: str, document: Document) -> Iterator[Edit]:
    """A line below the header of its table; with a header of its own at the end of the file where there is none."""
    place = document.read_places.get(table)
    if place is not None and document.read[place.key.line - 1].lstrip().startswith("["):
        yield Edit(document.rows[place.key.line - 1] + 1, 0, (line,))
    elif place is None:
        yield Edit(len(document.lines), 0, (header_of(table), line))


def _added(path: KeyPath, document: Document, sources: Sources) -> Iterator[Edit]:
    """What mends a missing key: a line below the header of its table, or a whole table at the end."""
    if path in tables():
        missing = [name for name in ("id", "driver", "url") if name in keys_of(path)][:1]
        yield Edit(len(document.lines), 0, (header_of(path), *(f"{name} = {example((*path, name))}" for name in missing)))
        return
    shown = example(path)
    place = document.read_places.get(path[:-1])
    if shown is None or place is None or not document.read[place.key.line - 1].lstrip().startswith("["):
        return
    if path == ("camera", "driver"):
        source = str(dict(sources.content.get("camera") or {}).get("source", ""))
        shown = '"rtsp"' if source.startswith("rtsp") else '"v4l2"' if source.startswith("/dev/") else shown
    yield Edit(document.rows[place.key.line - 1] + 1, 0, (f"{path[-1]} = {shown}",))


def _on_row(document: Document, changes: Sequence[_Change], row: int) -> list[Edit]:
    """The edit that makes all changes of one line of the file, those of its syntax with them."""
    base = document.edits.get(row)
    read = [n for n, at in enumerate(document.rows) if at == row]
    here = [change for change in changes if change.row in read]
    if not here:
        return [base] if base else []
    lines = [_changed(document.read[n], [c for c in here if c.row == n]) for n in read]
    return [Edit(row, base.count if base else 1, tuple(lines))]


def _changed(line: str, changes: Sequence[_Change]) -> str:
    first = len(line) + 1
    for change in sorted(set(changes), key=lambda c: (c.start, c.end), reverse=True):
        if change.end <= first:
            line = line[: change.start] + change.text + line[change.end :]
            first = change.start
    return line


def _shows_secret(document: Document, edit: Edit) -> bool:
    around = (*edit.lines, *document.lines[edit.after : edit.after + edit.count])
    return any(without_secrets(line) != line for line in around)
