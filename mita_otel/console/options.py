"""What the console is told: ports, folder, limits, token; checked before anything starts."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

_UNITS: Final = {"": 1, "b": 1} | {
    f"{prefix}{suffix}": base**power
    for power, prefix in enumerate("kmgt", 1)
    for suffix, base in (("", 1024), ("ib", 1024), ("b", 1000))
}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LEAST_SIZE: Final = 1024 * 1024
_LEAST_TOKEN: Final = 8


class ConsoleError(Exception):
    """The console cannot start; the message names the option and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve, and where.

    Attributes:
        host: name or address to listen on; others than loopback need a token.
        port: of the page; 0 for any that is free, as for the others.
        otlp_http_port: for OTLP over HTTP.
        otlp_grpc_port: for OTLP over gRPC; None switches it off.
        folder: where the data stays; None for a temporary one that is deleted at the end.
        max_size: bytes that are kept.
        max_age: seconds for which anything is kept.
        token: what clients and browsers must show; None for nothing.
    """

    host: str = "127.0.0.1"
    port: int = 8317
    otlp_http_port: int = 4318
    otlp_grpc_port: int | None = 4317
    folder: Path | None = None
    max_size: int = 1024**3
    max_age: int = 86_400
    token: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be served.

        Raises:
            ConsoleError: an option is wrong.
        """
        if self.token is None and not is_loopback(self.host):
            raise ConsoleError(
                f"--host {self.host}: others than this machine can reach that; set MITA_CONSOLE_TOKEN or --token"
            )
        if self.token is not None and (len(self.token) < _LEAST_TOKEN or not self.token.isascii()):
            raise ConsoleError(f"--token: it must have at least {_LEAST_TOKEN} characters, ASCII only")
        if self.max_size < _LEAST_SIZE:
            raise ConsoleError("--max-size: it must be 1MiB or more")
        if self.max_age < 1:
            raise ConsoleError("--max-age: it must be a second or more")


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def parse_size(text: str) -> int:
    """Return a size in bytes, as in `512MiB`, `2GB` or `1g`; without a unit it is bytes.

    Raises:
        ConsoleError: it is none.
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) *([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _UNITS:
        raise ConsoleError(f"--max-size {text}: give it as 512MiB or 2GB")
    return int(float(found[1]) * _UNITS[found[2]])


def parse_age(text: str) -> int:
    """Return a time in seconds, as in `90s`, `30m`, `24h`, `7d`, `1h30m`.

    Raises:
        ConsoleError: it is none.
    """
    parts = re.findall(r"([0-9]{1,9})([smhd])", text.strip().lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip().lower():
        raise ConsoleError(f"--max-age {text}: give it as 30m, 24h or 7d")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def parse_port(text: str) -> int | None:
    """Return a port, or None for `none`.

    Raises:
        ConsoleError: it is neither.
    """
    if text.strip().lower() == "none":
        return None
    if not re.fullmatch("[0-9]{1,5}", text.strip()) or int(text) > 65_535:  # noqa: PLR2004 - the highest port
        raise ConsoleError(f"--otlp-grpc-port {text}: give a port, or none")
    return int(text)
