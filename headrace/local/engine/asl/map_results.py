"""The results of a Map run: in the state's output, or in files in S3.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from headrace.local.engine.asl.documents import write_json
from headrace.local.engine.asl.failures import RESULT_WRITER_FAILED, StateFailedError
from headrace.local.engine.asl.flows import Child, MapRun, RunStatus
from headrace.local.engine.asl.surroundings import TaskCall
from headrace.local.engine.asl.visits import Visit

_PUT: Final = "arn:aws:states:::aws-sdk:s3:putObject"
_NONE, _COMPACT, _FLATTEN = "NONE", "COMPACT", "FLATTEN"
_LINES: Final = "JSONL"
# The name of each file, and the executions that are in it.
_FILES: Final[Mapping[str, tuple[RunStatus, ...]]] = {
    "FAILED": (RunStatus.FAILED, RunStatus.ABORTED),
    "PENDING": (RunStatus.PENDING,),
    "SUCCEEDED": (RunStatus.SUCCEEDED,),
}


def collect_results(visit: Visit, run: MapRun) -> list[Any]:
    """The results of a Map run as they stand in the state's output: of the executions that have succeeded."""
    config = visit.state.get("ResultWriter", {}).get("WriterConfig", {})
    return _transform(run.list_by_status(RunStatus.SUCCEEDED), config.get("Transformation", _COMPACT))


def has_files(visit: Visit) -> bool:
    """Whether the results go into files."""
    return "Resource" in visit.state.get("ResultWriter", {})


async def write_results(visit: Visit, run: MapRun) -> dict[str, Any]:
    """Write the results of a Map run into files, and last of all the manifest that names them.

    Returns:
        What the state passes on in the place of the results.

    Raises:
        StateFailedError: If they cannot be written.
    """
    writer = visit.state["ResultWriter"]
    selected = replace(visit.scope, input=visit.language.select_input(visit.state, visit.scope))
    asked = visit.language.render(writer.get("Arguments", writer.get("Parameters", {})), selected)
    bucket, prefix = asked.get("Bucket"), asked.get("Prefix", "").strip("/")
    folder = f"{prefix}/{run.id}" if prefix else run.id
    files: dict[str, list[dict[str, Any]]] = {name: [] for name in _FILES}
    for name, key, text in _render_files(run, folder, writer.get("WriterConfig", {})):
        await _put(visit, bucket, key, text)
        files[name].append({"Key": key, "Size": len(text.encode())})
    manifest = {"DestinationBucket": bucket, "MapRunArn": run.arn, "ResultFiles": files}
    await _put(visit, bucket, f"{folder}/manifest.json", write_json(manifest))
    run.written = sum(child.items for child in run.children)
    return {"MapRunArn": run.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": f"{folder}/manifest.json"}}


def _render_files(run: MapRun, folder: str, config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The kind, key and content of each file."""
    is_lines = config.get("OutputType") == _LINES
    for name, statuses in _FILES.items():
        # What has not succeeded has no output that could be transformed.
        how = config.get("Transformation", _NONE) if name == RunStatus.SUCCEEDED else _NONE
        if results := _transform(run.list_by_status(*statuses), how):
            text = "\n".join(map(write_json, results)) if is_lines else write_json(results)
            yield name, f"{folder}/{name}_0.{'jsonl' if is_lines else 'json'}", text


def _transform(children: list[Child], how: str) -> list[Any]:
    if how == _NONE:
        return [_describe(child) for child in children]
    outputs = [child.flow.input for child in children]
    if how == _FLATTEN:
        return [one for output in outputs for one in (output if isinstance(output, list) else [output])]
    return outputs


def _describe(child: Child) -> dict[str, Any]:
    described = {name[0].upper() + name[1:]: value for name, value in child.describe().items() if value is not None}
    return {
        name: {"Included": value["included"]} if name.endswith("Details") else value
        for name, value in described.items()
    }


async def _put(visit: Visit, bucket: Any, key: str, text: str) -> None:
    arguments = {"Bucket": bucket, "Key": key, "Body": text, "ContentType": "application/json"}
    try:
        await visit.runner.tasks.run(TaskCall(state=visit.name, resource=_PUT, arguments=arguments))
    except StateFailedError as failure:
        raise StateFailedError(RESULT_WRITER_FAILED, f"{failure.error}: {failure.cause}") from None
