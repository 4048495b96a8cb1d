"""What is told of the stream under a lease that is given the small one: a client that asks for the size gets that one."""

from __future__ import annotations

import pytest

from agent.picture.access_unit import VideoFormat
from tests.support.onvif_house import FORMAT, OnvifHouse, username_token

LOW = VideoFormat("h264", 320, 180, 5.0, FORMAT.extradata)


@pytest.mark.parametrize(
    ("service", "name", "inner"),
    [
        ("media", "GetProfiles", ""),
        ("media", "GetVideoSources", ""),
        ("media", "GetVideoEncoderConfigurations", ""),
        ("media2", "GetProfiles", "<e:Type>All</e:Type>"),
        ("media2", "GetVideoEncoderConfigurations", ""),
    ],
)
def test_the_size_told_is_that_of_the_stream_that_the_lease_gets(fresh: OnvifHouse, service: str, name: str, inner: str) -> None:
    """Another lease beside it is told the large one."""
    spared = fresh.gate.open(name="lease-spared")
    fresh.gate.formats[spared.lease] = LOW
    low = fresh.ask(service, name, inner, token=username_token(spared))
    full = fresh.ask(service, name, inner, token=username_token(fresh.secret))
    assert set(low.says("Width")) == {"320"}
    assert set(full.says("Width")) == {"640"}
