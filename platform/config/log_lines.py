"""Lines of the log: for people, or as JSON with what they are about."""

import logging
import time
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from audit.context import origin

TOLD = ("message", "status_code", "exc_info", "stack_info")
"""What of a record is written besides its place. No more: a request that is added to one has its query."""


class About(logging.Filter):
    """Gives each line the request, or the work, in which it was written; never a patient or a person."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: nothing is left out."""
        here = getattr(getattr(record, "request", None), "origin", None) or origin.get()
        record.about = {
            "door": here.door,
            "request_id": here.request_id,
            "jobs": list(here.jobs),
            "images": list(here.images),
        }
        return True


class JsonLines(JsonFormatter):
    """One JSON object a line: time in UTC, level, logger, process, message, a fault's traceback, About."""

    def __init__(self) -> None:
        super().__init__("{message}", style="{")
        self.converter = time.gmtime

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """In one order, and only what there is to say."""
        super().add_fields(log_data, record, message_dict)
        told = {key: log_data[key] for key in TOLD if log_data.get(key)}
        about = {key: value for key, value in log_data.get("about", {}).items() if value}
        log_data.clear()
        log_data["time"] = f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z"
        log_data |= {"level": record.levelname, "logger": record.name, "process": record.process}
        log_data |= told | about
