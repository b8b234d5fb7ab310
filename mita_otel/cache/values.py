"""Values as they are stored: JSON, of a bounded size, and only if the same comes back."""

import typing
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, Generic, Protocol, TypeVar

import orjson
from pydantic import PydanticSchemaGenerationError, TypeAdapter

T = TypeVar("T")

LARGEST: Final = 1024 * 1024
"""Bytes of a value; a larger one is not kept: reading it would hold up the event loop and Redis."""


class RejectedError(ValueError):
    """A value that cannot be kept; the message says why, without it."""


class UnreadableError(ValueError):
    """What was found in the cache is no value of this kind: another program's, or another version's."""


class Codec(Protocol[T]):
    """Turns values into what is stored, and back."""

    def encode(self, value: T) -> bytes:
        """Return what to store.

        Raises:
            RejectedError: nothing from which the same value would come back.
        """

    def decode(self, stored: bytes | str) -> T:
        """Return the value.

        Raises:
            UnreadableError: there is none.
        """


class PlainCodec:
    """For values of no declared type: what JSON itself has."""

    def encode(self, value: Any) -> bytes:
        """Return the value as JSON: texts, numbers, true, false, null, and lists and dicts of them."""
        try:
            stored = orjson.dumps(value)
            comes_back = bool(orjson.loads(stored) == value)
        except (orjson.JSONEncodeError, RecursionError, ValueError, TypeError) as error:
            raise RejectedError("it is no JSON") from error
        if not comes_back:
            raise RejectedError("as JSON it would become something else")
        return _bounded(stored)

    def decode(self, stored: bytes | str) -> Any:
        """Return what the JSON says."""
        try:
            return orjson.loads(stored)
        except orjson.JSONDecodeError as error:
            raise UnreadableError("it is no JSON") from error


class TypedCodec(Generic[T]):
    """For values of a declared type: what pydantic can write and read, models, dataclasses and Decimals included."""

    __slots__ = ("_adapter",)

    def __init__(self, adapter: TypeAdapter[T]) -> None:
        self._adapter = adapter

    def encode(self, value: T) -> bytes:
        """Return the value as JSON, if it is of the type."""
        try:
            stored = self._adapter.dump_json(value, warnings="error")
        except (ValueError, TypeError, RecursionError) as error:
            raise RejectedError("it is not of the type that the function declares, or no JSON") from error
        try:
            self.decode(_bounded(stored))
        except UnreadableError as error:
            raise RejectedError("as JSON it would become something else") from error
        return stored

    def decode(self, stored: bytes | str) -> T:
        """Return the value, read as the type says."""
        try:
            return self._adapter.validate_json(stored)
        except ValueError as error:
            raise UnreadableError("it is not of the type that the function declares") from error


PLAIN: Final = PlainCodec()


def codec_of(function: Callable[..., Any]) -> Codec[Any]:
    """Return the codec of what a function declares that it returns; the plain one where it declares nothing.

    Raises:
        TypeError: values of that type cannot be kept; the message names the function.
    """
    declared = _declared(function)
    if declared is Any:
        return PLAIN
    try:
        return TypedCodec(TypeAdapter(declared))
    except PydanticSchemaGenerationError as error:
        raise TypeError(
            f"{getattr(function, '__qualname__', function)} returns {declared!r}, which cannot be kept as JSON: "
            "return a model, a dataclass or what JSON has, or declare nothing"
        ) from error


def _declared(function: Callable[..., Any]) -> Any:
    """Return the type of a function's result; Any where that is not declared, or only for type checkers to see."""
    annotations = getattr(function, "__annotations__", {})
    # The others may name what only type checkers see.
    alone = SimpleNamespace(__annotations__={name: annotations[name] for name in ("return",) if name in annotations})
    try:
        return typing.get_type_hints(alone, getattr(function, "__globals__", {})).get("return", Any)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return Any


def _bounded(stored: bytes) -> bytes:
    if len(stored) > LARGEST:
        raise RejectedError(f"it takes {len(stored)} bytes, of {LARGEST} allowed")
    return stored
