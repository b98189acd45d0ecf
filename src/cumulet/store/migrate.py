"""Brings a database to the schema of this Cumulet: `schema/NNNN_name.sql`, in order, each once.

One text serves both databases, so it keeps to what both understand; statements end with `;` at the end of a line.
What was applied is recorded with a checksum in `schema_versions`. It refuses a database made by a newer Cumulet, and a
file that changed after it was applied: a change of the schema is a new file.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from cumulet.store.api import Transaction
from cumulet.store.errors import EditedMigration, NewerDatabase

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_CREATE = """CREATE TABLE IF NOT EXISTS schema_versions (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
)"""
_APPLIED = "SELECT version, name, checksum FROM schema_versions ORDER BY version"
_RECORD = "INSERT INTO schema_versions (version, name, checksum) VALUES (:version, :name, :checksum)"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Of the statements alone: white space at line ends and comment lines may change."""
        return hashlib.sha256(";\n".join(self.statements).encode()).hexdigest()

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(split(self.text))


def found(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The migrations of `folder` (default: Cumulet's own), in order of their numbers."""
    home = resources.files("cumulet.store") / "schema" if folder is None else folder
    matches = [(match, entry) for entry in home.iterdir() if (match := _FILE.fullmatch(entry.name)) is not None]
    migrations = [Migration(int(match[1]), match[2], entry.read_text("utf-8")) for match, entry in matches]
    return tuple(sorted(migrations, key=lambda migration: migration.version))


def split(text: str) -> Iterable[str]:
    """The statements of `text`: each ends with `;` at the end of a line. Whole comment lines are dropped."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.rstrip()
        if not bare or bare.lstrip().startswith("--"):
            continue
        lines.append(bare)
        if bare.endswith(";"):
            yield "\n".join(lines)[:-1].rstrip()
            lines = []
    if lines:
        yield "\n".join(lines)


def apply(tx: Transaction, migrations: Sequence[Migration]) -> tuple[int, ...]:
    """Apply what is missing, within the one transaction `tx`; the versions that were applied."""
    tx.run(_CREATE)
    applied = {row["version"]: row for row in tx.all(_APPLIED)}
    pending = plan(migrations, {version: (row["name"], row["checksum"]) for version, row in applied.items()})
    for migration in pending:
        for statement in migration.statements:
            tx.run(statement)
        tx.run(_RECORD, version=migration.version, name=migration.name, checksum=migration.checksum)
    return tuple(migration.version for migration in pending)


def plan(migrations: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    """Which migrations are to be applied, given (name, checksum) of those that were. Refuses what cannot be."""
    known = {migration.version: migration for migration in migrations}
    if len(known) != len(migrations):
        raise EditedMigration("two files of the schema have the same number")
    if unknown := [f"{version:04}_{applied[version][0]}" for version in sorted(applied) if version not in known]:
        raise NewerDatabase(
            f"this database was made by a newer Cumulet: it has {', '.join(unknown)}\n"
            "hint: start the newer Cumulet, or give another --data folder"
        )
    for version, (name, checksum) in applied.items():
        if known[version].checksum != checksum:
            raise EditedMigration(
                f"{version:04}_{name}.sql has changed since this database applied it\n"
                "hint: put the old text back; a change of the schema is a new file"
            )
    return [migration for migration in migrations if migration.version not in applied]
