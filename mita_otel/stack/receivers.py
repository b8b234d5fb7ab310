"""Writes Alertmanager's configuration into the folder whose secrets switch its channels on."""

import shutil
from pathlib import Path, PurePath

from mita_otel.alerts.channels import Channels, read
from mita_otel.generate.alertmanager import AT, configuration
from mita_otel.stack.versions import root


def write(folder: Path, at: PurePath = AT) -> Channels:
    """Write `alertmanager.yml` and our templates beside the secrets; return what is switched on.

    Args:
        folder: holds `secrets/` and `receivers.yaml`.
        at: the folder as Alertmanager will see it, an absolute path.

    Raises:
        ReceiversError: a secret or an option is not what it should be.
    """
    channels = read(folder)
    templates = folder / "templates"
    templates.mkdir(exist_ok=True)
    for template in (root() / "collector" / "alertmanager" / "templates").glob("*.tmpl"):
        shutil.copyfile(template, templates / template.name)
    (folder / "alertmanager.yml").write_text(configuration(channels, at))
    return channels
