"""Who asks: the address that no client can choose, and a digest of it or of an account in the place of either."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any, Final, TypeAlias

from mita_otel.ratelimit.forwarded import READERS, Address, Header, MalformedError, address

Network: TypeAlias = IPv4Network | IPv6Network

UNIX: Final = "unix"
"""In the list of trusted proxies: whoever connects by a Unix socket."""

HOPS_AT_MOST: Final = 16
"""Proxies in a row that are believed."""

_SUBSCRIBER: Final = 64
"""Bits of an IPv6 address that tell one subscriber from another: the rest is the subscriber's to choose.
Source: RFC 6177, section 2."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of addresses and CIDR ranges, `unix` left out.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(ip_network(text, strict=False) for text in texts if text != UNIX)


class Addresses:
    """Finds the address of a request's client.

    A header is believed only from a trusted proxy, and only as far as trusted proxies have written it: it is read from
    right to left up to the first address that is none of theirs. What a client has put into it itself stands left of
    that. Only the one header is read that the proxies are known to write: another one they would pass on.

    Args:
        trusted: addresses and networks of proxies, and `unix`.
        header: the one that they write.
        malformed: told of each header in which a trusted proxy's entry was no address.
    """

    __slots__ = ("_header", "_malformed", "_networks", "_read", "_trusts_unix")

    def __init__(
        self,
        trusted: Sequence[str] = (),
        header: Header = "x-forwarded-for",
        malformed: Callable[[], None] = lambda: None,
    ) -> None:
        self._networks = networks(trusted)
        self._trusts_unix = UNIX in trusted
        self._header = header.encode()
        self._read = READERS[header]
        self._malformed = malformed

    def of(self, scope: Mapping[str, Any]) -> str:
        """Return what a client is told apart by: its IPv4 address, the /64 of its IPv6 address, or the peer's name."""
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        if not self._networks and not self._trusts_unix:
            return _partition(peer)
        nearest = _known(peer)
        believed = self._trusts_unix and not peer if nearest is None else self._trusts(nearest)
        if not believed:
            return _partition(peer)
        found = self._behind(scope["headers"], nearest)
        return _partition(peer) if found is None else _of_address(found)

    def _behind(self, headers: Iterable[tuple[bytes, bytes]], nearest: Address | None) -> Address | None:
        values = [value for name, value in headers if name == self._header]
        for hop, entry in enumerate(self._read(values)):
            try:
                nearest = address(entry)
            except MalformedError:
                self._malformed()
                break
            if hop + 1 == HOPS_AT_MOST or not self._trusts(nearest):
                break
        return nearest

    def _trusts(self, found: Address) -> bool:
        return any(found in network for network in self._networks)


@lru_cache(4096)
def _partition(peer: str) -> str:
    found = _known(peer)
    return peer[:255] if found is None else _of_address(found)


@lru_cache(4096)
def _known(peer: str) -> Address | None:
    try:
        return address(peer)
    except MalformedError:
        return None


def _of_address(found: Address) -> str:
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found.packed[: _SUBSCRIBER // 8] + bytes(8), _SUBSCRIBER)))
    return str(found)


class Digests:
    """Digests that stand for clients wherever they are kept, in Redis, in memory and in logs.

    They are keyed: of an address or an e-mail address there are too few for a plain hash to hide it.

    Args:
        secret: the same for all replicas, 16 characters or more; what it is used for elsewhere stays unknown.

    Raises:
        ValueError: the secret is too short.
    """

    __slots__ = ("_keyed",)

    def __init__(self, secret: str) -> None:
        if len(secret) < 16:  # noqa: PLR2004 - said in the docstring
            raise ValueError("the secret of rate limits must have 16 or more characters")
        key = hashlib.sha256(secret.encode()).digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=16, person=b"mita-ratelimit")

    def of(self, kind: str, value: str) -> bytes:
        """Return the digest of a client: 16 bytes, different for an address and a user of the same text."""
        digest = self._keyed.copy()
        # A lone half of a surrogate pair is no UTF-8, but tells one client from another.
        digest.update(f"{kind}\0{value}".encode("utf-8", "surrogatepass"))
        return digest.digest()
