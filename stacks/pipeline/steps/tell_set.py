"""Tell which set the execution has made or completed, and end."""

from collections.abc import Mapping

from containers.normalizer import contract as preprocessing
from headrace.normalizer.contract import BulkInput
from stacks.pipeline.asl import Finish, State, jsonata


def tell_set(_after: str) -> Mapping[str, State]:
    """Where the set is, and what its job said."""
    return {
        "Done": Finish(
            output={
                BulkInput.NAME: jsonata(f"$request.{BulkInput.NAME}"),
                "JobName": jsonata("$job_name"),
                "Destination": jsonata("$destination"),
                "NormalizedImages": jsonata(f"$destination & '{preprocessing.NORMALIZED_PREFIX}'"),
                "Report": jsonata("$report"),
            }
        )
    }
