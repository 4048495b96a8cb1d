"""XML as strangers send it: read without document types, entities or anything from elsewhere, bounded in size and in depth."""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

from agent.base.errors import VigieError

MOST_BYTES: Final = 64 * 1024
DEEPEST: Final = 32
MOST_ELEMENTS: Final = 2000


class NotXml(VigieError):
    """What came is no XML that this node reads; the text says why."""


class XmlElement:
    """One element. `space` is its namespace, `name` stands without prefix; so do the names of its attributes."""

    __slots__ = ("attributes", "children", "name", "space", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.space, self.name = _split(tag)
        self.attributes = {_split(name)[1]: value for name, value in attributes.items()}
        self.children: list[XmlElement] = []
        self.text = ""

    def find(self, *names: str) -> XmlElement | None:
        """The first child of that name, its first child of the next name, and so on. Namespaces are not looked at."""
        found: XmlElement | None = self
        for name in names:
            found = next((child for child in (found.children if found else ()) if child.name == name), None)
        return found

    def all(self, name: str) -> list[XmlElement]:
        """Every child of that name."""
        return [child for child in self.children if child.name == name]

    def said(self, *names: str) -> str:
        """The text of what `find` finds, without blanks around it; empty where there is none."""
        found = self.find(*names)
        return found.text.strip() if found is not None else ""


def read_xml(data: bytes) -> XmlElement:
    """The root of a whole document in UTF-8. NotXml for everything else, and for what is too large or too deep."""
    if len(data) > MOST_BYTES:
        raise NotXml(f"more than {MOST_BYTES} bytes are not read")
    reading = _Reading()
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.StartElementHandler = reading.begin
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.StartDoctypeDeclHandler = reading.refuse
    parser.EntityDeclHandler = reading.refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        raise NotXml(f"this is no XML: {error}") from None
    if reading.root is None:
        raise NotXml("this is no XML: it has no element")
    return reading.root


class _Reading:
    """What the parser calls."""

    def __init__(self) -> None:
        self.root: XmlElement | None = None
        self._open: list[XmlElement] = []
        self._count = 0

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= DEEPEST or self._count > MOST_ELEMENTS:
            raise NotXml(f"at most {MOST_ELEMENTS} elements, {DEEPEST} deep, are read")
        element = XmlElement(tag, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def refuse(self, *_: object) -> None:
        raise NotXml("document types and entities are not read")


def _split(tag: str) -> tuple[str, str]:
    space, _, name = tag.rpartition(" ")
    return space, name
