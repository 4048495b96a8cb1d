"""The stream pushed to the centre's relay (RTSP RECORD, RFC 2326, 10.11) by a node that nobody can reach, under a lease."""
