"""The ports of the demonstration: the well-known ones where they are free, others where they are not."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final, Self

from mita_otel.stack.ports import free_port, take

_NAMES: Final = {
    "service": "the service",
    "console": "the console",
    "otlp_http": "OTLP over HTTP",
    "otlp_grpc": "OTLP over gRPC",
    "external": "the stand-in for external APIs",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """A TCP port of the loopback interface for each program."""

    service: int = 8000
    console: int = 8317
    otlp_http: int = 4318
    otlp_grpc: int = 4317
    external: int = 8090

    @classmethod
    def chosen(
        cls,
        is_free: Callable[[int], bool] = take,
        pick: Callable[[], int] = free_port,
    ) -> Self:
        """Return the standard ports where they are free, and free ones in the place of the others."""
        numbers: dict[str, int] = {}
        for name, number in asdict(cls()).items():
            while number in numbers.values() or not is_free(number):
                number = pick()  # noqa: PLW2901 - the port that is taken is of no use any more
            numbers[name] = number
        return cls(**numbers)

    def moved(self) -> list[str]:
        """Return a sentence for each port that is not the standard one."""
        return [
            f"port {standard} is taken: {_NAMES[name]} uses {getattr(self, name)}"
            for name, standard in asdict(Ports()).items()
            if getattr(self, name) != standard
        ]
