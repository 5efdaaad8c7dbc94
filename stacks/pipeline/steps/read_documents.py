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
    LANGUAGES,
    MAP_FOLDER,
    PIECES_FOLDER,
    SYNTAX_LANGUAGES,
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
    Unpacked,
)
from lambdas.documents.contract import JOB_STATUS, TASK
from stacks.pipeline.asl import (
    ALWAYS,
    CALL_SECONDS,
    Catch,
    Choice,
    Fail,
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
from stacks.pipeline.failure import CAUSE, FUNCTION_CAUSE, REDRIVES, keep_failure
from stacks.pipeline.maps import DistributedMap, Map
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step

_READ_ALL: Final = "Read Documents"
_ANY: Final = "Anything To Read"
_TAKE: Final = "Take Document"
_START: Final = "Start Reading"
_WAIT: Final = "Wait For Notice"
_ENDED: Final = "Job Has Succeeded"
_WHY: Final = "Ask Why"
_SAY_WHY: Final = "Say Why"
_UNPACK: Final = "Unpack"
_HAS_TEXT: Final = "Has Text"
_LANGUAGE: Final = "Find Language"
_KNOWN: Final = "Language Is Known"
_UNDERSTAND: Final = "Understand"
_READ: Final = "Read"
_NOT_READ: Final = "Not Read"
_READ_PIECE: Final = "Read Piece"
_KEEP_PIECE: Final = "Keep Piece"
_PIECE_FAILED: Final = "Piece Failed"
# Pieces of one document at a time: Comprehend counts requests of the whole account.
_PIECES_AT_A_TIME: Final = 2
_ERROR: Final = "$string($states.errorOutput.Error)"
# The operation that finds each insight, and the members of its answer that are kept.
_OPERATIONS: Final[Mapping[Insight, tuple[str, str, tuple[str, ...]]]] = {
    Insight.ENTITIES: ("Find Entities", "DetectEntities", ("Entities",)),
    Insight.KEY_PHRASES: ("Find Key Phrases", "DetectKeyPhrases", ("KeyPhrases",)),
    Insight.SENTIMENT: ("Find Sentiment", "DetectSentiment", ("Sentiment", "SentimentScore")),
    Insight.SYNTAX: ("Find Syntax", "DetectSyntax", ("SyntaxTokens",)),
}
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
        notice_seconds: How long a notice of Textract is waited for.
        topic: Where Textract's notices go,
        role: and the role that it publishes them as.
    """

    features: Sequence[str]
    questions: Sequence[str]
    insights: Sequence[str]
    language: str | None
    concurrency: int
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
        understood = self._list_understanding() if self._reading.insights else {}
        return {
            _TAKE: self._take(),
            _START: self._start(),
            _WAIT: self._wait(),
            _ENDED: Choice(rules=(Rule(condition=f"$notice.{JOB_STATUS} = 'SUCCEEDED'", next=_UNPACK),), default=_WHY),
            _WHY: self._ask_why(),
            _SAY_WHY: Pass(
                assign={"error": "TextractJobFailed", "reason": jsonata("$why")},
                next=_NOT_READ,
            ),
            _UNPACK: self._tasks.ask_function(
                Action.UNPACK,
                {Request.FOLDER: "$folder", Request.JOB: "$job"},
                into="unpacked",
                next_state=next(iter(understood), _READ),
                catch=self._catch,
            ),
            **understood,
            _READ: self._end(Status.READ, {Ended.LANGUAGE: "$language", Ended.NOTE: "$note"}),
            _NOT_READ: self._end(Status.NOT_READ, {Ended.ERROR: "$error", Ended.REASON: "$reason"}),
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
        empty = {"language": jsonata("''"), "note": jsonata("''")}
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
            timeout_seconds=self._reading.notice_seconds,
            next=_ENDED,
            retry=(S3_BUSY,),
            catch=(self._catch,),
            permissions=self._tasks.allow_files("s3:PutObject"),
        )

    def _ask_why(self) -> Task:
        """The notice does not say it."""
        operation = "getDocumentAnalysis" if self._reading.features else "getDocumentTextDetection"
        message = "$states.result.StatusMessage"
        return Task(
            resource=call("textract", operation),
            arguments={"JobId": jsonata("$job"), "MaxResults": 1},
            assign={"why": jsonata(f"$exists({message}) ? {message} : 'Textract gives no reason'")},
            timeout_seconds=CALL_SECONDS,
            next=_SAY_WHY,
            retry=(TEXTRACT_BUSY,),
            catch=(self._catch,),
            permissions=(allow_unscoped("Textract", f"{operation[:1].upper()}{operation[1:]}"),),
        )

    def _list_understanding(self) -> Mapping[str, State]:
        """What is done with the text of a document, piece by piece."""
        given = self._reading.language
        found: Mapping[str, State] = {} if given else self._find_language()
        text = Rule(
            condition=f"$unpacked.{Unpacked.SAMPLE} != ''",
            next=next(iter(found), _UNDERSTAND),
            assign={"language": jsonata(f"'{given}'")} if given else {},
        )
        blank = {"note": jsonata("'Comprehend was not asked: there is too little text'")}
        return {
            _HAS_TEXT: Choice(rules=(text, Rule(condition=ALWAYS, next=_READ, assign=blank)), default=_READ),
            **found,
            _UNDERSTAND: Map(
                items=f"$unpacked.{Unpacked.PIECES}",
                selector={"Piece": jsonata(f"$folder & '{PIECES_FOLDER}' & $string($states.context.Map.Item.Value)")},
                states=self._list_piece(),
                concurrency=_PIECES_AT_A_TIME,
                next=_READ,
                catch=(self._catch,),
            ),
        }

    def _find_language(self) -> Mapping[str, State]:
        """Find the language of a document, and leave out what Comprehend does not understand."""
        known = SYNTAX_LANGUAGES if Insight.SYNTAX in self._reading.insights else LANGUAGES
        is_known = f"$language in [{', '.join(map(repr, known))}]"
        unknown = {"note": jsonata("'Comprehend was not asked: it does not understand the language ' & $language")}
        return {
            _LANGUAGE: self._tasks.ask_comprehend(
                "DetectDominantLanguage",
                {"Text": jsonata(f"$unpacked.{Unpacked.SAMPLE}")},
                assign={"language": jsonata("($states.result.Languages^(>Score))[0].LanguageCode")},
                next_state=_KNOWN,
                catch=self._catch,
            ),
            _KNOWN: Choice(
                rules=(
                    Rule(condition=is_known, next=_UNDERSTAND),
                    Rule(condition=ALWAYS, next=_READ, assign=unknown),
                ),
                default=_READ,
            ),
        }

    def _list_piece(self) -> Mapping[str, State]:
        """What is done with each piece of text; its answers are written, as a state carries those of few pieces."""
        wrong = {"piece_error": jsonata(_ERROR), "piece_reason": jsonata(CAUSE)}
        catch = Catch(errors=("States.ALL",), assign=wrong, next=_PIECE_FAILED)
        asked = [_OPERATIONS[insight] for insight in Insight if insight in self._reading.insights]
        kept = {member: f"${_name_variable(member)}" for _, _, members in asked for member in members}
        following = [*(name for name, _, _ in asked[1:]), _KEEP_PIECE]
        return {
            _READ_PIECE: Task(
                resource=call("s3", "getObject"),
                arguments={
                    "Bucket": self._tasks.work.bucket_name,
                    "Key": jsonata("$states.input.Piece & '.txt'"),
                },
                assign={"piece": jsonata("$states.input.Piece"), "text": jsonata("$states.result.Body")},
                timeout_seconds=CALL_SECONDS,
                next=asked[0][0],
                retry=(S3_BUSY,),
                catch=(catch,),
                permissions=self._tasks.allow_files("s3:GetObject"),
            ),
            **{
                name: self._tasks.ask_comprehend(
                    operation,
                    {"Text": jsonata("$text"), "LanguageCode": jsonata("$language")},
                    assign={_name_variable(member): jsonata(f"$states.result.{member}") for member in members},
                    next_state=after,
                    catch=catch,
                )
                for (name, operation, members), after in zip(asked, following, strict=True)
            },
            _KEEP_PIECE: Task(
                resource=call("s3", "putObject"),
                arguments={
                    "Bucket": self._tasks.work.bucket_name,
                    "Key": jsonata("$piece & '.json'"),
                    "Body": {member: jsonata(variable) for member, variable in kept.items()},
                    "ContentType": "application/json",
                },
                timeout_seconds=CALL_SECONDS,
                next="Piece Done",
                retry=(S3_BUSY,),
                catch=(catch,),
                permissions=self._tasks.allow_files("s3:PutObject"),
            ),
            "Piece Done": Finish(output={}),
            _PIECE_FAILED: Fail(error=jsonata("$piece_error"), cause=jsonata("$piece_reason")),
        }

    def _end(self, status: Status, also: Mapping[Ended, str]) -> Finish:
        return Finish(
            output={
                Ended.NUMBER: jsonata(f"$document.{Listed.NUMBER}"),
                Ended.STATUS: status,
                **{name: jsonata(value) for name, value in also.items()},
            }
        )


def _name_variable(member: str) -> str:
    """The variable that holds a member of an answer."""
    return f"found_{member}"
