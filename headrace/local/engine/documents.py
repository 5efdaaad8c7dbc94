"""Textract and Comprehend of the local cloud, which read nothing: they answer what they are given in files.

Answers have the shapes of the APIs' own models, which each is compared with before it is used:
https://docs.aws.amazon.com/textract/latest/dg/API_Reference.html,
https://docs.aws.amazon.com/comprehend/latest/APIReference/welcome.html.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.local.clock import CLOCK
from headrace.local.engine.access.needs import Need
from headrace.local.engine.classifiers import CLASSIFY, DESCRIBE, CheckRole, Classifiers
from headrace.local.engine.cloud import ACCOUNT
from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.validation import find_violations, load_service_model, validate_request

TEXTRACT: Final = "textract"
COMPREHEND: Final = "comprehend"
TEXTRACT_PRINCIPAL: Final = "textract.amazonaws.com"
ANSWERS_FOLDER: Final = "answers"
_BLOCKS_A_PART: Final = 1000
_HASH_DIGITS: Final = 16
_SHOWN: Final = 40
# https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html: 5 KB or 100 KB of UTF-8.
# A text that is classified: 10 KB.
_SHORT, _LONG = 5_000, 100_000
_MOST_BYTES: Final[Mapping[str, int]] = {
    "DetectDominantLanguage": _LONG,
    "DetectEntities": _LONG,
    "DetectKeyPhrases": _LONG,
    "DetectSentiment": _SHORT,
    "DetectSyntax": _SHORT,
    CLASSIFY: 10_000,
}
_STARTS: Final = {
    "StartDocumentAnalysis": "GetDocumentAnalysis",
    "StartDocumentTextDetection": "GetDocumentTextDetection",
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job of Textract's.

    Args:
        number: Its JobId.
        request: What it was started with.
        operation: The operation that its answer is asked by.
        answer: That answer, whole.
    """

    number: str
    request: Mapping[str, Any]
    operation: str
    answer: Mapping[str, Any]


class Answers:
    """The files of answers.

    Args:
        folder: Where they are: `textract/KEY.json` for the document KEY, `comprehend/OPERATION/HASH.json` for a text,
            and `comprehend/DescribeDocumentClassifier/KEY.json` for the training data KEY.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_document(self, key: str, operation: str) -> Mapping[str, Any]:
        """Textract's answer about a document.

        Raises:
            ServiceRefusedError: If none is given, or not one of Textract's.
        """
        path = _name_answer(self._folder / TEXTRACT, key)
        if path is None or not path.is_file():
            raise ServiceRefusedError(
                "InvalidParameterException",
                f"The local cloud reads no documents. For an answer about {key}, save one of {operation} as "
                f"{path or 'nothing: its key leads elsewhere'}.",
            )
        return _read(path, TEXTRACT, operation, "InvalidParameterException")

    def find_training(self, key: str) -> Mapping[str, Any]:
        """Comprehend's answer about a classifier, by the key of its training data.

        Raises:
            ServiceRefusedError: If none is given, or not one of Comprehend's.
        """
        path = _name_answer(self._folder / COMPREHEND / DESCRIBE, key)
        if path is None or not path.is_file():
            raise ServiceRefusedError(
                "InvalidRequestException",
                f"The local cloud trains no classifiers. For one that is trained on {key}, save an answer of "
                f"{DESCRIBE} as {path or 'nothing: its key leads elsewhere'}.",
            )
        answer = _read(path, COMPREHEND, DESCRIBE, "InvalidRequestException")
        if "Status" not in answer.get("DocumentClassifierProperties", {}):
            raise ServiceRefusedError(
                "InvalidRequestException", f"{path}: it has no DocumentClassifierProperties with a Status."
            )
        return answer

    def find_text(self, operation: str, text: str) -> Mapping[str, Any]:
        """Comprehend's answer about a text.

        Raises:
            ServiceRefusedError: If none is given, or not one of Comprehend's.
        """
        path = self._folder / COMPREHEND / operation / f"{name_text(text)}.json"
        if not path.is_file():
            raise ServiceRefusedError(
                "InvalidRequestException",
                f"The local cloud reads no texts. To have an answer about '{text[:_SHOWN]}…', save one of {operation} "
                f"as {path}.",
            )
        return _read(path, COMPREHEND, operation, "InvalidRequestException")


def _name_answer(folder: Path, key: str) -> Path | None:
    """The file of an answer about an object, unless its key leads out of the folder."""
    path = folder / f"{PurePosixPath(key.lstrip('/'))}.json"
    return None if ".." in path.parts else path


def name_text(text: str) -> str:
    """What the file of an answer about a text is called: the beginning of the SHA-256 of its UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]


