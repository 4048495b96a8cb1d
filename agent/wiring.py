"""The composition root: the one module that knows both agent/ and hardware/."""
