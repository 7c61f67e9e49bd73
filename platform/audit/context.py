"""Through which door, from where, and in which request something is being done."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """door: "page", "api", "worker" or "command". jobs, images: keys of the work in hand and its scans."""

    door: str
    request_id: str = ""
    ip_address: str | None = None
    jobs: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


origin: ContextVar[Origin] = ContextVar("origin", default=Origin("command"))  # noqa: B039  # frozen
