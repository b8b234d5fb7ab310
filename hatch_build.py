"""Builds a wheel whose hot path is compiled: `HATCH_BUILD_HOOKS_ENABLE=true uv build --wheel`.

The modules that run at every request are translated by Cython as they are, without a line of their own: what they do is
what the sources say, and the wheel without compiled modules, which is the default, holds the same. A compiled module
stands beside its source, and Python takes it first.

Which modules, pyproject.toml says: what a request that does nothing else runs through, and its delivery. A function
that calls itself must not be among them: compiled, it knows no limit of recursion, and a value that is nested deep
enough would end the process.
"""

import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_DIRECTIVES: Final = {"annotation_typing": False, "language_level": 3}
"""Types stay what they are to the interpreter: nothing is converted, and nothing refused that it takes."""


class CompilingHook(BuildHookInterface[Any]):
    """Puts compiled modules beside their sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say that the wheel holds for one interpreter and machine."""
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory(prefix="mita-otel-")
        for module, built in compiled(Path(self.root), Path(self._folder.name), self.config["modules"]).items():
            build_data["force_include"][str(built)] = f"mita_otel/{module}{''.join(built.suffixes)}"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - the hook's
        """Leave nothing behind."""
        if version != "editable":
            self._folder.cleanup()


def compiled(root: Path, folder: Path, modules: list[str]) -> dict[str, Path]:
    """Compile modules of the package; return the files by their module.

    Args:
        root: of the project.
        folder: where to work; the sources are not touched.
        modules: paths below the package, without their suffix.
    """
    # Needed for such a wheel alone, and then there.
    from Cython.Build import cythonize  # noqa: PLC0415
    from setuptools import Distribution, Extension  # noqa: PLC0415

    extensions = [
        Extension(
            "mita_otel." + module.replace("/", "."),
            [str(root / "mita_otel" / f"{module}.py")],
            extra_compile_args=["-O2", "-g0", "-w"],
        )
        for module in modules
    ]
    translated = cythonize(extensions, build_dir=str(folder / "c"), compiler_directives=_DIRECTIVES, quiet=True)
    command = Distribution({"ext_modules": translated}).get_command_obj("build_ext")
    command.build_lib, command.build_temp, command.parallel = str(folder / "lib"), str(folder / "tmp"), True
    command.ensure_finalized()
    command.run()
    return {
        module: folder / "lib" / command.get_ext_filename(extension.name)
        for module, extension in zip(modules, extensions, strict=True)
    }
