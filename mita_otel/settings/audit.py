"""What is set about the audit log."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SecretStr, StringConstraints

from mita_otel.settings.values import Part

MEBIBYTE: Final = 1024 * 1024


class AuditSettings(Part):
    """Settings of the audit log."""

    audit_signing_key: SecretStr | None = Field(
        default=None,
        alias="MITA_AUDIT_SIGNING_KEY",
        title="what seals the audit log, the newest key first; without one whoever may write to its table may forge it",
        description="id:secret with 32 or more ASCII characters, several separated by commas",
    )
    audit_key_file: Path | None = Field(
        default=None,
        alias="MITA_AUDIT_KEY_FILE",
        title="the same, one key a line; MITA_AUDIT_SIGNING_KEY wins",
        description="a file that can be read",
    )
    audit_database_url: SecretStr | None = Field(
        default=None,
        alias="MITA_AUDIT_DATABASE_URL",
        title="the application's database, as the role that may only insert; for mita-otel audit as one that may read",
        description="postgresql://user:password@host/name or sqlite:///file",
    )
    audit_folder: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None,
        alias="MITA_AUDIT_FOLDER",
        title="where audit events are kept until the database has them; without it ~/.local/state/mita-otel/audit",
        description="a folder on a disk that stays",
    )
    audit_spool_limit: int = Field(
        default=256 * MEBIBYTE,
        ge=MEBIBYTE,
        le=64 * 1024 * MEBIBYTE,
        alias="MITA_AUDIT_SPOOL_LIMIT",
        title="what a process keeps there at most",
        description="bytes between 1048576 and 68719476736",
    )

    def audit_keys(self) -> str | None:
        """Return the keys as they are given; None if none is.

        Raises:
            OSError: the file cannot be read.
        """
        if self.audit_signing_key is not None:
            return self.audit_signing_key.get_secret_value()
        return None if self.audit_key_file is None else self.audit_key_file.read_text("utf-8")

    def audit_root(self, otherwise: Path | str | None = None) -> Path:
        """Return the folder of journals: as it is set, else `otherwise`, else the user's."""
        return Path(self.audit_folder or otherwise or Path.home() / ".local" / "state" / "mita-otel" / "audit")
