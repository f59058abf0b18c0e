"""Which addresses a server may call on somebody else's behalf: none that only machines inside can mean."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from server.outbox import DeliveryError

__all__ = ["allowed_addresses"]

METADATA = frozenset({"metadata.google.internal", "metadata.goog", "instance-data", "metadata.azure.internal"})
CLOUD = frozenset({ip_address("169.254.169.254"), ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})
"""Where clouds tell machines who they are: link-local ones, and those of clouds that use another."""

Ip = IPv4Address | IPv6Address


def allowed_addresses(url: str, *, private: bool) -> Sequence[str]:
    """The IP addresses of a URL's host, all of which may be called.

    They are looked up once, and it is these that are to be called: a name that means another address the next time it
    is asked cannot lead somewhere else.

    Args:
        url: http or https.
        private: whether addresses of private networks and of this machine are allowed, too. Link-local and metadata
            addresses never are.

    Raises:
        DeliveryError: the URL is none, or leads where it must not; it is hopeless to try again.
        OSError: the name means nothing at the moment.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DeliveryError("the URL is not one of http or https", hopeless=True)
    if parts.username or parts.password:
        raise DeliveryError("the URL holds a user or a password: give a secret instead", hopeless=True)
    if parts.hostname.lower().rstrip(".") in METADATA:
        raise DeliveryError(f"{parts.hostname} is a cloud's metadata service", hopeless=True)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    answers = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    found = [ip_address(str(where[0]).partition("%")[0]) for *_, where in answers]
    for address in found:
        why = _refused(_unwrapped(address), private=private)
        if why:
            raise DeliveryError(f"{parts.hostname} is {address}, {why}", hopeless=True)
    return [str(address) for address in dict.fromkeys(found)]


def _unwrapped(address: Ip) -> Ip:
    """The IPv4 address in an IPv6 one."""
    return (getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)) or address


def _refused(address: Ip, *, private: bool) -> str | None:
    if address.is_link_local or address in CLOUD:
        return "a link-local or metadata address"
    if address.is_multicast or address.is_unspecified or (address.is_reserved and not address.is_loopback):
        return "no machine's address"
    if not private and not address.is_global:
        return "an address of a private network: allow it with `allow_private`"
    return None
