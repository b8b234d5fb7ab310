"""The service for a server's command line, with cheap hashes."""

from app import security
from app.main import app
from tests.integration.app.hashes import HASHER, UNKNOWN

__all__ = ["app"]

security._hasher = HASHER
security._unknown_user_hash = UNKNOWN
