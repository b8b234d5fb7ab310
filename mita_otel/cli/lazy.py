"""Commands that are imported when they are called: help and completion should not wait for what they do not use."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class LazyGroup(TyperGroup):
    """A group that knows its commands by name, module and help.

    A module has either `app`, a `typer.Typer`, or `run`, a function.

    Attributes:
        table: help by name, in the order of the help; the module is called as the command.
        package: where the modules are.
    """

    table: ClassVar[Mapping[str, str]] = {}
    package: ClassVar[str] = ""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, text in self.table.items():
            self.add_command(Later(name, text, partial(_load, f"{self.package}.{name}", name)))


class Later(TyperCommand):
    """Stands for a command until it is called or asked for its own help."""

    def __init__(self, name: str, help: str, load: Callable[[], Any]) -> None:  # noqa: A002 - typer's name
        super().__init__(name, help=help)
        self._load = load

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Make the context of the command itself, which then takes over."""
        return self._load().make_context(*args, **kwargs)


def _load(module: str, name: str) -> Any:
    found = import_module(module)
    if hasattr(found, "app"):
        return get_command(found.app)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(found.run)
    return get_command(alone)
