"""Read every document of a list, each in its own execution: with Textract, and its text with Comprehend.

The execution of a document succeeds whatever becomes of it, and ends with what that is: one that cannot be read ends
the work on no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from headrace.documents.contract import (
    CLASSIFIED_BYTES,
    MAP_FOLDER,
    TEXTRACT_FOLDER,
    TOKENS_FOLDER,
    Action,
    Ended,
    Feature,
    Insight,
    Listed,
    Request,
    Status,
    Surveyed,
    find_piece_bytes,
)
from lambdas.documents.contract import JOB_STATUS, TASK
from stacks.pipeline.asl import (
    ALWAYS,
    CALL_SECONDS,
    Catch,
    Choice,
    Finish,
    Pass,
    Rule,
    State,
    Task,
    jsonata,
)
from stacks.pipeline.document_tasks import (
    S3_BUSY,
    TEXTRACT,
    TEXTRACT_BUSY,
    DocumentTasks,
    allow_unscoped,
    call,
)
from stacks.pipeline.failure import FUNCTION_CAUSE, REDRIVES, keep_failure
from stacks.pipeline.maps import DistributedMap
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step
from stacks.pipeline.steps.understand_text import Understanding

_READ_ALL: Final = "Read Documents"
_ANY: Final = "Anything To Read"
_TAKE: Final = "Take Document"
_START: Final = "Start Reading"
_WAIT: Final = "Wait For Notice"
_ENDED: Final = "Job Has Succeeded"
_ASK: Final = "Ask Textract"
_SAID: Final = "What Textract Says"
_UNPACK: Final = "Unpack"
_READ: Final = "Read"
_PARTLY_READ: Final = "Partly Read"
_NOT_READ: Final = "Not Read"
# For so long a notice is waited for before Textract is asked once how the job stands.
_LOOK_SECONDS: Final = 900
_ERROR: Final = "$string($states.errorOutput.Error)"
_TEXTRACT_FEATURES: Final[Mapping[str, str]] = {
    Feature.TABLES: "TABLES",
    Feature.FORMS: "FORMS",
    Feature.QUERIES: "QUERIES",
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How documents are read.

    Args:
        features: What Textract looks for besides text.
        questions: The questions of `queries`.
        insights: What Comprehend looks for.
        language: The language of all documents; none if each document's is to be found.
        concurrency: How many documents at a time.
        classifies: Whether the beginnings of texts are kept to be classified.
        notice_seconds: How long Textract may take for a document.
        topic: Where Textract's notices go,
        role: and the role that it publishes them as.
    """

    features: Sequence[str]
    questions: Sequence[str]
    insights: Sequence[str]
    language: str | None
    concurrency: int
    classifies: bool
    notice_seconds: int
    topic: sns.ITopic
    role: iam.IRole


def read_documents(tasks: DocumentTasks, reading: Reading) -> Step:
    """Read the documents that `$survey` has listed; `$map_results` says where it stands what has become of them."""

    def states(after: str) -> Mapping[str, State]:
        nothing = Rule(condition=f"$survey.{Surveyed.DOCUMENTS} = 0", next=after, assign={"map_results": {}})
        return {
            _ANY: Choice(rules=(nothing,), default=_READ_ALL),
            _READ_ALL: DistributedMap(
                states=_Document(tasks, reading).list_states(),
                label="Documents",
                reader={"Bucket": tasks.work.bucket_name, "Key": jsonata(f"$survey.{Surveyed.LIST}")},
                writer={"Bucket": tasks.work.bucket_name, "Prefix": jsonata(f"$folder & '{MAP_FOLDER}'")},
                selector={
                    "Document": jsonata("$states.context.Map.Item.Value"),
                    "Name": jsonata("$job_name"),
                    "Folder": jsonata(f"$folder & $string($states.context.Map.Item.Value.{Listed.NUMBER}) & '/'"),
                    "Execution": jsonata("$states.context.Execution.Id"),
                    "Redrives": jsonata(REDRIVES),
                    "Tokens": jsonata(f"$folder & '{TOKENS_FOLDER}'"),
                },
                concurrency=reading.concurrency,
                assign={"map_results": jsonata("$states.result")},
                next=after,
                catch=(keep_failure(_READ_ALL),),
                permissions=tasks.allow_files("s3:GetObject", "s3:PutObject"),
            ),
        }

    return states


