"""How the instances of a job divide the photographs, and put together what each has to report.

Each instance takes the photographs whose paths' hash is its own. At its end it writes what it has done to a prefix of
the run, and sums up what all have reported if it finds the reports of all: the last one does, and two that end at the
same time write the same twice.
"""

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from typing import IO, Any, Final

from containers.shared.job.resources import Resources
from headrace.s3.addresses import S3Address

from . import contract
from .failure_log import FailureLog
from .storage import Storage
from .tally import Result, Tally

_HASH_BYTES: Final = 8


@dataclass(frozen=True)
class Share:
    """One instance's part of the photographs.

    Args:
        count: How many instances there are.
        index: Which of them this is, counted from 0.
        run: The name of this run of the job, which no other has.
    """

    count: int = 1
    index: int = 0
    run: str = ""

    @classmethod
    def of(cls, resources: Resources) -> "Share":
        """The part of an instance of a job of SageMaker's."""
        return cls(len(resources.hosts), resources.index, resources.job)

    @property
    def is_all(self) -> bool:
        """Whether there is no other instance."""
        return self.count == 1

    def takes(self, path: str) -> bool:
        """Whether the photograph of a path is among this part."""
        if self.is_all:
            return True
        digest = hashlib.blake2b(path.encode(errors="surrogatepass"), digest_size=_HASH_BYTES).digest()
        return int.from_bytes(digest) % self.count == self.index

    def name_report(self, index: int) -> str:
        """Where an instance reports, below the destination."""
        return f"{contract.INSTANCES_PREFIX}{self.run}/{index + 1:02}-of-{self.count:02}"


EVERYTHING: Final = Share()


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of photographs.

    Args:
        counts: How many came to what, and for how long, by the names of `Tally.describe`.
        first: The first that were not normalized, and why.
        lines: The lines of a manifest about those that were not.
    """

    counts: dict[str, float]
    first: list[str]
    lines: set[int]

    def of(self, result: Result) -> int:
        """How many photographs have come to this."""
        return int(self.counts[result])

    @property
    def photographs(self) -> int:
        """How many photographs have come to anything."""
        return int(self.counts["photographs"])


def gather_reports(
    storage: Storage, destination: S3Address, share: Share, tally: Tally, log: FailureLog, failures: IO[bytes]
) -> Report | None:
    """What all instances have done, and in a file what became of their failures; None while others are at work.

    Args:
        storage: S3.
        destination: The prefix of everything that is written.
        share: This instance's part.
        tally: What it has done.
        log: The photographs that it has not normalized.
        failures: Where the failures of all go.
    """
    own = {"counts": tally.describe(), "first": log.first, "lines": sorted(log.lines)}
    if share.is_all:
        log.file.seek(0)
        failures.writelines(log.file)
        return Report(counts=tally.describe(), first=log.first, lines=log.lines)
    places = [destination.join(share.name_report(index)) for index in range(share.count)]
    storage.upload(log.file, S3Address(destination.bucket, f"{places[share.index].key}.jsonl"), contract.JSON_LINES)
    storage.write(_json_of(places[share.index]), json.dumps(own).encode(), contract.JSON)
    every = [storage.read(_json_of(place)) for place in places]
    if not all(every):
        return None
    for place in places:
        # boto3 writes to the beginning of a file.
        with tempfile.TemporaryFile() as some:
            storage.download(S3Address(place.bucket, f"{place.key}.jsonl"), some)
            some.seek(0)
            shutil.copyfileobj(some, failures)
    return _merge([json.loads(text) for text in every if text])


def _json_of(place: S3Address) -> S3Address:
    return S3Address(place.bucket, f"{place.key}.json")


def _merge(reports: list[dict[str, Any]]) -> Report:
    names = reports[0]["counts"]
    counts = {name: sum(report["counts"][name] for report in reports) for name in names}
    # They were at work at the same time.
    counts["seconds"] = max(report["counts"]["seconds"] for report in reports)
    return Report(
        counts=counts,
        first=[text for report in reports for text in report["first"]][: FailureLog.SHOWN],
        lines={line for report in reports for line in report["lines"]},
    )
