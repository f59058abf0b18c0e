"""Log lines that machines read: one JSON object each."""

import json
import logging
from datetime import UTC, datetime

__all__ = ["JsonLines"]

FACTS = ("monitor", "scheduled_for", "window", "run_id", "application")
"""What a line may be about, beside its text (`extra`)."""


class JsonLines(logging.Formatter):
    """Formats a record as an object: time, level, logger, message, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)
