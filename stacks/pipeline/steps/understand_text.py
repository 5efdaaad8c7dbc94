"""What Comprehend finds in the text of a document, piece by piece.

A question that Comprehend does not answer ends no other: what is wrong is kept in `$faults`, and the rest is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.documents.contract import (
    LANGUAGES,
    PIECES_FOLDER,
    SYNTAX_LANGUAGES,
    Insight,
    Unpacked,
)
from stacks.pipeline.asl import ALWAYS, CALL_SECONDS, Catch, Choice, Finish, Rule, State, Task, jsonata
from stacks.pipeline.document_tasks import S3_BUSY, DocumentTasks, call
from stacks.pipeline.failure import CAUSE
from stacks.pipeline.maps import Map

_HAS_TEXT: Final = "Has Text"
_LANGUAGE: Final = "Find Language"
_KNOWN: Final = "Language Is Known"
_UNDERSTAND: Final = "Understand"
_UNDERSTOOD: Final = "Everything Is Understood"
_READ_PIECE: Final = "Read Piece"
_KEEP_PIECE: Final = "Keep Piece"
_PIECE_DONE: Final = "Piece Done"
# Comprehend counts the requests of the whole account. Beyond so many documents at a time, each has one of its pieces
# read at a time instead of two.
_MOST_READERS: Final = 20
_LONGEST_FAULT: Final = 400
_MOST_FAULTS: Final = 50
# The operation that finds each insight, and the members of its answer that are kept, with what they are without one.
_OPERATIONS: Final[Mapping[Insight, tuple[str, str, Mapping[str, Any]]]] = {
    Insight.ENTITIES: ("Find Entities", "DetectEntities", {"Entities": []}),
    Insight.KEY_PHRASES: ("Find Key Phrases", "DetectKeyPhrases", {"KeyPhrases": []}),
    Insight.SENTIMENT: ("Find Sentiment", "DetectSentiment", {"Sentiment": "", "SentimentScore": {}}),
    Insight.SYNTAX: ("Find Syntax", "DetectSyntax", {"SyntaxTokens": []}),
}
_FAULT: Final = f"$substring($string($states.errorOutput.Error) & ': ' & {CAUSE}, 0, {_LONGEST_FAULT})"


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """The states that ask Comprehend about what `$unpacked` says of a document's text.

    Args:
        tasks: Makes the tasks.
        insights: What Comprehend looks for; not nothing.
        language: The language of all documents; none if each document's is to be found.
        documents: How many documents are read at a time.
        read: The state after a document about which everything that was asked is known,
        partly_read: and after one where `$error` and `$reason` say what is not.
    """

    tasks: DocumentTasks
    insights: tuple[Insight, ...]
    language: str | None
    documents: int
    read: str
    partly_read: str

    def list_states(self) -> Mapping[str, State]:
        """The states, the first first."""
        found: Mapping[str, State] = {} if self.language else self._find_language()
        text = Rule(
            condition=f"$unpacked.{Unpacked.SAMPLE} != ''",
            next=next(iter(found), _UNDERSTAND),
            assign={"language": jsonata(f"'{self.language}'")} if self.language else {},
        )
        blank = {"note": jsonata("'Comprehend was not asked: there is too little text'")}
        return {
            _HAS_TEXT: Choice(rules=(text, Rule(condition=ALWAYS, next=self.read, assign=blank)), default=self.read),
            **found,
            _UNDERSTAND: Map(
                items=f"$unpacked.{Unpacked.PIECES}",
                selector={"Piece": jsonata(f"$folder & '{PIECES_FOLDER}' & $string($states.context.Map.Item.Value)")},
                states=self._list_piece(),
                concurrency=2 if 2 * self.documents <= _MOST_READERS else 1,
                assign={"wrong": jsonata("[$states.result.Faults]")},
                next=_UNDERSTOOD,
                catch=(self._catch(),),
            ),
            _UNDERSTOOD: self._look_for_faults(),
        }

    def _look_for_faults(self) -> Choice:
        told = f"$join($distinct($wrong)[[0..{_MOST_FAULTS - 1}]], '; ')"
        faults = {
            "error": "ComprehendFailed",
            "reason": jsonata(f"$string($count($wrong)) & ' questions about the text have no answer: ' & {told}"),
        }
        return Choice(
            rules=(
                Rule(condition="$count($wrong) = 0", next=self.read),
                Rule(condition=ALWAYS, next=self.partly_read, assign=faults),
            ),
            default=self.read,
        )

    def _catch(self) -> Catch:
        """What Textract has found, which was paid for, stays whatever becomes of the text."""
        wrong = {"error": "ComprehendFailed", "reason": jsonata(_FAULT)}
        return Catch(errors=("States.ALL",), assign=wrong, next=self.partly_read)

    def _find_language(self) -> Mapping[str, State]:
        """Find the language of a document, and leave out what Comprehend does not understand."""
        known = SYNTAX_LANGUAGES if Insight.SYNTAX in self.insights else LANGUAGES
        is_known = f"$language in [{', '.join(map(repr, known))}]"
        unknown = {"note": jsonata("'Comprehend was not asked: it does not understand the language ' & $language")}
        return {
            _LANGUAGE: self.tasks.ask_comprehend(
                "DetectDominantLanguage",
                {"Text": jsonata(f"$unpacked.{Unpacked.SAMPLE}")},
                assign={"language": jsonata("($states.result.Languages^(>Score))[0].LanguageCode")},
                next_state=_KNOWN,
                catch=self._catch(),
            ),
            _KNOWN: Choice(
                rules=(
                    Rule(condition=is_known, next=_UNDERSTAND),
                    Rule(condition=ALWAYS, next=self.read, assign=unknown),
                ),
                default=self.read,
            ),
        }

    def _list_piece(self) -> Mapping[str, State]:
        """What is done with each piece of text; its answers are written, as a state carries those of few pieces."""
        asked = [_OPERATIONS[insight] for insight in Insight if insight in self.insights]
        kept = {member: empty for _, _, members in asked for member, empty in members.items()}
        following = [*(name for name, _, _ in asked[1:]), _KEEP_PIECE]
        return {
            _READ_PIECE: Task(
                resource=call("s3", "getObject"),
                arguments={
                    "Bucket": self.tasks.work.bucket_name,
                    "Key": jsonata("$states.input.Piece & '.txt'"),
                },
                assign={
                    "piece": jsonata("$states.input.Piece"),
                    "text": jsonata("$states.result.Body"),
                    "faults": [],
                    **{_name_variable(member): empty for member, empty in kept.items()},
                },
                timeout_seconds=CALL_SECONDS,
                next=asked[0][0],
                retry=(S3_BUSY,),
                catch=(_go_on("[]", _PIECE_DONE),),
                permissions=self.tasks.allow_files("s3:GetObject"),
            ),
            **{
                name: self.tasks.ask_comprehend(
                    operation,
                    {"Text": jsonata("$text"), "LanguageCode": jsonata("$language")},
                    assign={_name_variable(member): jsonata(f"$states.result.{member}") for member in members},
                    next_state=after,
                    catch=_go_on("$faults", after),
                )
                for (name, operation, members), after in zip(asked, following, strict=True)
            },
            _KEEP_PIECE: Task(
                resource=call("s3", "putObject"),
                arguments={
                    "Bucket": self.tasks.work.bucket_name,
                    "Key": jsonata("$piece & '.json'"),
                    "Body": {member: jsonata(f"${_name_variable(member)}") for member in kept},
                    "ContentType": "application/json",
                },
                timeout_seconds=CALL_SECONDS,
                next=_PIECE_DONE,
                retry=(S3_BUSY,),
                catch=(_go_on("$faults", _PIECE_DONE),),
                permissions=self.tasks.allow_files("s3:PutObject"),
            ),
            _PIECE_DONE: Finish(output={"Faults": jsonata("$faults")}),
        }


def _go_on(before: str, after: str) -> Catch:
    """Keep what is wrong with the faults before, and go on."""
    return Catch(errors=("States.ALL",), assign={"faults": jsonata(f"[$append({before}, {_FAULT})]")}, next=after)


def _name_variable(member: str) -> str:
    """The variable that holds a member of an answer."""
    return f"found_{member}"
