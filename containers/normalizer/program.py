"""The job's steps in their order: claim the destination, normalize what is missing there, report."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, Final

from containers.shared.job.events import log_event
from headrace.normalizer.contract import ErrorCode
from headrace.normalizer.errors import NormalizeError

from .arguments import Job
from .crew import Crew
from .destination import Destination
from .failure_log import FailureLog
from .failures import BulkJobError, SourceError, StorageError, TooManyRefusedError
from .manifest import Manifest
from .normalized_images import NormalizedImageMaker, Photograph
from .prefix import IMAGE_SUFFIXES, find_photographs
from .sharing import EVERYTHING, Report, Share, gather_reports
from .storage import ObjectError, Storage
from .tally import Result, Tally

# Each was tried several times: when this many fail, it is not the photographs.
MOST_UNAVAILABLE: Final = 1000


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
        photographs = (
            manifest.find_photographs(share)
            if manifest
            else find_photographs(storage, job.source, destination.normalized, tally, share)
        )
        Crew(partial(tally_photograph, maker=maker, log=log, tally=tally), job.connections).work_through(photographs)
        tally.report("normalizing_end")
        with tempfile.TemporaryFile() as all_failures:
            report = gather_reports(storage, job.destination, share, tally, log, all_failures)
            return _report(job, destination, manifest, report, all_failures) if report else None


def tally_photograph(photograph: Photograph, maker: NormalizedImageMaker, log: FailureLog, tally: Tally) -> None:
    """Normalize a photograph and count what came of it."""
    try:
        result = maker.make(photograph)
    except NormalizeError as error:
        result = Result.REFUSED
        log.write(photograph, error.code, error.reason)
    except ObjectError as error:
        result = Result.REFUSED if error.is_final else Result.UNAVAILABLE
        log.write(photograph, error.code, error.reason)
        if tally.of(Result.UNAVAILABLE) >= MOST_UNAVAILABLE:
            raise StorageError(
                f"more than {MOST_UNAVAILABLE} photographs were unavailable, the last one: {error}"
            ) from error
    except BulkJobError:
        raise
    except Exception as error:  # noqa: BLE001 - one photograph must not end the job for all others
        result = Result.REFUSED
        log_event("photograph_failed", key=photograph.place.key, error=repr(error))
        log.write(photograph, ErrorCode.FAILED, repr(error))
    tally.count(result)


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


def _report(job: Job, destination: Destination, manifest: Manifest | None, report: Report, log: IO[bytes]) -> str:
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
    destination.write_summary({**report.counts, "is_complete": is_complete})
    if not is_complete:
        raise TooManyRefusedError(_explain(job, report, str(failures)))
    return f"{job.destination}: {_sum_up(report)}"


def _sum_up(report: Report) -> str:
    counts = ", ".join(f"{report.of(result)} {result}" for result in Result)
    return f"{report.photographs} photographs: {counts}"


def _explain(job: Job, report: Report, failures: str) -> str:
    first = "; ".join(report.first)
    return (
        f"{_sum_up(report)}, where {job.max_refused} may be refused. First: {first}. All: {failures}. "
        "Correct or remove what was refused, or allow more, and run the job again: what is normalized is kept"
    )
