"""httpx's command line, imported when somebody calls it.

`import httpx` imports it, too, and with it rich, pygments and click wherever they are installed: as they are beside us,
whose own command line needs them. That is 30 ms of the start of an application that has a use for none of them.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Final

import wrapt

_PACKAGE: Final = "httpx"
_COMMAND_LINE: Final = "httpx._main"


class _Stub(ModuleType):
    """Stands for the module while the package is imported; what is taken from it loads the real one when called."""

    @staticmethod
    def main(*arguments: object, **options: object) -> object:
        """Call httpx's command line."""
        return import_module(_COMMAND_LINE).main(*arguments, **options)


def defer_command_line() -> None:
    """Let an import of httpx that is still to come leave its command line out; a second call changes nothing."""
    if _PACKAGE in sys.modules or _COMMAND_LINE in sys.modules:
        return
    sys.modules[_COMMAND_LINE] = _Stub(_COMMAND_LINE)
    wrapt.register_post_import_hook(_give_back, _PACKAGE)


def _give_back(_: object) -> None:
    """Let the next import of the module find the real one."""
    if isinstance(sys.modules.get(_COMMAND_LINE), _Stub):
        del sys.modules[_COMMAND_LINE]
