"""Films on which a guard once showed private spaces: not one pixel of them now."""

from __future__ import annotations

from bench import leak_films


def test_films_that_leaked_leak_no_more() -> None:
    """A burnt-in clock, a hood, stale rows, noise reduction, half a reference that drives off."""
    films = leak_films.folder()
    runs = [leak_films.play(films, name) for name in leak_films.names(films)] if films else []
    assert {run.name: run.leaks for run in runs if run.leaks} == {}
