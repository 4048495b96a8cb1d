"""Typed events and the outbox that keeps them until the centre has them."""
