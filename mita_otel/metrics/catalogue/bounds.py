"""Bounds of buckets, and the attributes that several topics share."""

from typing import Final

from mita_otel.metrics.instrument import bounded

DURATIONS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 0.75),
    *(1.0, 2.0, 3.0, 5.0, 7.5, 10.0),
)
"""Seconds. Every latency threshold of the report's objectives (0.1 to 10 s) is a bound: a quantile or a share that is
compared with a threshold between two bounds is a guess. Source: observability report, sections 4.1-4.2, 6.1 and 7.2."""

LAGS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds; below 1 ms it is the operating system's timer that is measured."""

DELIVERIES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds; an attempt takes 10 s at most, an operation as long as the receiver is away."""

SIZES: Final = (0.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0)
"""Bytes, in powers of four up to the largest message that a stock gRPC receiver takes."""

SERVER_ADDRESS: Final = bounded("server.address", "hosts that the service calls, up to the limit of series")
SERVER_PORT: Final = bounded("server.port", "as server.address")
ERROR: Final = bounded("error.type", "exception classes and status codes")
