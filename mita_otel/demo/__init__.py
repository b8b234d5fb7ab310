"""The demonstration: the reference service with its databases, somewhere to look, and a little traffic."""

from mita_otel.demo.backends import Backends, ConsoleBackends, Found, StackBackends, Totals
from mita_otel.demo.folder import DemoError, choose_folder, only_demo
from mita_otel.demo.ports import Ports
from mita_otel.demo.running import Demo, running
from mita_otel.demo.traffic import Traffic

__all__ = [
    "Backends",
    "ConsoleBackends",
    "Demo",
    "DemoError",
    "Found",
    "Ports",
    "StackBackends",
    "Totals",
    "Traffic",
    "choose_folder",
    "only_demo",
    "running",
]
