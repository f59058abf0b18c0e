"""Which driftline this is. A constant, because a zip that was shipped with ``--py-files`` has no metadata."""

__all__ = ["ENGINE_VERSION"]

ENGINE_VERSION = "0.1.0"
"""What every stored row says it was written by; the same as in pyproject.toml (a test says so)."""
