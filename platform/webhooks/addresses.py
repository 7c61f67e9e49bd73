"""Where a message may go: the check against being made to call inside the house (SSRF).

A name is resolved once, every address it has is checked, and the connection goes to a checked address and
never to the name again: whoever answers differently the second time (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from refusals import Refusal

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Target:
    """A checked address and what is said there. host: for the certificate's name and the Host header."""

    ip: str
    host: str
    port: int
    path: str
    is_tls: bool

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS["https" if self.is_tls else "http"] else f"{host}:{self.port}"


def parsed(address: str) -> SplitResult:
    """The parts of an address that may be called as far as it says itself. Raises Refusal."""
    if any(character <= " " or character > "~" or character in '\\"<>' for character in address):
        raise Refusal("bad_address", _("Write the address in plain letters, without spaces."))
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Refusal("bad_address", _("This is not an address.")) from None
    schemes = {"https", "http"} if settings.WEBHOOK_ALLOW_HTTP else {"https"}
    if parts.scheme not in schemes or not host or port == 0:
        raise Refusal("bad_address", _begins_with(schemes))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Refusal("bad_address", _("An address here has no user, no password and no #."))
    if not _is_listed(host):
        raise Refusal("host_not_allowed", _("This host is not among WEBHOOK_ALLOWED_HOSTS."))
    _refuse_literal(host)
    return parts


def _begins_with(schemes: set[str]) -> str:
    words = _("An address begins with {schemes}:// and a host.")
    return words.format(schemes=":// / ".join(sorted(schemes)))


def target(address: str) -> Target:
    """Resolve the host and check every address it has. Raises Refusal."""
    parts = parsed(address)
    host = str(parts.hostname)
    port = parts.port or PORTS[parts.scheme]
    found = _resolved(host, port)
    if not found or any(is_forbidden(ip) for ip in found):
        raise Refusal("forbidden_address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(str(found[0]), host, port, path, is_tls=parts.scheme == "https")


def is_forbidden(ip: IPv4Address | IPv6Address) -> bool:
    """Whether it lies inside: private, loopback, link-local, shared, reserved, or one of them in disguise."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip in LOCAL_NAT64 or ip.is_site_local:
            return True
        if ip in NAT64:
            return is_forbidden(IPv4Address(int(ip) & 0xFFFFFFFF))
    if any(ip in network for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return False
    return not ip.is_global or ip.is_multicast or ip.is_reserved


def _is_listed(host: str) -> bool:
    """An empty list allows every host. An entry is a name, or begins with a dot for all below it."""
    listed = settings.WEBHOOK_ALLOWED_HOSTS
    host = host.rstrip(".")
    return not listed or any(host == one or (one[:1] == "." and host.endswith(one)) for one in listed)


def _refuse_literal(host: str) -> None:
    """Tell at once, in the form, what would be refused when it is sent."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return
    if is_forbidden(ip):
        raise Refusal("forbidden_address", _("This address lies inside, and is not allowed."))


def _resolved(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refusal("unresolved") from None
    return [ipaddress.ip_address(place[0]) for *_, place in found]
