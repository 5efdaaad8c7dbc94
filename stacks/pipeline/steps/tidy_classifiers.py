"""Delete the versions of the classifier beyond the last ones; the new one is used, whatever becomes of that.

A version that was used until lately stays: an execution that reads documents goes on with the one that it began with.
"""

from collections.abc import Mapping
from typing import Any, Final

from stacks.pipeline.asl import Catch, Choice, Rule, State, in_milliseconds, jsonata
from stacks.pipeline.classifier_tasks import ClassifierTasks
from stacks.pipeline.document_tasks import allow_unscoped
from stacks.pipeline.failure import CAUSE
from stacks.pipeline.step import Step

# The key of the output that says what was deleted.
OUTPUT: Final[Mapping[str, Any]] = {"Tidied": jsonata("$tidied")}
_LIST: Final = "List Classifiers"
_ANY: Final = "Any Old Classifier"
_DELETE: Final = "Delete Old Classifier"
# Each takes about 1.5 KB of the 256 KiB that states carry; of more, the next execution deletes some.
_MOST_LISTED: Final = 100
_HOUR_MILLISECONDS: Final = 3_600_000
_OTHERS: Final = jsonata("[$filter($old, function($each, $at) { $at > 0 })]")
_SO_FAR: Final = "$tidied.Deleted"


def tidy_classifiers(classifiers: ClassifierTasks, *, keep: int, used_hours: int) -> Step:
    """Delete all but so many, into `$tidied` what was deleted and what could not be.

    Args:
        classifiers: Makes the tasks.
        keep: How many stay.
        used_hours: For how long a version may be used after there is a newer one.
    """

    def states(after: str) -> Mapping[str, State]:
        said = f"$tidied.Left & ($tidied.Left = '' ? '' : '; ') & $old[0] & ': ' & {CAUSE}"
        return {
            _LIST: classifiers.ask(
                "ListDocumentClassifiers",
                {"Filter": {"DocumentClassifierName": classifiers.name}, "MaxResults": _MOST_LISTED},
                assign={"old": jsonata(_find_old(keep, used_hours)), "tidied": {"Deleted": [], "Left": ""}},
                next_state=_ANY,
                catch=(
                    Catch(
                        errors=("States.ALL",), assign={"tidied": {"Deleted": [], "Left": jsonata(CAUSE)}}, next=after
                    ),
                ),
                permissions=(allow_unscoped("Comprehend", "ListDocumentClassifiers"),),
            ),
            _ANY: Choice(rules=(Rule(condition="$count($old) > 0", next=_DELETE),), default=after),
            _DELETE: classifiers.ask(
                "DeleteDocumentClassifier",
                {"DocumentClassifierArn": jsonata("$old[0]")},
                assign={
                    "old": _OTHERS,
                    "tidied": {"Deleted": jsonata(f"[{_SO_FAR}, $old[0]]"), "Left": jsonata("$tidied.Left")},
                },
                next_state=_ANY,
                catch=(
                    Catch(
                        errors=("States.ALL",),
                        assign={
                            "old": _OTHERS,
                            "tidied": {"Deleted": jsonata(f"[{_SO_FAR}]"), "Left": jsonata(said)},
                        },
                        next=_ANY,
                    ),
                ),
                permissions=(classifiers.allow_classifiers("DeleteDocumentClassifier"),),
            ),
        }

    return states


def _find_old(keep: int, used_hours: int) -> str:
    """JSONata: the ARNs of those that go, the latest first. What is being trained stays, and does not count."""
    one, other = (in_milliseconds(f"${name}.SubmitTime") for name in ("one", "other"))
    replaced = in_milliseconds("$made[$at - 1].EndTime")
    until = f"$toMillis($states.context.State.EnteredTime) - {used_hours * _HOUR_MILLISECONDS}"
    return (
        "( $trained := $states.result.DocumentClassifierPropertiesList"
        "[Status in ['TRAINED', 'TRAINED_WITH_WARNING']]; $made := [$sort($trained, "
        f"function($one, $other) {{ {one} < {other} }})]; "
        f"$gone := $filter($made, function($each, $at) {{ $at >= {keep} and "
        f"$each.DocumentClassifierArn != $classifier and {replaced} < {until} }}); "
        "[$gone.DocumentClassifierArn] )"
    )
