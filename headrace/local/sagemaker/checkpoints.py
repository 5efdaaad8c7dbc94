"""The checkpoints of a training job: restored before its program starts, stored while that runs."""

from collections.abc import Callable, Mapping
from typing import Any

from headrace.local.sagemaker.host import S3Client
from headrace.local.sagemaker.left_files import LeftEntry
from headrace.local.sagemaker.s3_objects import download_prefix, parse_address, upload_file
from headrace.local.sagemaker.trees import ContainerTree

DEFAULT_FOLDER = "/opt/ml/checkpoints"
# SageMaker's own XGBoost ends the name of a file so while it grows:
# https://github.com/aws/sagemaker-xgboost-container/blob/master/src/sagemaker_xgboost_container/checkpointing.py
IGNORED_ENDING = ".sagemaker-ignore"


class Checkpoints:
    """The folder of one run of a program, and the prefix that it is kept under.

    What is stored stays, also where the program removes it: SageMaker does not say that it would delete anything.

    Args:
        config: The CheckpointConfig of the request.
        tree: Where the program runs.
        s3: A client of the job's role.
        encryption: How S3 is to encrypt them.
        note: Takes one line for each thing that is not stored.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        tree: ContainerTree,
        s3: S3Client,
        encryption: Mapping[str, str],
        note: Callable[[str], None],
    ) -> None:
        self._folder = tree.locate(config.get("LocalPath", DEFAULT_FOLDER))
        self._place = parse_address(config["S3Uri"])
        self._s3 = s3
        self._encryption = encryption
        self._noted: set[str] = set()
        self._note = note
        self._results = tree.open_results(self._folder, self._note_once, None)
        self._stored: dict[str, tuple[int, int]] = {}

    def restore(self, check_stop: Callable[[], None]) -> None:
        """Fill the folder with what is stored."""
        self._folder.mkdir(parents=True, exist_ok=True)
        download_prefix(self._s3, self._place, self._folder, check_stop)
        self._stored = {entry.name: mark for entry in self._list_files() if (mark := self._look_at(entry))}

    def store(self) -> None:
        """Store what is new or has changed."""
        for entry in self._list_files():
            mark = self._look_at(entry)
            if mark and mark != self._stored.get(entry.name):
                self._upload(entry)
                self._stored[entry.name] = mark

    def _list_files(self) -> list[LeftEntry]:
        return [
            entry
            for entry in self._results.list_entries()
            if not entry.is_folder and not entry.name.endswith(IGNORED_ENDING)
        ]

    def _look_at(self, entry: LeftEntry) -> tuple[int, int] | None:
        try:
            status = (self._folder / entry.source).stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns

    def _upload(self, entry: LeftEntry) -> None:
        try:
            file = self._results.open(entry)
        except FileNotFoundError:
            # A running program renames and removes what it has just written.
            return
        with file:
            upload_file(self._s3, file, self._place.as_folder().join(entry.name), self._encryption)

    def _note_once(self, line: str) -> None:
        if line not in self._noted:
            self._noted.add(line)
            self._note(line)
