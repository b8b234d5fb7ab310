"""Builds the backends from Go modules into a cache: once for each recipe, resumable, one build at a time."""

import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeAlias

from mita_otel.settings import environment as process_environment
from mita_otel.stack import golang, versions
from mita_otel.stack.model import Report, StackError, silent
from mita_otel.stack.recipes import Recipe, Step, recipes
from mita_otel.stack.state import exclusive

Recipes: TypeAlias = Callable[[Mapping[str, str]], tuple[Recipe, ...]]
"""Returns recipes for the pinned versions."""

_HEARTBEAT: Final = 10.0
"""Seconds between two lines about a compilation that goes on: somebody watches, or a CI job would time out."""
_TAIL: Final = 20
"""Lines of output that a failure is explained with."""


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder of everything that can be made again: binaries, Go's caches, a Go toolchain."""

    folder: Path

    @property
    def binaries(self) -> Path:
        """The finished programs, in a folder for each recipe's hash."""
        return self.folder / "bin"

    def variables(self, out: Path) -> dict[str, str]:
        """Return the environment of a build: nothing of the user's Go settings decides what comes out."""
        return {
            "GOMODCACHE": str(self.folder / "go" / "mod"),
            "GOCACHE": str(self.folder / "go" / "build"),
            "GOBIN": str(out),
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "GOFLAGS": "-buildvcs=false -modcacherw",
        }


def default_cache() -> Path:
    """Return the cache folder of this user: `mita-otel` under `XDG_CACHE_HOME`, `~/.cache` without it."""
    base = process_environment().get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".cache") / "mita-otel"


def programs(cache: Cache, wanted: Recipes = recipes) -> dict[str, Path]:
    """Return where every program is, or will be."""
    sources = versions.root() / "collector" / "build"
    return {
        program: _folder(cache, recipe, sources) / program
        for recipe in wanted(versions.read_versions())
        for program in recipe.programs
    }


def build_all(cache: Cache, report: Report = silent, wanted: Recipes = recipes) -> dict[str, Path]:
    """Build what is missing, and return every program's path by its name.

    Args:
        cache: holds the programs.
        report: is told what goes on.
        wanted: the recipes; those of the stack by default.

    Raises:
        StackError: Go is missing, or a build failed.
    """
    asked = wanted(versions.read_versions())
    sources = versions.root() / "collector" / "build"
    missing = _missing(cache, asked, sources)
    if missing:
        with exclusive(cache.folder / "build.lock", waiting=lambda: report("another build is running: waiting")):
            # Whoever held the lock may have built them.
            missing = _missing(cache, asked, sources)
            for abandoned in cache.binaries.glob(".building-*"):
                _remove(abandoned)  # of a build that was killed: nobody else can be building now
            if missing:
                shop = _Workshop(golang.find(cache.folder, versions.read_versions(), report), cache, sources, report)
                for number, recipe in enumerate(missing, 1):
                    report(f"building {recipe.name} {recipe.version} ({number} of {len(missing)})")
                    shop.build(recipe)
    return programs(cache, wanted)


def clean(cache: Cache) -> None:
    """Delete binaries and Go's caches: the next build starts from nothing."""
    with exclusive(cache.folder / "build.lock"):
        for folder in (cache.binaries, cache.folder / "go"):
            _remove(folder)


def _folder(cache: Cache, recipe: Recipe, sources: Path) -> Path:
    return cache.binaries / f"{recipe.name}-{recipe.version}-{recipe.digest(sources)}"


def _missing(cache: Cache, asked: tuple[Recipe, ...], sources: Path) -> list[Recipe]:
    return [recipe for recipe in asked if not _folder(cache, recipe, sources).is_dir()]


@dataclass(frozen=True, slots=True)
class _Workshop:
    """What every recipe is built with."""

    go: Path
    cache: Cache
    sources: Path
    report: Report

    def build(self, recipe: Recipe) -> None:
        began = time.monotonic()
        self.cache.binaries.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=self.cache.binaries) as scratch:
            work, out = Path(scratch, "work"), Path(scratch, "out")
            work.mkdir()
            out.mkdir()
            for number, step in enumerate(recipe.steps):
                self._lay_out(recipe, number, work)
                self._run(step, recipe.name, work / step.folder, out)
            for leftover in {path.name for path in out.iterdir()} - set(recipe.programs):
                (out / leftover).unlink()
            # One step from nothing to everything: a folder that exists is complete.
            out.replace(_folder(self.cache, recipe, self.sources))
        self.report(f"built {recipe.name} in {time.monotonic() - began:.0f} s")

    def _lay_out(self, recipe: Recipe, number: int, work: Path) -> None:
        for source, destination, before in recipe.files:
            if before == number:
                (work / destination).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.sources / source, work / destination)

    def _run(self, step: Step, name: str, folder: Path, out: Path) -> None:
        words = [word.format(out=out) for word in step.command]
        program = str(self.go) if words[0] == "go" else str(out / words[0])
        variables = {**process_environment(), **self.cache.variables(out)}
        variables["PATH"] = f"{self.go.parent}:{variables.get('PATH', '')}"
        with _started([program, *words[1:]], folder, variables) as (child, output):
            last = _follow(output, name, self.report)
            if child.wait() != 0:
                raise StackError(f"building {name} failed; `{' '.join(words[:3])} ...` says:\n" + "\n".join(last))


@contextmanager
def _started(
    command: list[str], folder: Path, variables: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Run a command; end it and what it started if the block is left early, by Ctrl-C for instance."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        if child.stdout is None:  # pragma: no cover - a pipe was asked for
            raise StackError("the build has no output")
        try:
            yield child, child.stdout
        except BaseException:
            child.terminate()
            raise


def _follow(output: IO[str], name: str, report: Report) -> deque[str]:
    """Turn the lines of a build into a few reports; return its last lines."""
    last: deque[str] = deque(maxlen=_TAIL)
    downloads = packages = 0
    told = time.monotonic()
    for line in output:
        last.append(line.rstrip())
        downloads += line.startswith("go: downloading")
        packages += "/" in line and not line.startswith(("go:", " ", "#"))
        if time.monotonic() - told > _HEARTBEAT:
            told = time.monotonic()
            report(f"building {name}: {downloads} modules downloaded, {packages} packages compiled")
    return last


def _remove(folder: Path) -> None:
    """Delete a tree whose folders may be read-only, as Go's module cache has them."""
    if not folder.exists():
        return
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())]:
        place.chmod(0o700)
    shutil.rmtree(folder)
