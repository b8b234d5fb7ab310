"""How each program is built: pinned versions, committed checksums, the same flags everywhere."""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FLAGS: Final = ("-trimpath", "-ldflags=-s -w")
"""No paths of the building machine in the binary, and no symbol tables: half the size."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, run in a folder relative to the recipe's working folder; `{out}` stands for the output folder."""

    command: tuple[str, ...]
    folder: str = "."


@dataclass(frozen=True, slots=True)
class Recipe:
    """Makes one or more programs.

    Attributes:
        name: what people see.
        programs: files that the steps leave in the output folder.
        steps: commands; a first word `go` is the Go that was found, any other is a program of the output folder.
        files: what is laid out in the working folder before a step: (source in `collector/build`, destination, step).
    """

    name: str
    version: str
    programs: tuple[str, ...]
    steps: tuple[Step, ...]
    files: tuple[tuple[str, str, int], ...] = ()

    def digest(self, sources: Path) -> str:
        """Return a short hash of everything that decides what comes out; a change of the recipe is a new binary."""
        content = hashlib.sha256(repr((self, platform.system(), platform.machine())).encode())
        for source, _, _ in self.files:
            content.update((sources / source).read_bytes())
        return content.hexdigest()[:16]


def recipes(versions: Mapping[str, str]) -> tuple[Recipe, ...]:
    """Return the recipes in the order in which they share most of their work."""
    return (
        _otelcol(versions["OTELCOL_VERSION"]),
        _installed(
            "prometheus",
            versions["PROMETHEUS_VERSION"],
            "github.com/prometheus/prometheus/cmd",
            versions["PROMETHEUS_MODULE_VERSION"],
            ("prometheus", "promtool"),
            # The discoveries of cloud services are more than half of the build.
            "-tags=remove_all_sd",
        ),
        _installed(
            "alertmanager",
            versions["ALERTMANAGER_VERSION"],
            "github.com/prometheus/alertmanager/cmd",
            versions["ALERTMANAGER_VERSION"],
            ("alertmanager", "amtool"),
        ),
        _wrapped("jaeger", versions["JAEGER_VERSION"], "github.com/jaegertracing/jaeger/cmd/jaeger"),
        _wrapped("loki", versions["LOKI_VERSION"], "github.com/grafana/loki/v3/cmd/loki"),
    )


def for_tests(versions: Mapping[str, str]) -> tuple[Recipe, ...]:
    """Return the recipes of what only tests run: a TCP proxy that is slow, cuts connections, or goes down as told."""
    return (_wrapped("toxiproxy", versions["TOXIPROXY_VERSION"], "github.com/Shopify/toxiproxy/v2/cmd/server"),)


def _otelcol(version: str) -> Recipe:
    build = ("go", "build", "-v", "-mod=readonly", *_FLAGS, "-o", "{out}/otelcol-mita", ".")
    return Recipe(
        name="otelcol",
        version=version,
        programs=("otelcol-mita",),
        steps=(
            Step(("go", "install", "-v", f"go.opentelemetry.io/collector/cmd/builder@v{version}")),
            # It only writes the sources: its own `go mod tidy` wants modules that just its tests need.
            Step(("builder", "--config=otelcol-builder.yaml", "--skip-compilation", "--skip-get-modules")),
            Step(build, "build"),
        ),
        files=(
            ("otelcol-builder.yaml", "otelcol-builder.yaml", 0),
            ("otelcol/go.mod", "build/go.mod", 2),
            ("otelcol/go.sum", "build/go.sum", 2),
        ),
    )


def _wrapped(name: str, version: str, package: str) -> Recipe:
    """Build through a module of our own: `go install` refuses modules with replacements, and go.sum pins every hash."""
    return Recipe(
        name=name,
        version=version,
        programs=(name,),
        steps=(Step(("go", "build", "-v", "-mod=readonly", *_FLAGS, "-o", f"{{out}}/{name}", package)),),
        files=((f"{name}/go.mod", "go.mod", 0), (f"{name}/go.sum", "go.sum", 0)),
    )


def _installed(
    name: str, version: str, path: str, module_version: str, programs: tuple[str, ...], *flags: str
) -> Recipe:
    packages = tuple(f"{path}/{program}@v{module_version}" for program in programs)
    return Recipe(name, version, programs, (Step(("go", "install", "-v", *_FLAGS, *flags, *packages)),))
