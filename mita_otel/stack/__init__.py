"""The backends on this machine: the collector, Jaeger, Prometheus, Loki and Alertmanager, in containers or natively."""

from mita_otel.stack.build import Cache, build_all, default_cache
from mita_otel.stack.compose import ComposeStack, engine_answers
from mita_otel.stack.model import NAMES, Endpoints, Name, StackError, Status
from mita_otel.stack.native import NativeStack, native_stack

__all__ = [
    "NAMES",
    "Cache",
    "ComposeStack",
    "Endpoints",
    "Name",
    "NativeStack",
    "StackError",
    "Status",
    "build_all",
    "default_cache",
    "engine_answers",
    "native_stack",
]
