"""What a teardown has done, thing by thing: what fails is noted, and the rest goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from headrace.absence import forgiving_absence
from headrace.errors import HeadraceError

# What may go wrong with one thing, and not with the others.
FAILURES: Final = (BotoCoreError, ClientError, HeadraceError)


@dataclass(frozen=True, order=True)
class Entry:
    """A thing, and what became of it.

    Args:
        kind: Its CloudFormation type, or one of the same form for what has none.
        name: What the account calls it.
        note: Why it failed or stays, or until when it is pending.
    """

    kind: str
    name: str
    note: str = ""


@dataclass
class Ledger:
    """What a teardown has done so far.

    Args:
        deleted: What is gone.
        pending: What AWS deletes later, as a key after its waiting days.
        failed: What could not be deleted, and why.
    """

    deleted: list[Entry] = field(default_factory=list)
    pending: list[Entry] = field(default_factory=list)
    failed: list[Entry] = field(default_factory=list)

    @contextmanager
    def deleting(self, kind: str, name: str) -> Iterator[None]:
        """Delete a thing inside, and note how that ended; one that is gone already counts as deleted."""
        with self.trying(kind, name):
            with forgiving_absence():
                yield
            self.deleted.append(Entry(kind, name))

    @contextmanager
    def trying(self, kind: str, name: str) -> Iterator[None]:
        """Do something to a thing that is noted only if it fails."""
        try:
            yield
        except FAILURES as error:
            self.failed.append(Entry(kind, name, str(error)))

    def defer(self, kind: str, name: str, until: datetime) -> None:
        """Note that a thing which was deleted goes only later."""
        self.deleted.remove(Entry(kind, name))
        self.pending.append(Entry(kind, name, f"until {until:%Y-%m-%d}"))

    def has_failed(self, *names: str) -> bool:
        """Whether something of one of these names could not be deleted."""
        return any(entry.name in names for entry in self.failed)