class _Document:
    """The states of one document's execution.

    Args:
        tasks: Makes the tasks.
        reading: How it is read.
    """

    def __init__(self, tasks: DocumentTasks, reading: Reading) -> None:
        self._tasks = tasks
        self._reading = reading
        self._catch = Catch(
            errors=("States.ALL",), assign={"error": jsonata(_ERROR), "reason": jsonata(FUNCTION_CAUSE)}, next=_NOT_READ
        )

    def list_states(self) -> Mapping[str, State]:
        """The states, the first first."""
        understood = self._understand() if self._reading.insights else {}
        found = {Ended.LANGUAGE: "$language", Ended.NOTE: "$note"}
        wrong = {Ended.ERROR: "$error", Ended.REASON: "$reason"}
        return {
            _TAKE: self._take(),
            _START: self._start(),
            _WAIT: self._wait(),
            _ENDED: Choice(rules=(Rule(condition=f"$notice.{JOB_STATUS} = 'SUCCEEDED'", next=_UNPACK),), default=_ASK),
            _ASK: self._ask_textract(),
            _SAID: self._follow_answer(),
            _UNPACK: self._tasks.ask_function(
                Action.UNPACK,
                {
                    Request.FOLDER: "$folder",
                    Request.JOB: "$job",
                    Request.PIECE_BYTES: str(find_piece_bytes(self._reading.insights)),
                    Request.TEXT_BYTES: str(CLASSIFIED_BYTES if self._reading.classifies else 0),
                },
                into="unpacked",
                next_state=next(iter(understood), _READ),
                catch=self._catch,
            ),
            **understood,
            _READ: self._end(Status.READ, found),
            **({_PARTLY_READ: self._end(Status.PARTLY_READ, {**found, **wrong})} if understood else {}),
            _NOT_READ: self._end(Status.NOT_READ, wrong),
        }

    def _take(self) -> Pass:
        """A redriven execution reads anew: Textract says nothing more of a job that it has told of."""
        given = {
            "document": "$states.input.Document",
            "name": "$states.input.Name",
            "folder": "$states.input.Folder",
            "tokens": "$states.input.Tokens",
            "same": "$hash($states.input.Execution & '/' & $string($states.input.Redrives) & '/' "
            f"& $states.input.Document.{Listed.KEY}, 'SHA-256')",
        }
        empty = {"language": jsonata("''"), "note": jsonata("''"), "looks": 0}
        return Pass(assign={**{name: jsonata(value) for name, value in given.items()}, **empty}, next=_START)

    def _start(self) -> Task:
        """The token makes a try after a lost answer find the job of the one before, instead of paying for another."""
        operation = "startDocumentAnalysis" if self._reading.features else "startDocumentTextDetection"
        version = f"$document.{Listed.VERSION}"
        place = (
            f"$merge([{{'Bucket': '{self._tasks.raw.bucket_name}', 'Name': $document.{Listed.KEY}}}, "
            f"{version} in ['', 'null'] ? {{}} : {{'Version': {version}}}])"
        )
        encrypted = {"KmsKeyId": self._tasks.key.key_arn} if self._tasks.key else {}
        return Task(
            resource=call("textract", operation),
            arguments={
                "DocumentLocation": {"S3Object": jsonata(place)},
                "ClientRequestToken": jsonata("$same"),
                "JobTag": jsonata("$name"),
                "NotificationChannel": {
                    "SnsTopicArn": self._reading.topic.topic_arn,
                    "RoleArn": self._reading.role.role_arn,
                },
                "OutputConfig": {
                    "S3Bucket": self._tasks.work.bucket_name,
                    "S3Prefix": jsonata(f"$folder & '{TEXTRACT_FOLDER.rstrip('/')}'"),
                },
                **encrypted,
                **self._describe_features(),
            },
            assign={"job": jsonata("$states.result.JobId")},
            timeout_seconds=CALL_SECONDS,
            next=_WAIT,
            retry=(TEXTRACT_BUSY,),
            catch=(self._catch,),
            permissions=(
                allow_unscoped("Textract", f"{operation[:1].upper()}{operation[1:]}"),
                self._allow_passing(),
                *self._tasks.allow_reading_documents(),
                *self._tasks.allow_files("s3:PutObject"),
            ),
        )

    def _describe_features(self) -> dict[str, Any]:
        if not self._reading.features:
            return {}
        asked: dict[str, Any] = {"FeatureTypes": [_TEXTRACT_FEATURES[each] for each in self._reading.features]}
        if self._reading.questions:
            queries = [{"Text": question, "Pages": ["*"]} for question in self._reading.questions]
            asked["QueriesConfig"] = {"Queries": queries}
        return asked

    def _allow_passing(self) -> Permission:
        return Permission(
            statement=iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self._reading.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": TEXTRACT}},
            )
        )

    def _wait(self) -> Task:
        """Keep the token of this task where the function that notices come to looks for it."""
        return Task(
            resource=call("s3", "putObject", ".waitForTaskToken"),
            arguments={
                "Bucket": self._tasks.work.bucket_name,
                "Key": jsonata("$tokens & $job"),
                "Body": {TASK: jsonata("$states.context.Task.Token")},
                "ContentType": "application/json",
            },
            assign={"notice": jsonata("$states.result")},
            timeout_seconds=min(self._reading.notice_seconds, _LOOK_SECONDS),
            next=_ENDED,
            retry=(S3_BUSY,),
            catch=(
                Catch(errors=("States.Timeout",), assign={"looks": jsonata("$looks + 1")}, next=_ASK),
                self._catch,
            ),
            permissions=self._tasks.allow_files("s3:PutObject"),
        )

    def _ask_textract(self) -> Task:
        """Why a job has failed, which its notice does not say; and how it stands with one whose notice is late."""
        operation = "getDocumentAnalysis" if self._reading.features else "getDocumentTextDetection"
        message = "$states.result.StatusMessage"
        return Task(
            resource=call("textract", operation),
            arguments={"JobId": jsonata("$job"), "MaxResults": 1},
            assign={
                "notice": {JOB_STATUS: jsonata("$states.result.JobStatus")},
                "why": jsonata(f"$exists({message}) ? {message} : 'Textract gives no reason'"),
            },
            timeout_seconds=CALL_SECONDS,
            next=_SAID,
            retry=(TEXTRACT_BUSY,),
            catch=(self._catch,),
            permissions=(allow_unscoped("Textract", f"{operation[:1].upper()}{operation[1:]}"),),
        )

    def _follow_answer(self) -> Choice:
        """A notice can be lost for good: what was paid for is read without it."""
        status, looks = f"$notice.{JOB_STATUS}", -(-self._reading.notice_seconds // _LOOK_SECONDS)
        late = {
            "error": "TextractTookTooLong",
            "reason": jsonata(f"'its job has not ended within {self._reading.notice_seconds // 60} minutes'"),
        }
        return Choice(
            rules=(
                Rule(condition=f"{status} in ['SUCCEEDED', 'PARTIAL_SUCCESS']", next=_UNPACK),
                Rule(condition=f"{status} = 'IN_PROGRESS' and $looks < {looks}", next=_WAIT, is_return=True),
                Rule(condition=f"{status} = 'IN_PROGRESS'", next=_NOT_READ, assign=late),
                Rule(
                    condition=ALWAYS,
                    next=_NOT_READ,
                    assign={"error": "TextractJobFailed", "reason": jsonata("$why")},
                ),
            ),
            default=_NOT_READ,
        )

    def _understand(self) -> Mapping[str, State]:
        return Understanding(
            tasks=self._tasks,
            insights=tuple(map(Insight, self._reading.insights)),
            language=self._reading.language,
            documents=self._reading.concurrency,
            read=_READ,
            partly_read=_PARTLY_READ,
        ).list_states()

    def _end(self, status: Status, also: Mapping[Ended, str]) -> Finish:
        return Finish(
            output={
                Ended.NUMBER: jsonata(f"$document.{Listed.NUMBER}"),
                Ended.STATUS: status,
                **{name: jsonata(value) for name, value in also.items()},
            }
        )
