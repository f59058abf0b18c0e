"""What `docs/server.md` says: how driftline runs as a server, with a table of every key of its settings."""

from pathlib import Path

from docs.yaml_page import sections
from server.settings import ServerKeys

__all__ = ["page"]

GUIDE = Path(__file__).with_name("server.in.md")
"""The page as it is written by hand, with a mark where the tables belong."""


def page() -> str:
    """The page, in Markdown."""
    return GUIDE.read_text(encoding="utf-8").replace("<!-- KEYS -->", sections(ServerKeys, set()).rstrip())
