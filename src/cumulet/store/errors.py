"""What can go wrong in the store, in words for people.

    StoreError
    ├── StorageFull          the disk is full or refuses to write: 507, nothing of the call was kept
    ├── Conflict             a row with the same key is there already, or a rule of the schema is broken
    ├── ReadOnly             a read tried to write
    ├── Contended            other writers won again and again
    ├── Unreachable          the database server does not answer; nothing of the call was kept
    ├── OutcomeUnknown       it went away in the middle of a commit and did not come back to tell
    ├── BlobGone             there is no such blob
    ├── Closed               the database was closed
    ├── InUse                another server has this database open
    ├── Damaged              the file is no database of ours
    ├── NewerDatabase        it was made by a newer Cumulet
    ├── EditedMigration      a migration that was applied has changed since
    ├── WrongCollation       PostgreSQL would sort text otherwise than SQLite does
    ├── BadStatement         SQL or values that the database does not take: our mistake
    └── UnknownQuery         no query of that name: our mistake

A statement that fails ends its work: catching the error inside the work does not save it, on either database.
"""

from cumulet.base.errors import CumuletError


class StoreError(CumuletError):
    """The store could not do what was asked."""


class StorageFull(StoreError):
    """The disk is full or refuses to write. Nothing of this call was kept; it works again when there is space."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the disk is full or refuses to write ({reason}); nothing of this call was kept")


class Conflict(StoreError):
    """A row breaks a rule of the schema: most often the same key is there already."""


class ReadOnly(StoreError):
    """A read tried to write. It is a mistake of ours: use `write`."""


class Contended(StoreError):
    """Other writers changed the same rows again and again."""


class Unreachable(StoreError):
    """The database server does not answer. Nothing of this call was kept."""


class OutcomeUnknown(StoreError):
    """The connection was lost in the middle of a commit, and nobody could be asked whether it was carried out."""


class BlobGone(StoreError):
    """There is no such blob."""


class Closed(StoreError):
    """The database was closed."""


class InUse(StoreError):
    """Another server has this database open."""


class Damaged(StoreError):
    """The file is no database of Cumulet, or it is damaged."""


class NewerDatabase(StoreError):
    """The database was made by a newer Cumulet."""


class EditedMigration(StoreError):
    """A migration that this database has applied is not the one in this Cumulet."""


class WrongCollation(StoreError):
    """The PostgreSQL database sorts text by the rules of a language; names must sort by their bytes."""


class BadStatement(StoreError):
    """The database does not take this statement or these values. It is a mistake of ours."""


class UnknownQuery(StoreError):
    """There is no query of that name."""
