"""`mita-instrument`: `opentelemetry-instrument` with this distribution, whatever the environment says.

Without options it does what that launcher would do, but without loading it, which takes six times as long as Python's
own start; in the program, `hook` does what the launcher's loader would do. So nothing is imported here that Python has
not loaded by then: neither `typing` nor `pathlib` nor `shutil`. A program that the Python of this process would run is
run in it: to start Python again would take 15 ms, beside 90 that telemetry adds to the start of a service.
"""
# ruff: noqa: PTH100, PTH109, PTH113, PTH118, PTH119, PTH120, PTH123 - no pathlib

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

_FIXED = {"--distro": "OTEL_PYTHON_DISTRO", "--configurator": "OTEL_PYTHON_CONFIGURATOR"}
"""Options of the launcher that would choose another one, and their variables."""

_ALONE = frozenset({"-h", "--help", "--version"})
"""Options of the launcher that take no value."""

_GEVENT = "OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH"
"""What the launcher's own hook does where this is set, ours does not."""

_HOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hook")
"""The folder of the `sitecustomize` that starts telemetry."""

_USAGE, _NOT_FOUND = 2, 127


def main() -> None:
    """Run the program that is to be run, or hand over to the launcher where it is asked for something."""
    arguments = sys.argv[1:]
    command = _command(arguments)
    program = None if command is None else find(command)
    if command is not None and program is None:
        raise _failure(f"there is no program {command!r} on the PATH", _NOT_FOUND)
    for variable in _FIXED.values():
        os.environ[variable] = "mita"
    # The launcher's parser has a mind of its own about the word that ends options.
    if program is not None and arguments[0] == command and "--" not in arguments and _GEVENT not in os.environ:
        here, before = os.getcwd(), os.environ.get("PYTHONPATH", "")
        os.environ["PYTHONPATH"] = python_path(before, hook=_HOOK, here=here)
        code = _code(program)
        if code is None:
            os.execl(program, program, *arguments[1:])  # noqa: S606 - a launcher becomes the program that it is given
        if here not in before.split(os.pathsep):
            _look_first_in(here)
        _run(code, program, arguments[1:])
        return
    from opentelemetry.instrumentation.auto_instrumentation import run  # noqa: PLC0415 - reads the environment; slow

    run()


def find(command: str) -> str | None:
    """Return the path of a program, or None: as `shutil.which` does."""
    search = os.environ.get("PATH", os.defpath)
    folders = [""] if os.path.dirname(command) else search.split(os.pathsep) if search else []
    paths = [os.path.join(folder, command) for folder in folders]
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)


def python_path(before: str, *, hook: str, here: str) -> str:
    """Return the path on which the program finds what starts telemetry, and itself: as the launcher makes it.

    Args:
        before: the path that there is.
        hook: the folder of the `sitecustomize` that starts telemetry.
        here: the working directory.
    """
    places = before.split(os.pathsep) if before else []
    if here not in places:
        places.insert(0, here)
    return os.pathsep.join([hook, *(place for place in places if place != hook)])


def _code(program: str) -> "CodeType | None":
    """Return the code of a script that the system would give to the Python of this process, as it gave us; else None.

    What cannot be read or compiled (an archive, a mistake) is none of ours: whoever runs it tells of it best.
    """
    if sys.orig_argv[1:] != sys.argv:
        return None
    first = os.fsencode(f"#!{sys.executable}\n")
    try:
        with open(program, "rb") as file:
            beginning = file.read(len(first))
            # Python names a script by its absolute path.
            path = os.path.join(os.getcwd(), program)
            return compile(first + file.read(), path, "exec") if beginning == first else None
    except (OSError, SyntaxError, ValueError):
        return None


def _look_first_in(folder: str) -> None:
    """Put a folder at the beginning of the path, behind the script's: there `PYTHONPATH` would have it."""
    first = 0 if sys.flags.safe_path else 1
    sys.path[first:] = [folder, *(place for place in sys.path[first:] if place != folder)]


def _run(code: "CodeType", program: str, arguments: list[str]) -> None:
    """Run a script as Python would: `__main__`, its folder, its words and the process's name are the script's own."""
    # By now it is a Python program that pays for what is imported, and it would import these itself.
    from importlib.machinery import SourceFileLoader  # noqa: PLC0415 - see above
    from types import ModuleType  # noqa: PLC0415 - see above

    sys.argv = [program, *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(program))
    main = ModuleType("__main__")
    main.__dict__.update(
        __builtins__=sys.modules["builtins"],
        __file__=code.co_filename,
        __cached__=None,
        __loader__=SourceFileLoader("__main__", code.co_filename),
        __annotations__={},
    )
    sys.modules["__main__"] = main
    _rename(os.path.basename(program))
    _start_telemetry()
    exec(code, main.__dict__)  # noqa: S102 - the program that is to be run


def _start_telemetry() -> None:
    """Start telemetry; where that fails, the program runs without, as it would after a `sitecustomize` that fails."""
    try:
        from mita_otel import hook  # noqa: PLC0415 - slow, and of no use to a program that is not Python

        hook.initialize()
    except Exception as error:  # noqa: BLE001 - whatever is broken, the program is not
        print(f"mita-instrument: telemetry does not start: {error!r}", file=sys.stderr)  # noqa: T201 - no logging yet


def _rename(name: str) -> None:
    """Give this process the name that it would have, by which tools find it; elsewhere than on Linux it has none."""
    try:
        with open("/proc/self/comm", "w", encoding="utf-8") as file:
            file.write(name)
    except OSError:
        pass


def _command(arguments: list[str]) -> str | None:
    """Return the program that is to be run, or None if none is."""
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument == "--":
            return next(rest, None) if argument == "--" else argument
        name, equals, _ = argument.partition("=")
        if name in _ALONE:
            return None
        for option in _FIXED:
            # The launcher takes any beginning of an option that is no other's.
            if option.startswith(name) and len(name) > len("--dis"):
                raise _failure(f"{option} is mita here; opentelemetry-instrument lets you choose", _USAGE)
        if not equals:
            next(rest, None)
    return None


def _failure(sentence: str, status: int) -> SystemExit:
    print(f"mita-instrument: {sentence}", file=sys.stderr)  # noqa: T201 - there is no logging yet
    return SystemExit(status)
