"""The addresses that proxies have noted in headers, newest first, in either of the two forms."""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal, TypeAlias

Header: TypeAlias = Literal["x-forwarded-for", "forwarded"]
Address: TypeAlias = IPv4Address | IPv6Address

LONGEST: Final = 64
"""Characters of one address with all that may be around it; the longest IPv6 address has 45."""


class MalformedError(ValueError):
    """What should be an address is none."""


def address(text: str) -> Address:
    """Return the address in a text such as `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.

    An IPv4 address that is written as an IPv6 one is the IPv4 address.

    Raises:
        MalformedError: there is none.
    """
    if len(text) > LONGEST:
        raise MalformedError
    if text.startswith("["):
        text, _, _ = text[1:].partition("]")
    elif text.count(":") == 1:
        text, _, _ = text.partition(":")
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        raise MalformedError from None
    return getattr(found, "ipv4_mapped", None) or found


def x_forwarded_for(values: Iterable[bytes]) -> Iterator[str]:
    """Yield the entries of `X-Forwarded-For` from right to left, those of the last line first."""
    return _from_right(values)


def forwarded(values: Iterable[bytes]) -> Iterator[str]:
    """Yield the `for` of each element of `Forwarded` from right to left. Source: RFC 7239, section 4."""
    for element in _from_right(values):
        yield _for(element)


READERS: Final[dict[Header, Callable[[Iterable[bytes]], Iterator[str]]]] = {
    "x-forwarded-for": x_forwarded_for,
    "forwarded": forwarded,
}


def _from_right(values: Iterable[bytes]) -> Iterator[str]:
    """Split at commas lazily, so that what a client has put before the proxies' entries is not even looked at."""
    for value in reversed(list(values)):
        end = len(value)
        while end >= 0:
            comma = value.rfind(b",", 0, end)
            # An entry of many megabytes is not copied to be found too long.
            yield value[comma + 1 : min(end, comma + 1 + 4 * LONGEST)].decode("latin-1").strip()
            end = comma if comma >= 0 else -1


def _for(element: str) -> str:
    """Return the node of an element such as `for="[2001:db8::1]:80";proto=https`; empty if it has none.

    A comma or a semicolon within quotes is no address's, so that splitting there loses nothing.
    """
    for pair in element.split(";"):
        name, _, node = pair.partition("=")
        if name.strip().lower() == "for":
            return node.strip().removeprefix('"').removesuffix('"')
    return ""
