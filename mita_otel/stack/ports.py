"""The ports the stack listens on: the standard ones where they are free, others where they are not."""

import os
import random
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final, Self

from mita_otel.stack.model import Endpoints, StackError

LOOPBACK: Final = "127.0.0.1"
_RANGE: Final = range(20_000, 32_000)
"""Below the range from which Linux takes the ports of outgoing connections."""


_MARKS: Final = 64
_marks: Final[dict[int, int]] = {}
"""Descriptors of the marks of the last ports that this process chose: a stack needs 12, and has opened them before the
mark is gone."""


def next_port() -> int:
    """Return any port of the range that no process of this machine has just chosen."""
    while (number := random.choice(_RANGE)) in _marks or not mark(number):  # noqa: S311 - not a secret
        pass
    return number


def mark(number: int) -> bool:
    """Say whether no other process of this machine has just chosen a port; from now on this one has.

    Between the choice of a port and the listener on it a second process could choose it too, and each would take the
    other's answers for its own.
    """
    if number in _marks or sys.platform != "linux":
        return True
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        # A name that is no file, and gone with its process. Source: unix(7), "Abstract sockets".
        made.bind(f"\0mita-otel-port-{number}")
    except OSError:
        made.close()
        return False
    _marks[number] = made.detach()
    if len(_marks) > _MARKS:
        os.close(_marks.pop(next(iter(_marks))))
    return True


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for each listener; the defaults are those of the configuration files."""

    otlp_grpc: int = 4317
    otlp_http: int = 4318
    otelcol_metrics: int = 8888
    jaeger: int = 16686
    jaeger_query_grpc: int = 16685
    jaeger_otlp: int = 14317
    jaeger_health: int = 13134
    jaeger_metrics: int = 18888
    prometheus: int = 9090
    loki: int = 3100
    loki_grpc: int = 3195
    alertmanager: int = 9093

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all listeners."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def chosen(
        cls,
        given: Mapping[str, int],
        is_free: Callable[[int], bool],
        *,
        wanted: "Ports | None" = None,
        pick: Callable[[], int] = next_port,
        mark: Callable[[int], bool] = lambda _: True,
    ) -> Self:
        """Return the given ports as they are, for the rest the wanted ones that are free, and free ones otherwise.

        Args:
            given: by name.
            is_free: says whether nothing listens on a port.
            wanted: ports that are preferred.
            pick: returns a port to try.
            mark: keeps others from choosing a port; False where one has.

        Raises:
            StackError: a given port is taken, or its name or number is not valid.
        """
        _check(given, cls.names(), is_free)
        taken = set(given.values())
        numbers = dict(given)
        preferred = asdict(wanted) if wanted else {}
        for name in cls.names():
            if name in numbers:
                continue
            number = preferred.get(name, 0)
            while number == 0 or number in taken or not is_free(number) or not mark(number):
                number = pick()
            numbers[name] = number
            taken.add(number)
        return cls(**numbers)

    def endpoints(self) -> Endpoints:
        """Return the URLs to use from this machine."""
        return Endpoints(
            otlp_grpc=_url(self.otlp_grpc),
            otlp_http=_url(self.otlp_http),
            jaeger=_url(self.jaeger),
            prometheus=_url(self.prometheus),
            loki=_url(self.loki),
            alertmanager=_url(self.alertmanager),
            otelcol_metrics=_url(self.otelcol_metrics),
        )


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _check(given: Mapping[str, int], names: tuple[str, ...], is_free: Callable[[int], bool]) -> None:
    for name, number in given.items():
        if name not in names:
            raise StackError(f"--port {name}={number}: there is no such listener; there are {', '.join(names)}")
        if not 1 <= number <= 65_535:  # noqa: PLR2004 - the range of TCP ports
            raise StackError(f"--port {name}={number}: a port is a number between 1 and 65535")
        if not is_free(number):
            raise StackError(f"--port {name}={number}: something listens there already; free it or give another")


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    while not port_is_free(number := next_port()):
        pass
    return number


def take(number: int) -> bool:
    """Say whether a port is free and no other process has just chosen it; from now on this one has."""
    return port_is_free(number) and mark(number)


def port_is_free(number: int) -> bool:
    """Say whether a listener could be opened on a port of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # As Go's listeners do: connections of an earlier run that linger do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, number))
        except OSError:
            return False
        return True
