"""The program that keeps house: sweeping, sealing, tidying, and waking the workers."""

import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import maintenance
from inference.jobs import waking


class Command(BaseCommand):
    help = "Sweep, seal, tidy and wake workers until stopped (docs/reliability.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pulse", type=Path, help="a file that is touched after each round")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
        threading.Thread(target=waking.keep_waking, args=[over], name="waking", daemon=True).start()
        pulse: Path | None = options["pulse"]
        maintenance.keep(over, pulse.touch if pulse else lambda: None)
