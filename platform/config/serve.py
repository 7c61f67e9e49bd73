"""The web server behind `manage.py serve`.

waitress takes in a whole request, headers and body, before a thread of ours works on it. A client that
stalls, in the middle of a header or of an upload, so holds a connection and a few kilobytes, and nobody waits
for it. Bodies beyond half a megabyte lie in a file without a name in TMPDIR, which goes with the process.
"""

import logging
import resource
import signal
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import quote

import waitress
from django.conf import settings

from cases import intake
from config.wsgi import application

logger = logging.getLogger("access")
CONNECTIONS = 2000
"""Beyond these, new ones wait to be taken."""
SILENCE_SECONDS = 60
"""After which a connection that sends nothing is closed."""
HEADER_BYTES = 64 * 1024
STATEMENT_SECONDS = 30


def serve(host: str, port: int, threads: int) -> None:
    """Until SIGTERM or SIGINT."""
    intake.tidy()
    _allow_files()
    _bound_statements()
    signal.signal(signal.SIGTERM, _end)
    waitress.serve(
        noted(application),
        host=host,
        port=port,
        threads=threads,
        connection_limit=CONNECTIONS,
        channel_timeout=SILENCE_SECONDS,
        cleanup_interval=10,
        max_request_header_size=HEADER_BYTES,
        max_request_body_size=settings.MAX_REQUEST_BYTES,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=False,  # accounts.middleware believes those of TRUSTED_PROXIES only
        url_prefix=settings.SERVED_UNDER,  # a proxy may keep it or strip it
        ident="",
    )


def noted(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application with a line in the log for each request.

    No query and no referring page, where a patient may have been searched for.
    """

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started = time.monotonic()

        def start(status: str, *rest: Any) -> Any:
            logger.info(
                '%s "%s %s %s" %s %.0fms',
                environ.get("REMOTE_ADDR", "-"),
                environ["REQUEST_METHOD"],
                quote(environ.get("PATH_INFO", ""), encoding="latin-1"),
                environ["SERVER_PROTOCOL"],
                status[:3],
                1000 * (time.monotonic() - started),
            )
            return start_response(status, *rest)

        return application(environ, start)

    return respond


def _allow_files() -> None:
    """A connection each, and as many files again for their bodies."""
    wanted = 2 * CONNECTIONS + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > soft:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _bound_statements() -> None:
    """No page waits longer for the database than people do. Migrations and workers may."""
    options = settings.DATABASES["default"]["OPTIONS"]
    options["options"] = f"{options.get('options', '')} -c statement_timeout={STATEMENT_SECONDS}s".strip()


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
