"""What Alertmanager can tell people by: a folder in which a secret that is there switches its channel on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mita_otel.alerts.routes import Channel

OPTIONS: Final = "receivers.yaml"
"""Holds what is no secret: addresses, above all those of e-mail."""

FOLDER: Final = "secrets"
SECRETS: Final[Mapping[Channel, str]] = {
    "pagerduty": "pagerduty_key",
    "slack": "slack_url",
    "webhook": "webhook_url",
    "watchdog": "watchdog_url",
}
"""Files that switch a channel on, each with one line; e-mail is switched on by its options."""

PASSWORD: Final = "smtp_password"  # noqa: S105 - the name of a file

_FORMS: Final = {"pagerduty_key": r"[0-9A-Za-z_-]{16,}", PASSWORD: r"[^\r\n]+"}
_URL: Final = r"https?://[^/\s]+\S*"


class ReceiversError(ValueError):
    """The folder cannot be used; the message names the file, the line where there is one, and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Email(_Part):
    """The way of e-mail."""

    smarthost: Annotated[str, Field(pattern=r"^[^\s:]+:\d{1,5}$", description="host:port")]
    sender: Annotated[str, Field(alias="from", pattern=r"^\S+@\S+$")]
    to: Annotated[str, Field(pattern=r"^\S+@\S+(,\s*\S+@\S+)*$")]
    username: str | None = None
    require_tls: bool = True


class Slack(_Part):
    """What a Slack message needs beside its URL."""

    channel: str | None = None


class PagerDuty(_Part):
    """Where PagerDuty is: accounts in Europe have another address."""

    url: Annotated[str, Field(pattern=f"^{_URL}$")] = "https://events.pagerduty.com/v2/enqueue"


class Options(_Part):
    """What `receivers.yaml` may hold."""

    email: Email | None = None
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None


@dataclass(frozen=True, slots=True)
class Channels:
    """What is switched on."""

    on: frozenset[Channel] = frozenset()
    options: Options = field(default_factory=Options)


def read(folder: Path) -> Channels:
    """Return what a folder switches on.

    Raises:
        ReceiversError: a file is not what it should be, or one that another asks for is missing.
    """
    if not folder.is_dir():
        raise ReceiversError(f"{folder}: there is no such folder")
    options = _options(folder / OPTIONS)
    on: set[Channel] = {channel for channel, name in SECRETS.items() if _is_there(folder / FOLDER / name)}
    for channel in ("slack", "pagerduty"):
        if getattr(options, channel) is not None and channel not in on:
            needed = folder / FOLDER / SECRETS[channel]
            raise ReceiversError(f"{folder / OPTIONS} names {channel}, but {needed} is not there")
    if options.email is not None:
        on.add("email")
        if options.email.username is not None and not _is_there(folder / FOLDER / PASSWORD):
            raise ReceiversError(
                f"{folder / OPTIONS} names email.username, but {folder / FOLDER / PASSWORD} is not there"
            )
    return Channels(frozenset(on), options)


def _is_there(path: Path) -> bool:
    """Say whether a secret is there; what it is never gets into a message.

    Raises:
        ReceiversError: it is empty, of several lines, or not what its name says.
    """
    try:
        secret = path.read_text().strip()
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise ReceiversError(f"{path} cannot be read: {type(error).__name__}") from error
    if not secret:
        raise ReceiversError(f"{path} is empty: put the secret there, or delete the file")
    if not re.fullmatch(_FORMS.get(path.name, _URL), secret):
        wanted = "one line with a URL" if path.name.endswith("_url") else "one line with the secret and nothing else"
        raise ReceiversError(f"{path} is not {wanted}")
    return True


def _options(path: Path) -> Options:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return Options()
    except (OSError, UnicodeDecodeError) as error:
        raise ReceiversError(f"{path} cannot be read: {type(error).__name__}") from error
    try:
        given: Any = yaml.safe_load(text)
        return Options() if given is None else Options.model_validate(given)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ReceiversError(f"{path}:{line}: {error.problem}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "the file"
        raise ReceiversError(f"{path}: {name}: {first['msg']}") from error
