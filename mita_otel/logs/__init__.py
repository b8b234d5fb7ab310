"""Logs: standard `logging` records as JSON lines on stdout and as OTLP log records, with the request they belong to."""

from mita_otel.logs.install import Installed, install
from mita_otel.logs.otlp import provider

__all__ = ["Installed", "install", "provider"]
