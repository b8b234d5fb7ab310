"""What the runbooks tell people to ask PostgreSQL, asked of a real one with the service's schema."""

import re

from sqlalchemy import text

from app.settings import Settings
from app.storage import Database
from tests.fixtures.runbooks import WRITTEN


async def test_postgresql_understands_every_question(postgres_url: str) -> None:
    commands = [line for page in WRITTEN for line in page.commands() if " psql " in line]
    questions = {found for line in commands for found in re.findall(r'-c "([^"]+)"', line)}
    database = Database(Settings(database_url=postgres_url).sqlalchemy_url)
    try:
        await database.migrate()
        async with database.engine.connect() as connection:
            for question in questions:
                await connection.execute(text(question.replace(":", r"\:")))
    finally:
        await database.close()
    assert len(commands) >= len(questions) > 5
