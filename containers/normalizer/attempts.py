"""What becomes of one photograph, whatever it meets on its way."""

from collections.abc import Callable
from typing import Final, NamedTuple

from containers.shared.job.events import log_event
from headrace.normalizer.contract import ErrorCode
from headrace.normalizer.errors import NormalizeError

from .failure_log import FailureLog
from .failures import BulkJobError, StorageError
from .normalized_images import Photograph
from .storage import ObjectError
from .tally import Result, Tally

# Each was tried several times: when this many fail, it is not the photographs.
MOST_UNAVAILABLE: Final = 1000


class Failure(NamedTuple):
    """Why a photograph was not normalized."""

    result: Result
    code: str
    reason: str


def tally_photograph(
    photograph: Photograph, make: Callable[[Photograph], Result], log: FailureLog, tally: Tally
) -> Failure | None:
    """Normalize a photograph, count what came of it, and note and return why it was not normalized.

    Raises:
        BulkJobError: If the whole job would meet what this photograph met.
    """
    failure = _attempt(photograph, make, tally)
    if failure:
        log.write(photograph, failure.code, failure.reason)
    return failure


def _attempt(photograph: Photograph, make: Callable[[Photograph], Result], tally: Tally) -> Failure | None:
    failure = None
    try:
        result = make(photograph)
    except NormalizeError as error:
        failure = Failure(Result.REFUSED, error.code, error.reason)
    except ObjectError as error:
        if not error.is_final and tally.of(Result.UNAVAILABLE) >= MOST_UNAVAILABLE:
            raise StorageError(
                f"more than {MOST_UNAVAILABLE} photographs were unavailable, the last one: {error}"
            ) from error
        failure = Failure(Result.REFUSED if error.is_final else Result.UNAVAILABLE, error.code, error.reason)
    except BulkJobError:
        raise
    except Exception as error:  # noqa: BLE001 - one photograph must not end the job for all others
        log_event("photograph_failed", key=photograph.place.key, error=repr(error))
        failure = Failure(Result.REFUSED, ErrorCode.FAILED, repr(error))
    tally.count(failure.result if failure else result)
    return failure
