"""Put the results of all documents together, and tell what was read."""

from collections.abc import Mapping
from typing import Final

from headrace.documents.contract import Action, Gathered, Request, Surveyed
from stacks.pipeline.asl import Finish, State, jsonata
from stacks.pipeline.document_tasks import DocumentTasks
from stacks.pipeline.failure import keep_failure
from stacks.pipeline.step import Step

_GATHER: Final = "Gather"


def gather_documents(tasks: DocumentTasks, *, classified: bool = False) -> Step:
    """Have the results written, into `$gathered` where they are.

    Args:
        tasks: Makes the task.
        classified: Whether `$classified` says how the classification has ended.
    """
    also = {Request.CLASSIFICATION: "$classified"} if classified else {}

    def states(after: str) -> Mapping[str, State]:
        return {
            _GATHER: tasks.ask_function(
                Action.GATHER,
                {Request.NAME: "$job_name", Request.MAP_RESULTS: "$map_results", **also},
                into="gathered",
                next_state=after,
                catch=keep_failure(_GATHER),
            )
        }

    return states


def tell_documents(_after: str) -> Mapping[str, State]:
    """How many documents were read, what that was estimated to cost, and where the results are."""
    told = {str(each): jsonata(f"$gathered.{each}") for each in Gathered}
    return {
        "Done": Finish(
            output={
                "JobName": jsonata("$job_name"),
                Request.PREFIX: jsonata("$prefix"),
                Surveyed.ESTIMATE: jsonata(f"$survey.{Surveyed.ESTIMATE}"),
                **told,
            }
        )
    }
