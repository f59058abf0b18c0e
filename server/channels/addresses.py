"""Which addresses a server may call on somebody else's behalf: none that only machines inside can mean."""

import socket
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from server.outbox import DeliveryError

__all__ = ["allowed_addresses", "checked_url", "guarded"]

METADATA = frozenset({"metadata.google.internal", "metadata.goog", "instance-data", "metadata.azure.internal"})
CLOUD = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
            "100.100.100.200", "168.63.129.16", "192.0.0.192",
        ),
    )
)  # fmt: skip
"""Where clouds tell machines who they are: Amazon's and most others', Google's, Alibaba's, Azure's, Oracle's."""
NAT64 = ip_network("64:ff9b::/96")

Ip = IPv4Address | IPv6Address


def checked_url(url: str, *, private: bool | None = None) -> SplitResult:
    """The parts of a URL that may be called, as far as that can be told without asking what its name means.

    Args:
        url: http or https.
        private: see `allowed_addresses`; None: an address is not judged here, but where it is called.

    Raises:
        DeliveryError: it is none of http or https, holds a password, or leads to a cloud's metadata service or to an
            address that may not be called.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # half a bracket, a port that is none
        raise DeliveryError("the URL is not one that can be called", hopeless=True) from None
    if not known or not parts.hostname:
        raise DeliveryError("the URL is not one of http or https", hopeless=True)
    if parts.username or parts.password:
        raise DeliveryError("the URL holds a user or a password: give a secret instead", hopeless=True)
    if parts.hostname.lower().rstrip(".") in METADATA:
        raise DeliveryError(f"{parts.hostname} is a cloud's metadata service", hopeless=True)
    if private is not None and _is_address(parts.hostname):
        why = _refused(parts.hostname, private=private)
        if why:
            raise DeliveryError(f"the URL leads to {why}", hopeless=True)
    return parts


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
    parts = checked_url(url, private=private)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        answers = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise DeliveryError(f"{parts.hostname} cannot be a host's name", hopeless=True) from None
    found = [str(where[0]) for *_, where in answers]
    for address in found:
        why = _refused(address, private=private)
        if why:
            raise DeliveryError(f"{parts.hostname} is {why}", hopeless=True)
    return [address.partition("%")[0] for address in dict.fromkeys(found)]


# ------------------------------------------------------------------------------------------- wherever a library calls


@dataclass
class _Guard:
    private: bool
    refused: list[str] = field(default_factory=list[str])


_GUARD: ContextVar[_Guard | None] = ContextVar("guard", default=None)


@contextmanager
def guarded(*, private: bool) -> Generator[Sequence[str]]:
    """While the block runs, its thread connects to no address that it may not call, whoever looks it up, and when.

    For libraries that do their own calling. A connection that is refused is a `PermissionError` to them.

    Yields:
        Why connections were refused, as that happens.
    """
    guard = _Guard(private)
    before = _GUARD.set(guard)
    try:
        yield guard.refused
    finally:
        _GUARD.reset(before)


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own report of a connection that is about to be made."""
    if event != "socket.connect" or (guard := _GUARD.get()) is None:
        return
    where = arguments[1]
    # A tuple but for sockets that are files. Names have become addresses by then, or cannot be judged.
    why = _refused(str(where[0]), private=guard.private) if isinstance(where, tuple) else None
    if why:
        guard.refused.append(why)
        raise PermissionError(why)


sys.addaudithook(_look)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refused(text: str, *, private: bool) -> str | None:
    """Why an address must not be called; None where it may be."""
    try:
        address = _unwrapped(ip_address(text.partition("%")[0]))
    except ValueError:
        return f"{text}, which is no address"
    if address.is_link_local or address in CLOUD:
        return f"{text}, a link-local or metadata address"
    if address.is_multicast or address.is_unspecified or (address.is_reserved and not address.is_loopback):
        return f"{text}, no machine's address"
    if not private and not address.is_global:
        return f"{text}, an address of a private network: make the integration again with --allow-private"
    return None


def _unwrapped(address: Ip) -> Ip:
    """The IPv4 address in an IPv6 one."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
