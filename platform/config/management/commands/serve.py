"""The program that serves pages and API."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import serve


class Command(BaseCommand):
    help = "Serve the pages and the API until stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--threads", type=int, default=8)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        serve.serve(options["host"], options["port"], options["threads"])
