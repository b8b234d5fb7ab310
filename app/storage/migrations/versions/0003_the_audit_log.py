"""The audit log, by its own schema."""

from alembic import op

from mita_otel.logs.audit import schema

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    schema.upgrade(op.get_bind())


def downgrade() -> None:
    """Take back, unless something was recorded."""
    schema.downgrade(op.get_bind())
