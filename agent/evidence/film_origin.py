"""Where a film was made, by the name of its place that it carries. What nobody knows is told as unknown, never guessed."""

from __future__ import annotations

from agent.config.model import Config
from agent.recording.places import FilmPlace, PlaceBook


def present_place(config: Config) -> FilmPlace:
    """What the configuration says of a node that hangs where it hangs; without a name."""
    node = config.node
    return FilmPlace(name="", site=node.site or node.id, latitude=node.latitude, longitude=node.longitude)


def unnamed_place(config: Config) -> str:
    """The place of a film without a name: it was made before there was a book, where the first entry says.

    Empty without an entry, and on a unit that is moved, where nobody knows. Raises StorageError.
    """
    known = PlaceBook(config.node.state_dir).all()
    return known[0].name if known and config.node.role != "nomadic" else ""


def origin_of(config: Config, place: str) -> FilmPlace | None:
    """The place of that name, or of a film without one. Raises StorageError."""
    known = PlaceBook(config.node.state_dir).all()
    name = place or unnamed_place(config)
    if name:
        return next((each for each in known if each.name == name), None)
    return None if config.node.role == "nomadic" else present_place(config)
