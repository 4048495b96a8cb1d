"""Dates of a certificate."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509


def days_left(certificate: x509.Certificate, now: datetime) -> int:
    """Whole days until it expires; negative once it has."""
    return (certificate.not_valid_after_utc - now).days
