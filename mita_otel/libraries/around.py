"""Wrappers that do an operation around each call of another library's method."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeAlias

from mita_otel.libraries.database import Operation
from mita_otel.libraries.faults import Faults

Begin: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any]], Operation | None]
"""Begins the operation of a call, given its object, arguments and keyword arguments; None if it is not traced."""

Failed: TypeAlias = Callable[[Any, BaseException], object]
"""Told of the object whose operation has failed, and with what."""


def calls(begin: Begin, faults: Faults, failed: Failed | None = None) -> Callable[[Any], Any]:
    """Return a wrapper of methods that are called."""

    def wrapper(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def traced(target: Any, *args: Any, **kwargs: Any) -> Any:
            operation = None
            try:
                # Not by a guard: each operation would pass through one call more.
                operation = begin(target, args, kwargs)
            except Exception:  # noqa: BLE001 - whatever fails in telemetry must not fail the application
                faults.report()
            if operation is None:
                return original(target, *args, **kwargs)
            try:
                result = original(target, *args, **kwargs)
            except BaseException as error:
                operation.end(error)
                if failed is not None:
                    failed(target, error)
                raise
            operation.end()
            return result

        return traced

    return wrapper


def awaits(begin: Begin, faults: Faults, failed: Failed | None = None) -> Callable[[Any], Any]:
    """Return a wrapper of methods that are awaited."""

    def wrapper(original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        @wraps(original)
        async def traced(target: Any, *args: Any, **kwargs: Any) -> Any:
            operation = None
            try:
                # Not by a guard: each operation would pass through one call more.
                operation = begin(target, args, kwargs)
            except Exception:  # noqa: BLE001 - whatever fails in telemetry must not fail the application
                faults.report()
            if operation is None:
                return await original(target, *args, **kwargs)
            try:
                result = await original(target, *args, **kwargs)
            except BaseException as error:
                operation.end(error)
                if failed is not None:
                    failed(target, error)
                raise
            operation.end()
            return result

        return traced

    return wrapper
