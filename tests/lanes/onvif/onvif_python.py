"""onvif-python: PORT USER PASSWORD. Prints what it found as JSON."""

import json
import re
import sys

from onvif import ONVIFClient

port, user, password = sys.argv[1:4]
client = ONVIFClient("127.0.0.1", int(port), user, password)
information = client.devicemgmt().GetDeviceInformation()
media = client.media()
(profile,) = media.GetProfiles()
setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
stream = media.GetStreamUri(ProfileToken=profile.token, StreamSetup=setup)
snapshot = media.GetSnapshotUri(ProfileToken=profile.token)
reference = client.events().CreatePullPointSubscription()
told = client.pullpoint(reference).PullMessages(Timeout="PT20S", MessageLimit=100)
states = [re.sub(r"\s+", " ", str(message.Message)) for message in told.NotificationMessage]
subscription = client.subscription(reference)
subscription.Renew(TerminationTime="PT1M")
subscription.Unsubscribe()
print(
    json.dumps(
        {
            "serial": information.SerialNumber,
            "profile": profile.token,
            "stream": stream.Uri,
            "snapshot": snapshot.Uri,
            "states": states,
        }
    )
)
