"""The neighbour that the service asks over HTTP: one answer, always the same. Run as a program with its port."""

import asyncio
import sys

from benchmarks.overhead.neighbours.wire import Answer, serve

_ANSWER = Answer(b'{"id": 7, "price": "12.50"}')

if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), lambda _: _ANSWER))
