"""See before anything is paid for that the classifier which was noted is there, and of the mode of the settings."""

from collections.abc import Mapping
from typing import Final

from headrace.documents.contract import CLASSIFIER_MACHINE_OUTPUT, Mode, Surveyed
from stacks.pipeline.asl import Catch, Choice, State, jsonata
from stacks.pipeline.classifier_tasks import ClassifierTasks
from stacks.pipeline.failure import FAILED, Reason, assign_failure, fail_for, keep_failure
from stacks.pipeline.step import Step

_SEE: Final = "See Noted Classifier"
_CHECK: Final = "Check Classifier"
_UNUSABLE: Final = "ClassifierUnusable"
_ARN: Final = f"$survey.{Surveyed.CLASSIFIER}"
_FOUND: Final = "$states.result.DocumentClassifierProperties"
_ANOTHER: Final = f"train another one with the state machine of the output {CLASSIFIER_MACHINE_OUTPUT}"


def check_classifier(classifiers: ClassifierTasks, mode: Mode) -> Step:
    """Look at the classifier of the survey, which somebody may have deleted, or trained in another mode."""
    gone = f"'the classifier ' & {_ARN} & ' is there no more; {_ANOTHER}'"
    broken = f"'the classifier ' & {_ARN} & ' is ' & $noted.Status & '; {_ANOTHER}'"
    other = (
        f"'the classifier ' & {_ARN} & ' was trained in the mode ' & $lowercase($noted.Mode) & ', and "
        f"documents.classifier.mode is {mode}; {_ANOTHER}, or set the mode back'"
    )

    def states(after: str) -> Mapping[str, State]:
        return {
            _SEE: classifiers.ask(
                "DescribeDocumentClassifier",
                {"DocumentClassifierArn": jsonata(_ARN)},
                assign={
                    "noted": {
                        "Status": jsonata(f"{_FOUND}.Status"),
                        "Mode": jsonata(f"$exists({_FOUND}.Mode) ? {_FOUND}.Mode : '{mode.upper()}'"),
                    }
                },
                next_state=_CHECK,
                catch=(
                    Catch(
                        errors=("Comprehend.ResourceNotFoundException",),
                        assign=assign_failure(_UNUSABLE, gone),
                        next=FAILED,
                    ),
                    keep_failure(_SEE),
                ),
                permissions=(classifiers.allow_classifiers("DescribeDocumentClassifier"),),
            ),
            _CHECK: Choice(
                rules=(
                    fail_for(
                        Reason("$not($noted.Status in ['TRAINED', 'TRAINED_WITH_WARNING'])", _UNUSABLE, broken),
                        Reason(f"$noted.Mode != '{mode.upper()}'", _UNUSABLE, other),
                    ),
                ),
                default=after,
            ),
        }

    return states
