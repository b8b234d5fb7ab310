"""Who a server runs as, where this process may not run it itself."""

import contextlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from mita_otel.stack.model import StackError


@dataclass(frozen=True, slots=True)
class Account:
    """The user a server runs as; `None` in its place means the user of this process."""

    name: str
    user: int
    group: int

    def reaches(self, path: Path) -> bool:
        """Say whether the account may enter every folder above a path, and so use what is its own there."""
        return all(self._has(folder, stat.S_IXOTH) for folder in path.parents)

    def reads(self, path: Path) -> bool:
        """Say whether the account may read a file."""
        return self.reaches(path) and self._has(path, stat.S_IROTH)

    def _has(self, path: Path, bit: int) -> bool:
        status = path.stat()
        if status.st_uid == self.user:
            bit <<= 6
        elif status.st_gid == self.group:
            bit <<= 3
        return bool(status.st_mode & bit)


def account_for(folder: Path) -> Account | None:
    """Return who PostgreSQL runs as, and give the folder to them; `None` unless this process is root's.

    Raises:
        StackError: there is no such user, or they cannot reach the folder.
    """
    if os.geteuid() != 0:
        return None
    account = unprivileged()
    if account is None:
        raise StackError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as")
    if not account.reaches(folder):
        raise StackError(
            f"PostgreSQL, which runs as {account.name}, cannot reach {folder}: choose one below /tmp or /srv"
        )
    os.chown(folder, account.user, account.group)
    return account


def unprivileged() -> Account | None:
    """Return the user that PostgreSQL runs as when this process is root's; None if there is no such user."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    return None


def postgres_reaches(folder: Path) -> bool:
    """Say whether PostgreSQL could keep its data below a folder, which need not exist yet."""
    if os.geteuid() != 0:
        return True
    account = unprivileged()
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return account is not None and account.reaches(there / "data")
