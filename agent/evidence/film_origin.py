"""Where a film was made, by the name of its place that it carries. What nobody knows is told as unknown, never guessed."""

from __future__ import annotations

from agent.config.model import Config
from agent.recording.places import FilmPlace, PlaceBook


def present_place(config: Config) -> FilmPlace:
    """What the configuration says of a node that hangs where it hangs; without a name."""
    node = config.node
    return FilmPlace(name="", site=node.site or node.id, latitude=node.latitude, longitude=node.longitude)


def origin_of(config: Config, place: str) -> FilmPlace | None:
    """The place of that name. A film without one was made before there was a book: where the first entry says, if this is no
    unit that is moved. Raises StorageError."""
    known = PlaceBook(config.node.state_dir).all()
    if place:
        return next((each for each in known if each.name == place), None)
    if config.node.role == "nomadic":
        return None
    return known[0] if known else present_place(config)
