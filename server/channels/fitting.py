"""A message's text as chat services take it: no longer than they show, and nothing in it that they would act on."""

import re

__all__ = ["as_markdown", "fitted", "harmless"]

MENTION = re.compile(r"@(?=\w)")
CUT = "… and {} lines more"


def fitted(text: str, most: int) -> str:
    """The text; of one that is too long its beginning and its last paragraph, which says where there is more."""
    text = text.rstrip("\n")
    if len(text) <= most:
        return text
    head, _, last = text.rpartition("\n\n")
    lines = head.splitlines()
    room = most - len(last) - len(CUT.format(len(lines))) - len("\n\n\n")
    if room < 1:
        return text[: most - 1] + "…"
    kept = list[str]()
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:  # one line that is longer than all that there is room for
        kept = [f"{lines[0][: room + len(lines[0])]}…"]
    return "\n".join([*kept, CUT.format(len(lines) - len(kept)), "", last])


def harmless(text: str) -> str:
    """The text with an invisible space in what would call people (`@everyone`); a value from the data may be so named.

    Links stay as they are.
    """
    return "\n".join(line if "://" in line else MENTION.sub("@\u200b", line) for line in text.split("\n"))


def as_markdown(text: str) -> str:
    """The text for a service that joins lines: checks are bold, what is said of each is a list."""
    return "\n\n".join(filter(None, map(_line, text.splitlines())))


def _line(line: str) -> str:
    if line.startswith("• "):
        return f"**{line.removeprefix('• ')}**"
    return f"- {line.strip()}" if line.startswith("    ") else line
