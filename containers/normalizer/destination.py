"""What lies at a destination beside the normalized images: what they were made with, and what came of the last run."""

import json
from dataclasses import asdict
from typing import IO, Any

from headrace.normalizer.options import GENERATION
from headrace.s3.addresses import S3Address

from . import contract
from .arguments import Job
from .failures import DestinationError
from .storage import Storage


class Destination:
    """A prefix that belongs to one source, one set of options and one generation of the code.

    Args:
        storage: S3.
        place: The prefix.
    """

    def __init__(self, storage: Storage, place: S3Address) -> None:
        self._storage = storage
        self._place = place
        self.normalized = place.join(contract.NORMALIZED_PREFIX)

    def claim(self, job: Job) -> None:
        """Write what the normalized images are made with, unless they are made with the same already.

        Raises:
            DestinationError: If there are normalized images that were made otherwise.
        """
        ours = describe_recipe(job)
        theirs = self._read_recipe()
        if theirs == ours:
            return
        if any(True for _ in self._storage.list_objects(self.normalized)):
            theirs = self._read_recipe()
            # Another instance of the job may have been here meanwhile.
            if theirs == ours:
                return
            raise DestinationError(
                f"{self._place} holds normalized images that were made otherwise: {_compare(ours, theirs)}; "
                "choose another destination, or delete this one"
            )
        self._write_json(contract.OPTIONS_FILE, ours)

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Say how the run has gone, or that one is under way."""
        self._write_json(contract.SUMMARY_FILE, summary)

    def write_failures(self, file: IO[bytes]) -> S3Address:
        """Keep the photographs that were not normalized; where."""
        place = self._place.join(contract.FAILURES_FILE)
        self._storage.upload(file, place, contract.JSON_LINES)
        return place

    def write_manifest(self, file: IO[bytes]) -> None:
        """Keep the manifest of the normalized images."""
        self._storage.upload(file, self._place.join(contract.NORMALIZED_MANIFEST_FILE), contract.JSON_LINES)

    def _read_recipe(self) -> dict[str, Any]:
        return self._storage.read_json(self._place.join(contract.OPTIONS_FILE))

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        self._storage.write(self._place.join(name), f"{json.dumps(content, indent=2)}\n".encode(), contract.JSON)


def describe_recipe(job: Job) -> dict[str, Any]:
    """What decides what the normalized images of a job are, and where."""
    kind = "manifest" if job.is_manifest else "source"
    return {"generation": GENERATION, kind: str(job.source), **asdict(job.options)}


def _compare(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    if not theirs:
        return f"the options are unknown, as there is no {contract.OPTIONS_FILE}"
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return ", ".join(f"{name} {theirs.get(name)} instead of {ours.get(name)}" for name in names)
