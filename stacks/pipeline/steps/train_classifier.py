"""Train a classifier of documents on labelled texts, and note it where it is good enough to be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.documents.contract import (
    CLASSIFIER_NOTE,
    TRAINING_FOLDER,
    TRAINING_PREFIX,
    WORK_PREFIX,
    Mode,
    Noted,
    Request,
)
from stacks.pipeline import names
from stacks.pipeline.asl import ALWAYS, CALL_SECONDS, Choice, Finish, Pass, Rule, State, Task, Wait, jsonata
from stacks.pipeline.classifier_tasks import ClassifierTasks
from stacks.pipeline.document_tasks import S3_BUSY, DocumentTasks, call
from stacks.pipeline.execution_input import refuse, refuse_other_inputs
from stacks.pipeline.failure import FAILED, REDRIVES, assign_failure, keep_failure
from stacks.pipeline.step import Step

_READ: Final = "Read Input"
_CHECK: Final = "Check Input"
_CREATE: Final = "Create Classifier"
_SEE: Final = "See Classifier"
_TRAINED: Final = "Classifier Is Trained"
_WAIT: Final = "Wait For Classifier"
_NOTE: Final = "Note Classifier"
_EXAMPLE: Final = f'{{"{Request.TRAINING}": "{TRAINING_PREFIX}letters.csv"}}'
_LONGEST: Final = 512
_POLL_SECONDS: Final = 300
_HOUR: Final = 3600
_HASH_DIGITS: Final = 8
_FOUND: Final = "$states.result.DocumentClassifierProperties"
_METRICS: Final = f"{_FOUND}.ClassifierMetadata.EvaluationMetrics"


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a classifier is trained.

    Args:
        mode: Whether a text has one class or several labels.
        language: The language of the texts.
        least_f1: The least F1 score with which it is used.
        hours: How long it may take.
    """

    mode: Mode
    language: str
    least_f1: float
    hours: int


def name_training() -> Step:
    """The data are at `$training` of the raw bucket, and the new version of the classifier is called `$version`."""
    key, attribute = f"$request.{Request.TRAINING}", f"$request.{Request.ATTRIBUTE}"
    right = f"$substring({key}, 0, {len(TRAINING_PREFIX)}) = '{TRAINING_PREFIX}' and $length({key}) <= {_LONGEST}"
    unlike = refuse(
        f"$type({key}) = 'string' ? $not({right}) : true",
        f'"{Request.TRAINING}: found " & ($exists({key}) ? $string({key}) : "nothing") & "; allowed: the key of an '
        f"object of the raw bucket that begins with '{TRAINING_PREFIX}', of at most {_LONGEST} characters\"",
    )
    unnamed = refuse(
        f"$exists({attribute}) and $not($type({attribute}) = 'string' and "
        f"$contains({attribute}, /^[A-Za-z0-9-]{{1,63}}$/))",
        f"'{Request.ATTRIBUTE}: name the attribute of an augmented manifest that has the label, in up to 63 letters, "
        "digits and hyphens'",
    )
    name = names.name_from_execution()
    digest = "$hash($states.context.Execution.Id & $string($states.context.Execution.StartTime), 'SHA-256')"
    read = Pass(
        assign={
            "request": jsonata("$states.input"),
            "job_name": jsonata(name),
            "execution": jsonata(name),
            "version": jsonata(f"$substring({name}, 0, 50) & '-' & $substring({digest}, 0, {_HASH_DIGITS})"),
            "same": jsonata(digest),
        },
        next=_CHECK,
    )

    def states(after: str) -> Mapping[str, State]:
        rules = (
            *refuse_other_inputs([Request.TRAINING, Request.ATTRIBUTE], example=_EXAMPLE),
            unlike,
            unnamed,
        )
        return {_READ: read, _CHECK: Choice(rules=rules, default=after)}

    return states


def train_classifier(tasks: DocumentTasks, classifiers: ClassifierTasks, training: Training) -> Step:
    """Train it, into `$classifier` its ARN and into `$seen` what is known of it."""

    def states(after: str) -> Mapping[str, State]:
        return {
            _CREATE: _create(tasks, classifiers, training),
            _SEE: classifiers.ask(
                "DescribeDocumentClassifier",
                {"DocumentClassifierArn": jsonata("$classifier")},
                assign={
                    "seen": {
                        "Status": jsonata(f"{_FOUND}.Status"),
                        "Reason": jsonata(f"$exists({_FOUND}.Message) ? {_FOUND}.Message : ''"),
                        Noted.F1: jsonata(f"$exists({_METRICS}.F1Score) ? {_METRICS}.F1Score : 0"),
                    },
                    "polls": jsonata("$polls + 1"),
                },
                next_state=_TRAINED,
                catch=(keep_failure(_SEE),),
                permissions=(classifiers.allow_classifiers("DescribeDocumentClassifier"),),
            ),
            _TRAINED: _choose(training),
            _WAIT: Wait(seconds=_POLL_SECONDS, next=_SEE),
            _NOTE: _note(tasks, after),
        }

    return states


