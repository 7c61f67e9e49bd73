"""Where a request comes from, and whether it came by TLS, as far as that can be believed.

Anybody can send X-Forwarded-For. It counts only as far as it was added by proxies that TRUSTED_PROXIES names:
read from the end, hop by hop, for as long as the hop that reports is trusted itself. X-Forwarded-Proto counts
where the holder of the connection is trusted.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded: str, trusted: Iterable[Network]) -> str:
    """The address that limits and audit go by. peer: who holds the connection. forwarded: the header."""
    networks = tuple(trusted)
    found, hops = _parsed(peer), forwarded.split(",")
    while found and hops and any(found in network for network in networks):
        reported = _parsed(hops.pop())
        if reported is None:
            break  # a trusted proxy that reports nonsense: it is the last that can be believed
        found = reported
    return str(found) if found else ""


def is_trusted(peer: str, trusted: Iterable[Network]) -> bool:
    """Whether what this holder of a connection reports of others is believed."""
    found = _parsed(peer)
    return found is not None and any(found in network for network in trusted)


def neighbourhood(address: str) -> str:
    """What is counted as one address: of IPv6 the /64, which a single customer is given whole."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found) if found else "unknown"


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
