"""Which addresses we call: names are resolved here, every answer is checked, and the connection goes to a checked one.

Checking the text of a URL is not enough: a name may resolve to a private address, differently each time (DNS
rebinding), and numbers may be written in many ways. So the check happens on the resolved address, inside the
network layer, and the socket is opened to that very address. TLS still verifies the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore
import httpx

from integrations.framework.errors import AddressRefused, TemporaryError

Resolver = Callable[[str, int], Awaitable[list[str]]]

# Databases, mail, caches and shells: nothing we automate speaks HTTP there.
REFUSED_PORTS = frozenset(
    {
        1433,
        1521,
        2049,
        2375,
        2376,
        2379,
        3306,
        3389,
        5432,
        5672,
        5900,
        5984,
        6379,
        6443,
        6667,
        9200,
        9300,
        10250,
        11211,
        27017,
    }
)
# Public addresses with a meaning inside a cloud: Azure's wire server.
REFUSED_ADDRESSES = frozenset({ipaddress.ip_address("168.63.129.16")})
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2002::/16",  # 6to4 wraps any IPv4 address
        "2001::/32",  # Teredo likewise
        "64:ff9b:1::/48",  # local NAT64
        "::/96",  # IPv4-compatible
        "fec0::/10",  # site-local
        "192.0.0.0/24",  # protocol assignments; clouds answer metadata here, and not every Python calls it private
        "192.88.99.0/24",  # 6to4 relays
        "3fff::/20",  # documentation; Python knows it from 3.13 on
    )
)


def checked_url(text: str, *, allow_private: frozenset[str] = frozenset()) -> httpx.URL:
    """Return the address in normal form. Raises AddressRefused when it is not one we call.

    allow_private: "host" or "host:port" entries that may be private, on any port named there.
    """
    if any(ord(character) <= 32 or character == "\\" or ord(character) == 127 for character in text):
        raise refused("it contains spaces or control characters")
    try:
        url = httpx.URL(text)
        port = url.port
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise refused("it is not a valid address") from None
    if url.scheme not in ("http", "https"):
        raise refused("only http and https are possible")
    if url.userinfo:
        raise refused("it must not contain a user name or password")
    host = url.host.rstrip(".").lower()
    if not host:
        raise refused("it has no host")
    if host != url.host:
        url = url.copy_with(host=host)
    number = port or (443 if url.scheme == "https" else 80)
    is_odd_port = number in REFUSED_PORTS or (number < 1024 and number not in (80, 443))
    if is_odd_port and not allowed(host, number, allow_private):
        raise refused(f"port {number} is not for web services")
    refuse_host(host, number, allow_private)
    return url


def refuse_host(host: str, port: int, allow_private: frozenset[str]) -> None:
    """Raise AddressRefused for a host that cannot be a public one, whatever it resolves to."""
    if ":" not in host and re.fullmatch(r"(0x[0-9a-f]*|\d+)", host.rsplit(".", 1)[-1]):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            # 2130706433, 0x7f.1 and 0177.0.0.1 all mean 127.0.0.1 to some resolvers.
            raise refused("the host is a number written in an unusual way") from None
    if allowed(host, port, allow_private):
        return
    if "." not in host and ":" not in host:
        raise refused("the host is a name of a local network")
    literal = _address(host)
    if literal is not None and not is_public(literal):
        raise refused("it is inside a private network")


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address belongs to the open internet, looking through the ways IPv6 wraps IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in NEVER):
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and address not in REFUSED_ADDRESSES
    )


def allowed(host: str, port: int, allow_private: frozenset[str]) -> bool:
    return host in allow_private or f"{host}:{port}" in allow_private


def refused(reason: str) -> AddressRefused:
    return AddressRefused(f"We do not call this address: {reason}.", detail=f"address refused: {reason}")


async def system_resolver(host: str, port: int) -> list[str]:
    """Return the addresses of a name, in the order the system prefers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only; everything else is httpcore's own."""

    def __init__(self, allow_private: frozenset[str], resolve: Resolver) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._addresses(host, port)
        failure: Exception | None = None
        for address in addresses[:4]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # noqa: S101 - the list is never empty here
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise refused("local sockets are not web services")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        return await resolved(host, port, allow_private=self._allow_private, resolve=self._resolve)


async def resolved(host: str, port: int, *, allow_private: frozenset[str], resolve: Resolver) -> list[str]:
    """Return the addresses of a host, never empty, every one of them checked: connect to these, not to the name.

    Raises AddressRefused, or TemporaryError when the name is not found.
    """
    literal = _address(host)
    if literal is not None:
        found = [str(literal)]
    else:
        try:
            found = await resolve(host, port)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise TemporaryError(
                f"The name {host} could not be found. Check the address, or wait a moment.",
                detail=f"no address for {host}",
            )
    # One private answer among public ones is refused as a whole: nobody publishes that by accident.
    if not allowed(host, port, allow_private) and not all(
        is_public(ipaddress.ip_address(text.partition("%")[0])) for text in found
    ):
        raise refused("it is inside a private network")
    return found


def checked_host(text: str, port: int, *, allow_private: frozenset[str]) -> str:
    """Return a host's name in normal form, for services that do not speak HTTP. Raises AddressRefused."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?", text) or not 0 < port < 65536:
        raise refused("it is not the name of a server")
    host = text.strip("[]").rstrip(".").lower()
    refuse_host(host, port, allow_private)
    return host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