def _create(tasks: DocumentTasks, classifiers: ClassifierTasks, training: Training) -> Task:
    """A redrive trains another version: the one before is deleted by then."""
    raw, work = f"s3://{tasks.raw.bucket_name}/", f"s3://{tasks.work.bucket_name}/{WORK_PREFIX}"
    source = f"'{raw}' & $request.{Request.TRAINING}"
    labels = ", 'LabelDelimiter': '|'" if training.mode == Mode.MULTI_LABEL else ""
    key = classifiers.key.key_arn if classifiers.key else None
    version = f"$version & ({REDRIVES} > 0 ? '-' & $string({REDRIVES}) : '')"
    arguments: dict[str, Any] = {
        "DocumentClassifierName": classifiers.name,
        "VersionName": jsonata(version),
        "ClientRequestToken": jsonata(f"$hash($same & $string({REDRIVES}), 'SHA-256')"),
        "DataAccessRoleArn": classifiers.role.role_arn,
        "LanguageCode": training.language,
        "Mode": training.mode.upper(),
        "InputDataConfig": jsonata(
            f"$exists($request.{Request.ATTRIBUTE}) ? {{'DataFormat': 'AUGMENTED_MANIFEST', 'AugmentedManifests': "
            f"[{{'S3Uri': {source}, 'AttributeNames': [$request.{Request.ATTRIBUTE}]}}]{labels}}} : "
            f"{{'DataFormat': 'COMPREHEND_CSV', 'S3Uri': {source}{labels}}}"
        ),
        "OutputDataConfig": {
            "S3Uri": jsonata(f"'{work}' & $job_name & '/{TRAINING_FOLDER}'"),
            **({"KmsKeyId": key} if key else {}),
        },
        **({"VolumeKmsKeyId": key, "ModelKmsKeyId": key} if key else {}),
    }
    return classifiers.ask(
        "CreateDocumentClassifier",
        classifiers.tag(arguments),
        assign={"classifier": jsonata("$states.result.DocumentClassifierArn"), "polls": 0},
        next_state=_SEE,
        catch=(keep_failure(_CREATE),),
        permissions=(
            classifiers.allow_training(),
            *classifiers.allow_role(),
        ),
    )


def _choose(training: Training) -> Choice:
    is_trained, is_training = (
        "$seen.Status in ['TRAINED', 'TRAINED_WITH_WARNING']",
        "$seen.Status in ['SUBMITTED', 'TRAINING']",
    )
    weak = assign_failure(
        "ClassifierTooWeak",
        f"'its F1 score is ' & $string($seen.{Noted.F1}) & ', and documents.classifier.least_f1 wants "
        f"{training.least_f1}'",
    )
    slow = assign_failure("ClassifierFailed", f"'the training has not ended within {training.hours} hours'")
    broken = assign_failure("ClassifierFailed", "'the training is ' & $seen.Status & ': ' & $seen.Reason")
    most = training.hours * _HOUR // _POLL_SECONDS
    return Choice(
        rules=(
            Rule(condition=f"{is_trained} and $seen.{Noted.F1} >= {training.least_f1}", next=_NOTE),
            Rule(condition=is_trained, next=FAILED, assign=weak),
            Rule(condition=f"{is_training} and $polls < {most}", next=_WAIT),
            Rule(condition=is_training, next=FAILED, assign=slow),
            Rule(condition=ALWAYS, next=FAILED, assign=broken),
        ),
        default=FAILED,
    )


def _note(tasks: DocumentTasks, after: str) -> Task:
    """From then on executions use it; those that run go on with the one before."""
    return Task(
        resource=call("s3", "putObject"),
        arguments={
            "Bucket": tasks.work.bucket_name,
            "Key": CLASSIFIER_NOTE,
            "Body": {
                Noted.ARN: jsonata("$classifier"),
                Noted.F1: jsonata(f"$seen.{Noted.F1}"),
                Noted.EXECUTION: jsonata("$execution"),
            },
            "ContentType": "application/json",
        },
        timeout_seconds=CALL_SECONDS,
        next=after,
        retry=(S3_BUSY,),
        catch=(keep_failure(_NOTE),),
        permissions=tasks.allow_files("s3:PutObject"),
    )


def tell_classifier(also: Mapping[str, Any]) -> Step:
    """Which version was trained, how good it is, and what Comprehend warns of."""
    told = {
        "JobName": jsonata("$job_name"),
        Noted.ARN: jsonata("$classifier"),
        Noted.F1: jsonata(f"$seen.{Noted.F1}"),
        "Status": jsonata("$seen.Status"),
        "Reason": jsonata("$seen.Reason"),
        **also,
    }
    return lambda _after: {"Done": Finish(output=told)}
