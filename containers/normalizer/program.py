"""The job's steps in their order: claim the destination, normalize what is missing there, report."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from containers.shared.job.events import log_event

from . import contract
from .arguments import Job
from .attempts import tally_photograph
from .crew import Crew
from .destination import Destination
from .failure_log import FailureLog
from .failures import SourceError, TooManyRefusedError
from .manifest import Manifest
from .normalized_images import NormalizedImageMaker, Photograph
from .prefix import IMAGE_SUFFIXES, find_photographs, list_photographs
from .sharing import EVERYTHING, Report, Share, gather_reports
from .storage import Storage
from .tally import Result, Tally

if TYPE_CHECKING:
    from .packing import Packer


def normalize_all(job: Job, storage: Storage, tally: Tally, share: Share = EVERYTHING) -> str | None:
    """Bring an instance's share of the destination up to date and return what there is to say about all of it.

    Of several instances only the last one to end has something to say.

    Raises:
        BulkJobError: If that is not possible, or too many photographs were not normalized.
    """
    with _open_manifest(job, storage) as manifest, tempfile.TemporaryFile() as failures:
        destination = Destination(storage, job.destination)
        destination.claim(job)
        destination.write_summary({**tally.describe(), "is_complete": False})
        log_event("normalizing_start", source=job.source, destination=job.destination)

        log = FailureLog(failures)
        maker = NormalizedImageMaker(storage, destination.normalized, job.options)
        with _open_packer(job, storage, maker, tally, share) as packer, tempfile.TemporaryFile() as all_failures:
            if packer:
                packer.pack(share, job.connections, log, tally)
            else:
                photographs = (
                    manifest.find_photographs(share)
                    if manifest
                    else find_photographs(storage, job.source, destination.normalized, tally, share)
                )
                _work_through(photographs, maker, job.connections, log, tally)
            tally.report("normalizing_end")
            report = gather_reports(storage, job.destination, share, tally, log, all_failures)
            return _report(job, destination, manifest, packer, report, all_failures) if report else None


def _work_through(
    photographs: Iterable[Photograph], maker: NormalizedImageMaker, connections: int, log: FailureLog, tally: Tally
) -> None:
    def work(photograph: Photograph) -> None:
        tally_photograph(photograph, lambda each: maker.make(each).result, log, tally)

    Crew(work, connections).work_through(photographs)


@contextmanager
def _open_manifest(job: Job, storage: Storage) -> Iterator[Manifest | None]:
    if not job.is_manifest:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        storage.download(job.source, file)
        manifest = Manifest(job.source, file)
        manifest.check()
        yield manifest


@contextmanager
def _open_packer(
    job: Job, storage: Storage, maker: NormalizedImageMaker, tally: Tally, share: Share
) -> Iterator["Packer | None"]:
    if not job.is_packed:
        yield None
        return
    # NumPy takes time and memory, which only packed sets need.
    from .packing import Packer
    from .plan import Plan

    with tempfile.TemporaryFile() as file:
        normalized = job.destination.join(contract.NORMALIZED_PREFIX)
        photographs = list_photographs(storage, job.source, normalized, tally, share, others=True)
        yield Packer(storage, job.destination, Plan(job, photographs, file), maker)


def _report(
    job: Job,
    destination: Destination,
    manifest: Manifest | None,
    packer: "Packer | None",
    report: Report,
    log: IO[bytes],
) -> str:
    if not report.photographs:
        suffixes = ", ".join(IMAGE_SUFFIXES)
        raise SourceError(
            f"no photograph below {job.source}, only {report.counts['skipped']} other objects; check the prefix. "
            f"Photographs are objects that end in one of {suffixes}"
        )
    is_complete = report.of(Result.REFUSED) <= job.max_refused and not report.of(Result.UNAVAILABLE)
    failures = destination.write_failures(log)
    if manifest:
        with tempfile.TemporaryFile() as normalized:
            manifest.write_normalized(normalized, destination.normalized, report.lines)
            destination.write_manifest(normalized)
    packed = ""
    if packer and is_complete:
        destination.write_summary({**report.counts, "is_complete": False})
        packed = f"; {packer.join()}"
    destination.write_summary({**report.counts, "is_complete": is_complete})
    if not is_complete:
        raise TooManyRefusedError(_explain(job, report, str(failures)))
    return f"{job.destination}: {_sum_up(report)}{packed}"


def _sum_up(report: Report) -> str:
    counts = ", ".join(f"{report.of(result)} {result}" for result in Result)
    return f"{report.photographs} photographs: {counts}"


def _explain(job: Job, report: Report, failures: str) -> str:
    first = "; ".join(report.first)
    return (
        f"{_sum_up(report)}, where {job.max_refused} may be refused. First: {first}. All: {failures}. "
        "Correct or remove what was refused, or allow more, and run the job again: what is normalized is kept"
    )
