"""Levels by component: a default never makes a component louder than the rest, and the application's own word wins.

Source: observability report, section 1.1.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

COMPONENTS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "Application": (("app",), "INFO"),
    "Security": (("security",), "INFO"),
    "Audit": (("audit",), "INFO"),
    "SQLAlchemy": (("sqlalchemy",), "WARNING"),
    "FastAPI": (("fastapi",), "INFO"),
    "Uvicorn": (("uvicorn",), "INFO"),
}
"""Loggers and level of each component; the root's is a setting of its own."""


def chosen(root: str | int, given: Mapping[str, str]) -> dict[str, int]:
    """Return the levels to set, by logger.

    Args:
        root: level of the root logger.
        given: levels that the user chose; they hold whatever the root's is.
    """
    floor = logging.getLevelNamesMapping()[root] if isinstance(root, str) else root
    levels = {name: logging.getLevelNamesMapping()[level] for names, level in COMPONENTS.values() for name in names}
    quieter = {name: level for name, level in levels.items() if level > floor}
    return quieter | {name: logging.getLevelNamesMapping()[level] for name, level in given.items()}


def apply(levels: Mapping[str, int]) -> Callable[[], None]:
    """Set the level of each logger that has none of its own; return what takes them back.

    Whatever configures logging later replaces them: they are only a beginning.
    """
    ours = {}
    for name, level in levels.items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)
            ours[logger] = level

    def undo() -> None:
        for logger, level in ours.items():
            if logger.level == level:
                logger.setLevel(logging.NOTSET)

    return undo
