"""Makes this distribution the one that runs where several are installed.

The launcher imports every module of the `opentelemetry_environment_variables` entry point group before it starts the
program; which distribution it would pick otherwise depends on the order of directories. A user's own choice wins; an
empty one, which the launcher would take for the name of a distribution, counts as none.
"""

import os

for _variable in ("OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR"):
    if not os.environ.get(_variable, "").strip():
        os.environ[_variable] = "mita"
