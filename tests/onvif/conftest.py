"""A door for all tests of a module, and one with a lease of its own for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.onvif_house import OnvifHouse


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnvifHouse]:
    """Listens, with one lease in force."""
    with OnvifHouse(tmp_path_factory.mktemp("onvif")) as house:
        yield house


@pytest.fixture
def fresh(house: OnvifHouse) -> OnvifHouse:
    """The same door under a new lease: what others did to theirs is none of this test's."""
    house.secret = house.gate.open()
    house.gate.refusals.clear()
    house.gate.register.clear()
    return house
