"""Asks the programs' own tools whether they would take a configuration, and says in which file and line not."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_TIMEOUT: Final = 30.0
"""Seconds for a tool; measured 0.1."""

_TEMPLATES: Final = ("title", "slack.title", "color", "here", "source", "text", "slack", "html")
"""Templates that the generated configuration asks for, each with `mita.` before it."""

_IN_TEMPLATE: Final = re.compile(r"template: ([^:\s]+):(\d+)(?::\d+)?: (.*)")
_IN_RULES: Final = re.compile(r"(\S+): (\d+):\d+: (.*)")
_IN_YAML: Final = re.compile(r"(?:parsing YAML file (\S+): )?(?:yaml: )?(?:unmarshal errors: )?line (\d+): (.*)")


def alertmanager_faults(binaries: Mapping[str, Path], folder: Path) -> list[str]:
    """Return what is wrong with a folder of Alertmanager's, a line each: its configuration, its templates.

    Args:
        binaries: paths by program name.
        folder: holds `alertmanager.yml` and `templates/`.
    """
    file = folder / "alertmanager.yml"
    faults = _faults(_refused(binaries["amtool"], "check-config", str(file)), file)
    return faults or _unrendered(binaries["amtool"], folder / "templates")


def prometheus_faults(binaries: Mapping[str, Path], file: Path) -> list[str]:
    """Return what is wrong with Prometheus' configuration and the rules that it names, a line each."""
    return _faults(_refused(binaries["promtool"], "check", "config", str(file)), file)


def _refused(*command: str | Path) -> str:
    """Return what a tool says that does not agree; nothing from one that does."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    return "" if done.returncode == 0 else f"{done.stdout}\n{done.stderr}"


def _faults(said: str, file: Path) -> list[str]:
    told = [re.split(r"\n\n|\nChecking ", part)[0] for part in said.split("FAILED:")[1:]]
    return [_placed(" ".join(each.split()), file) for each in told or ([said] if said else [])]


def _placed(sentence: str, file: Path) -> str:
    """Return a tool's sentence with the file and the line in front."""
    if found := _IN_TEMPLATE.search(sentence):
        return f"{file.parent / 'templates' / found[1]}:{found[2]}: {found[3]}"
    if found := _IN_YAML.search(sentence):
        return f"{found[1] or file}:{found[2]}: {found[3]}"
    if found := _IN_RULES.match(sentence):
        return f"{found[1]}:{found[2]}: {found[3]}"
    return f"{file}{_line_of(sentence, file)}: {sentence}"


def _line_of(sentence: str, file: Path) -> str:
    """Return where in the file the first word stands that a sentence has in quotes, such as an unknown receiver."""
    quoted = re.search(r'"([^"]+)"', sentence)
    lines = file.read_text(errors="replace").splitlines() if quoted and file.is_file() else []
    return next((f":{number}" for number, line in enumerate(lines, 1) if quoted and quoted[1] in line), "")


def _unrendered(amtool: Path, templates: Path) -> list[str]:
    """Render what the configuration asks for: a field that there is not shows only then."""
    faults = []
    for name in _TEMPLATES:
        options = (f"--template.glob={templates / '*.tmpl'}", f"--template.type={'html' if name == 'html' else 'text'}")
        said = _refused(amtool, "template", "render", *options, f'--template.text={{{{ template "mita.{name}" . }}}}')
        if said:
            faults.append(_placed(" ".join(said.split()), templates.parent / "alertmanager.yml"))
    return faults
