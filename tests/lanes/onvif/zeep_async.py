"""Home Assistant's client: PORT USER PASSWORD DIRECTORY. Prints what it found as JSON; the snapshot goes to DIRECTORY."""

import asyncio
import datetime
import json
import sys
from pathlib import Path

from onvif import ONVIFCamera


async def main(port: str, user: str, password: str, directory: str) -> None:
    """The calls that Home Assistant makes, in its order."""
    camera = ONVIFCamera("127.0.0.1", int(port), user, password)
    await camera.update_xaddrs()
    device = await camera.create_devicemgmt_service()
    information = await device.GetDeviceInformation()
    await device.GetNetworkInterfaces()
    media = await camera.create_media_service()
    (profile,) = await media.GetProfiles()
    asked = media.create_type("GetStreamUri")
    asked.ProfileToken = profile.token
    asked.StreamSetup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    stream = await media.GetStreamUri(asked)
    snapshot = await camera.get_snapshot_uri(profile.token)
    Path(directory, "zeep_async.jpg").write_bytes(await camera.get_snapshot(profile.token))
    points = await camera.create_pullpoint_manager(datetime.timedelta(minutes=10), lambda: None)
    told = await points.get_service().PullMessages({"MessageLimit": 100, "Timeout": datetime.timedelta(seconds=20)})
    topics = [message.Topic._value_1 for message in told.NotificationMessage]
    await points.stop()
    await camera.close()
    print(
        json.dumps(
            {
                "serial": information.SerialNumber,
                "profile": profile.token,
                "stream": stream.Uri,
                "snapshot": snapshot,
                "topics": topics,
            }
        )
    )


asyncio.run(main(*sys.argv[1:]))
