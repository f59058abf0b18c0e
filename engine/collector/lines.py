"""What does a line of the collector say: which event, with which payload, or where that lies?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.collector.troubles import Trouble, TroubleError

__all__ = ["ATTRIBUTES", "Event", "read_line"]

ATTRIBUTES = ("correlationid", "time", "xrequestid", "modelversion", "source", "type")
"""What of an event's envelope becomes columns of its rows: what they may be joined, dated or filtered by."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line: what was asked of the model at once, or what it answered.

    Attributes:
        attributes: of the envelope, by name, as far as they are given.
        data: the payload, where it is here.
        reference: where the payload lies; None where it is here.
    """

    attributes: Mapping[str, Any]
    data: object
    reference: str | None = None


def read_line(line: bytes) -> Event | None:
    """The event of a line; None for a blank one.

    Raises:
        TroubleError: when it is broken, cut off, or no event.
    """
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return None
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:  # among the first: bytes that are no UTF-8
        raise TroubleError(Trouble.LINE, str(error)) from error
    if not isinstance(found, dict) or "specversion" not in found or not {"data", "dataref"} & found.keys():
        raise TroubleError(Trouble.LINE, "JSON, but without `specversion` and `data` or `dataref`")
    attributes = {name: found[name] for name in ATTRIBUTES if found.get(name) is not None}
    data, reference = found.get("data"), found.get("dataref")
    if isinstance(data, str) and str(found.get("datainblob")).lower() == "true":  # how large ones were once logged
        data, reference = None, data
    return Event(attributes, data, None if data is not None or reference is None else str(reference))
