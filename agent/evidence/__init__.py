"""Identity, media signing, verification and export."""
