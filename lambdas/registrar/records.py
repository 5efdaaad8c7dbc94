"""Keeping the record of a training job as objects that can be read one by one."""

import re
from collections.abc import Mapping
from typing import Any, Final

from headrace.contract import EXECUTIONS_PREFIX, NOT_RECORDED, RECORD_FOLDER
from headrace.provenance import INPUTS_FILE, ProvenanceError, find_fingerprint

from .job_output import JobOutputError, KeptFile, read_output

# As the state machine makes them of the names of executions.
_EXECUTION: Final = re.compile(r"[A-Za-z0-9-]{1,63}")
_OUTPUT: Final = "output.tar.gz"
_JSON: Final = "application/json"
_TEXT: Final = "text/plain"


class Records:
    """The records of the executions that write to a bucket.

    Args:
        s3: A client of S3.
        bucket: The work bucket.
        prefix: Below which the executions write there.
    """

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix

    def keep(self, execution: str, model_data: str) -> tuple[str, str]:
        """Keep what a model's training job says of it; the fingerprint of its data, and the prefix of the record.

        Args:
            execution: The execution's name.
            model_data: The address of the model, which the job's output lies beside.

        Raises:
            JobOutputError: If an argument is not of such an execution, or the output cannot be kept.
        """
        if not _EXECUTION.fullmatch(execution):
            raise JobOutputError(f"execution {execution!r}: not the name of an execution")
        folder = f"{self._prefix}{execution}/{RECORD_FOLDER}"
        fingerprint = NOT_RECORDED
        output = self._locate_output(model_data, execution)
        if self._exists(output):
            body = self._s3.get_object(Bucket=self._bucket, Key=output)["Body"]
            for file in read_output(body):
                fingerprint = self._keep_file(folder, file) or fingerprint
        return fingerprint, f"s3://{self._bucket}/{folder}"

    def _locate_output(self, model_data: str, execution: str) -> str:
        """The key of the job's output; SageMaker puts it beside the model, and says where the model is."""
        start = f"s3://{self._bucket}/{self._prefix}"
        # Where an execution has trained that began before executions wrote below the prefix of their workload.
        early = f"s3://{self._bucket}/{EXECUTIONS_PREFIX}{execution}/"
        if not model_data.startswith((start, early)):
            raise JobOutputError(f"model {model_data!r}: not below {start}")
        return model_data.removeprefix(f"s3://{self._bucket}/").rpartition("/")[0] + f"/{_OUTPUT}"

    def _exists(self, key: str) -> bool:
        """Whether there is an object: S3 answers 403, not 404, to a role that may list only a prefix."""
        found: Mapping[str, Any] = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        return any(entry["Key"] == key for entry in found.get("Contents", ()))

    def _keep_file(self, folder: str, file: KeptFile) -> str | None:
        """Keep a file; the fingerprint in it, if it is the record of the inputs."""
        fingerprint = None
        if file.name == INPUTS_FILE:
            try:
                fingerprint = find_fingerprint(file.content)
            except ProvenanceError as error:
                # Somebody else's program may call another file so.
                print(f"inputs_not_recorded reason={str(error)!r}")  # noqa: T201 (the function's log)
                return None
            file.content.seek(0)
        content_type = _JSON if file.name.endswith(".json") else _TEXT
        self._s3.upload_fileobj(file.content, self._bucket, folder + file.name, ExtraArgs={"ContentType": content_type})
        return fingerprint
