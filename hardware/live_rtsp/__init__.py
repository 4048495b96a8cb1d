"""RTSP and RTSPS for viewers: one H.264 track, sent as it was encoded and signed, to whoever proves a lease.

Here belongs what a viewer's protocol is (RFC 2326, RFC 3550, RFC 6184, RFC 7616). Who may look is asked of `agent.ports.live`.
"""
