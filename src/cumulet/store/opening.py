"""Which database an address means: `postgresql://...` is PostgreSQL, anything else a file for SQLite, or `:memory:`."""

from pathlib import Path

from cumulet.store.api import Database
from cumulet.store.errors import StoreError
from cumulet.store.sqlite import SQLite


async def open_database(address: str | Path) -> Database:
    """Open it, at our schema. psycopg is loaded only here, and only when it is asked for."""
    if not str(address).startswith(("postgresql://", "postgres://")):
        return await SQLite.open(address)
    try:
        from cumulet.store.postgres import Postgres
    except ImportError as error:
        raise StoreError(f"PostgreSQL needs psycopg: {error}\nhint: uv tool install 'cumulet[postgres]'") from error
    return await Postgres.open(str(address))
