"""Reads what the sink kept, once nobody is measured any more."""

from benchmarks.overhead.received.bodies import Body, bodies
from benchmarks.overhead.received.content import Log, Points, Span, Telemetry
from benchmarks.overhead.received.reading import read

__all__ = ["Body", "Log", "Points", "Span", "Telemetry", "bodies", "read"]