def _read(path: Path, service: str, operation: str, code: str) -> Mapping[str, Any]:
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ServiceRefusedError(code, f"{path}: it is not JSON: {error}") from None
    shape = load_service_model(service).operation_model(operation).output_shape
    if wrong := next(find_violations(shape, answer, ""), ""):
        raise ServiceRefusedError(code, f"{path}: it is no answer of {operation}: {wrong}")
    found: Mapping[str, Any] = answer
    return found


class Textract:
    """Jobs that read documents, as far as their answers are given.

    Args:
        answers: The answers.
        s3: The client that documents are looked for and answers are written with.
        publish: Publishes a message to a topic as a role, or says why that cannot be.
    """

    def __init__(self, answers: Answers, s3: Any, publish: Callable[[str, str, str], None]) -> None:
        self._answers = answers
        self._s3 = s3
        self._publish = publish
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._tokens: dict[str, Job] = {}

    def answer(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What an operation answers.

        Raises:
            ServiceRefusedError: If it is refused.
        """
        if operation not in (*_STARTS, *_STARTS.values()):
            raise ServiceRefusedError("UnknownOperationException", f"The local cloud's Textract has no {operation}.")
        _check(TEXTRACT, operation, request, "InvalidParameterException")
        return self._start(operation, request) if operation in _STARTS else self._get(operation, request)

    def _start(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            if same := self._tokens.get(request.get("ClientRequestToken", "")):
                if same.request != request:
                    raise ServiceRefusedError(
                        "IdempotentParameterMismatchException", "A request with this token had other parameters."
                    )
                return {"JobId": same.number}
            place = request["DocumentLocation"]["S3Object"]
            self._check_there(place)
            answer = self._answers.find_document(place["Name"], _STARTS[operation])
            number = hashlib.sha256(f"{len(self._jobs)} {place}".encode()).hexdigest()
            job = Job(number=number, request=request, operation=_STARTS[operation], answer=answer)
            self._write(job)
            self._jobs[number] = job
            if token := request.get("ClientRequestToken"):
                self._tokens[token] = job
        if "NotificationChannel" in request:
            threading.Thread(target=self._tell, args=[job], name="textract-notice", daemon=True).start()
        return {"JobId": number}

    def _get(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        job = self._jobs.get(request["JobId"])
        if job is None or job.operation != operation:
            raise ServiceRefusedError("InvalidJobIdException", "There is no job of this kind with this number.")
        begin, most = int(request.get("NextToken", "0")), int(request.get("MaxResults", _BLOCKS_A_PART))
        blocks = job.answer.get("Blocks", [])
        following = {"NextToken": str(begin + most)} if begin + most < len(blocks) else {}
        return {**job.answer, "Blocks": blocks[begin : begin + most], **following}

    def _check_there(self, place: Mapping[str, str]) -> None:
        version = {"VersionId": place["Version"]} if "Version" in place else {}
        try:
            self._s3.head_object(Bucket=place["Bucket"], Key=place["Name"], **version)
        except ClientError as error:
            reason = f"Unable to get object metadata from S3: {error}"
            raise ServiceRefusedError("InvalidS3ObjectException", reason) from None

    def _write(self, job: Job) -> None:
        """Write the parts of an answer as Textract does: numbered from 1 on, below the number of the job."""
        output = job.request.get("OutputConfig")
        if not output or job.answer.get("JobStatus") == "FAILED":
            return
        folder = f"{output.get('S3Prefix', 'textract_output')}/{job.number}"
        blocks = job.answer.get("Blocks", [])
        for number, begin in enumerate(range(0, max(len(blocks), 1), _BLOCKS_A_PART), start=1):
            part = {**job.answer, "Blocks": blocks[begin : begin + _BLOCKS_A_PART]}
            self._s3.put_object(Bucket=output["S3Bucket"], Key=f"{folder}/{number}", Body=json.dumps(part).encode())

    def _tell(self, job: Job) -> None:
        """https://docs.aws.amazon.com/textract/latest/dg/async-notification-payload.html."""
        place, channel = job.request["DocumentLocation"]["S3Object"], job.request["NotificationChannel"]
        notice = {
            "JobId": job.number,
            "Status": "FAILED" if job.answer.get("JobStatus") == "FAILED" else "SUCCEEDED",
            "API": job.operation.replace("Get", "Start"),
            "JobTag": job.request.get("JobTag", ""),
            "Timestamp": round(CLOCK.now().timestamp() * 1000),
            "DocumentLocation": {"S3ObjectName": place["Name"], "S3Bucket": place["Bucket"]},
        }
        with CLOCK.working():
            self._publish(channel["RoleArn"], channel["SNSTopicArn"], json.dumps(notice))


class Comprehend:
    """Answers about texts, as far as they are given, and classifiers.

    Args:
        answers: The answers.
        s3: The client that training data are looked for with.
        check_role: Sees that Comprehend may be a role, and this what it needs.
    """

    def __init__(self, answers: Answers, s3: Any = None, check_role: CheckRole = lambda _role, _needs: None) -> None:
        self._answers = answers
        self._classifiers = Classifiers(answers.find_training, answers.find_text, s3, check_role)

    def answer(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What an operation answers.

        Raises:
            ServiceRefusedError: If it is refused.
        """
        if operation not in {*_MOST_BYTES, *self._classifiers.operations}:
            raise ServiceRefusedError("UnknownOperationException", f"The local cloud's Comprehend has no {operation}.")
        _check(COMPREHEND, operation, request, "InvalidRequestException")
        size, most = len(request.get("Text", "").encode()), _MOST_BYTES.get(operation, 0)
        if size > most:
            raise ServiceRefusedError(
                "TextSizeLimitExceededException",
                f"Input text size exceeds limit. Max length of {most} bytes, got {size}",
            )
        if operation in self._classifiers.operations:
            return self._classifiers.answer(operation, request)
        return self._answers.find_text(operation, request["Text"])


def _check(service: str, operation: str, request: Mapping[str, Any], code: str) -> None:
    try:
        validate_request(load_service_model(service).operation_model(operation).input_shape, request)
    except RequestRefusedError as error:
        raise ServiceRefusedError(code, error.message) from None


def list_textract_needs(operation: str, request: Mapping[str, Any]) -> Iterator[Need]:
    """What a caller must be allowed: Textract uses buckets with the caller's own permissions.

    https://docs.aws.amazon.com/textract/latest/dg/security_iam_service-with-iam.html,
    https://docs.aws.amazon.com/textract/latest/dg/api-async-roles.html
    """
    yield Need(action=f"{TEXTRACT}:{operation}")
    ours = {"s3:ResourceAccount": ACCOUNT}
    if place := request.get("DocumentLocation", {}).get("S3Object"):
        action = "GetObjectVersion" if "Version" in place else "GetObject"
        resource = f"arn:aws:s3:::{place.get('Bucket')}/{place.get('Name')}"
        yield Need(action=f"s3:{action}", resource=resource, context=ours)
    if output := request.get("OutputConfig"):
        resource = f"arn:aws:s3:::{output.get('S3Bucket')}/{output.get('S3Prefix')}/new/1"
        yield Need(action="s3:PutObject", resource=resource, context=ours)
    if role := request.get("NotificationChannel", {}).get("RoleArn"):
        yield Need(action="iam:PassRole", resource=role, context={"iam:PassedToService": TEXTRACT_PRINCIPAL})
