"""Units that are moved: where and until when one may look, and what closes its picture (docs/nomad.md)."""
