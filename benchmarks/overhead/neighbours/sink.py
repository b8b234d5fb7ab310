"""Takes telemetry by OTLP over HTTP and by Datadog's agent protocol, and keeps it as it came. A program with its port.

Nothing is decoded while somebody is measured: whoever measures takes the bodies away afterwards (`/taken`).
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Final

from benchmarks.overhead.neighbours.wire import Answer, Request, serve

_PROTOBUF: Final = "application/x-protobuf"
_AGENT: Final = json.dumps(
    {
        "version": "7.70.0",
        "endpoints": ["/v0.4/traces", "/v0.5/traces", "/telemetry/proxy/"],
        "client_drop_p0s": False,
        "config": {},
    }
).encode()
"""What Datadog's agent says of itself: it takes traces."""


@dataclass(slots=True)
class Sink:
    """Bodies as they came, until they are taken away.

    Attributes:
        kept: each with a line of JSON before it that has its `path`, `encoding` and `size`.
        last: when the newest span or log record came, of `time.monotonic`.
    """

    kept: list[bytes] = field(default_factory=list)
    last: float = 0.0

    def handle(self, request: Request) -> Answer:
        """Keep telemetry; answer a question about it."""
        match request.path:
            case "/taken":
                taken = Answer(b"".join(self.kept), "application/octet-stream")
                self.kept.clear()
                return taken
            case "/idle":
                return Answer(json.dumps({"seconds": time.monotonic() - self.last}).encode())
            case "/info":
                return Answer(_AGENT)
            case path:
                return self._keep(path, request)

    def _keep(self, path: str, request: Request) -> Answer:
        head = {"path": path, "encoding": request.headers.get("content-encoding", ""), "size": len(request.body)}
        self.kept += (json.dumps(head).encode() + b"\n", request.body)
        if path.endswith(("/traces", "/logs")):
            self.last = time.monotonic()
        return Answer(kind=_PROTOBUF) if path.startswith("/v1/") else Answer(b'{"rate_by_service": {}}')


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Sink().handle))
