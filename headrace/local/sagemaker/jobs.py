"""The life that training and processing jobs share: a thread, a tree, a process, an end."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from headrace.local.clock import WorkingThread
from headrace.local.faults import Effect, caller
from headrace.local.sagemaker.catalog import read_tags
from headrace.local.sagemaker.container_images import RunnableContainerImage
from headrace.local.sagemaker.errors import AlgorithmError, JobDataError, StoppedError
from headrace.local.sagemaker.events import name_change, write_detail
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.job_ends import (
    COMPLETED,
    INTERNAL_FAILURE,
    INTERRUPTED,
    NO_CAPACITY,
    REASON_CHARACTERS,
    STOPPED,
    Interruption,
    JobEnd,
    describe_failed_program,
    end_interrupted,
    fail,
)
from headrace.local.sagemaker.job_logs import JobLogs
from headrace.local.sagemaker.kind import KindLog
from headrace.local.sagemaker.left_files import LeftFileError
from headrace.local.sagemaker.log_shipping import LogStream
from headrace.local.sagemaker.merged_folders import MergedFolder, Results
from headrace.local.sagemaker.processes import ContainerProcess
from headrace.local.sagemaker.programs import Program, RunningPrograms
from headrace.local.sagemaker.s3_objects import AWS_ERRORS
from headrace.local.sagemaker.trees import ContainerTree
from headrace.local.sagemaker.volumes import GIB, Volume, measure_folder

_MISHAPS: Final = frozenset({Effect.NO_CAPACITY, Effect.FAILS, Effect.CRASHES, Effect.OUT_OF_TIME})

logger = logging.getLogger(__name__)


class Job(ABC):
    """One run of a container program, from its request to its terminal state.

    Threads wait for it with `wait`; `stop` asks it to end, `close` ends it because the local cloud does.
    """

    kind: ClassVar[str]
    log: ClassVar[KindLog]
    files_interval_seconds: float = threading.TIMEOUT_MAX
    """How often the files of its running program are looked after."""
    summary_keys: ClassVar[tuple[str, ...]]
    """What of its description is in its line in a List operation."""

    def __init__(self, request: Mapping[str, Any], host: Host, image: RunnableContainerImage) -> None:
        self.request = request
        self.tags = read_tags(request)
        self.host = host.acting_as(request.get("RoleArn"))
        self.image = image
        self.creation_time = self.last_modified_time = read_clock()
        self.start_time: datetime | None = None
        self.end_time: datetime | None = None
        self.status = "InProgress"
        self.failure_reason = ""
        self.changed = threading.Condition(threading.RLock())
        self._stop_requested = False
        self._interruption: Interruption | None = None
        self._data_error: JobDataError | None = None
        self._is_closing = False
        self._running = RunningPrograms()
        self._logs = JobLogs(self.host.logs, self.log.group, self.name)
        self._reading = threading.Lock()
        self._mishap: Effect | None = None
        self._caller = caller.get()
        self._thread = WorkingThread(self._run, name=f"{self.kind} {self.name}")

    @classmethod
    @abstractmethod
    def check(cls, request: Mapping[str, Any]) -> str:
        """The URI of the container image that a request names; raises SageMakerError if it cannot be run."""

    @property
    def name(self) -> str:
        """The job's name as requested."""
        return str(self.request[f"{self.kind}Name"])

    @property
    def arn(self) -> str:
        """The job's ARN."""
        return self.host.arn(self.kind, self.name)

    @property
    @abstractmethod
    def instances(self) -> Mapping[str, Any]:
        """What it asks to run on."""

    @property
    @abstractmethod
    def vpc_config(self) -> Mapping[str, Any] | None:
        """Its subnets and security groups, if it runs in a VPC."""

    @property
    def usage(self) -> str:
        """What its instances are used for, as quotas call it."""
        return f"{self.kind.removesuffix('Job').lower()} job usage"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self.status in {"Completed", "Failed", "Stopped"}

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What the Describe operation answers."""

    def summarize(self) -> dict[str, Any]:
        """The job's line in a List operation."""
        description = self.describe()
        return {key: description[key] for key in self.summary_keys if key in description}

    @abstractmethod
    def _work(self, tree: ContainerTree) -> JobEnd:
        """Stages the data, runs the program and stores what it wrote."""

    def start(self) -> None:
        """Begins the work in the background, which goes wrong where a fault asks for it."""
        fault = self.host.faults.take("sagemaker", f"Create{self.kind}", self.request, _MISHAPS)
        self._mishap = fault.effect if fault else None
        self._thread.start()

    def wait(self) -> None:
        """Returns when the job has ended."""
        with self.changed:
            self.changed.wait_for(lambda: self.is_terminal)

    def stop(self) -> bool:
        """Asks the job to end; False when it has ended already."""
        with self.changed:
            if self.is_terminal:
                return False
            self._stop_requested = True
            self._enter_stopping()
            self.changed.notify_all()
            return True

    def close(self) -> None:
        """Ends the job at once, without results, and returns when nothing of it is left."""
        with self.changed:
            self._is_closing = True
            self._stop_requested = True
            self.changed.notify_all()
        self._running.stop(self.host.patience.close_seconds)
        if self._thread.ident:
            self._thread.join()

    def _enter_stopping(self) -> None:
        self.status = "Stopping"
        self.last_modified_time = read_clock()

    def _run(self) -> None:
        # A fault that it meets while it runs is for the task that has made it.
        caller.set(self._caller)
        end = INTERNAL_FAILURE
        tree = ContainerTree(self.host.root / "jobs" / self.kind / self.name)
        try:
            end = self._attempt(tree)
        finally:
            try:
                tree.remove()
            finally:
                self._conclude(end)

    def _attempt(self, tree: ContainerTree) -> JobEnd:
        if self._mishap is Effect.NO_CAPACITY:
            return fail(NO_CAPACITY)
        try:
            if self._mishap is Effect.FAILS:
                raise AlgorithmError("a fault that was injected, exit code: 1")
            return self._work(ContainerTree.create(tree.folder))
        except StoppedError:
            return STOPPED
        except AlgorithmError as error:
            return fail(f"AlgorithmError: {error}")
        except JobDataError as error:
            return fail(f"ClientError: {error}")
        except (OSError, *AWS_ERRORS) as error:
            logger.exception("job_failed_internally job=%s", self.arn)
            return fail(f"InternalServerError: {error}")
        finally:
            self._logs.close()

    def _conclude(self, end: JobEnd) -> None:
        with self.changed:
            self.end_time = self.last_modified_time = read_clock()
            self.failure_reason = end.failure_reason
            self._record_end(end)
            self.status = end.status
            self.changed.notify_all()
        detail = {**write_detail(self.describe()), "Tags": dict(self.tags)}
        self.host.publish(name_change(self.kind), detail, self.arn)

    @abstractmethod
    def _find_volume_gib(self) -> int | None:
        """How large a volume was asked for."""

    @abstractmethod
    def _read_line(self, line: str) -> None:
        """Takes note of a line the program printed."""

    @abstractmethod
    def _record_end(self, end: JobEnd) -> None:
        """Notes what an end means for this kind of job, before the job turns terminal."""

    def _check_stop(self) -> None:
        if self._stop_requested:
            raise StoppedError

    def _run_programs(self, programs: Sequence[Program], *, notes: list[str]) -> JobEnd:
        streams = self._logs.open(program.instance.name for program in programs)
        for note in notes:
            self._note(note)
        volumes = [self._measure_volume(program) for program in programs]
        running = self._start_programs(programs, streams)
        if self._mishap is Effect.CRASHES:
            running.processes[-1].kill()
        end = self._supervise(running, volumes)
        if self._is_closing:
            raise StoppedError
        if end is INTERRUPTED:
            return end
        if end is COMPLETED and (failed := running.find_failed()) is not None:
            instance = programs[failed].instance
            failure = self._read_left_text(instance.tree, "output/failure")
            host = "" if instance.is_alone else instance.name
            raise AlgorithmError(describe_failed_program(failure, running.processes[failed], host))
        for volume in volumes:
            volume.check()
        return end

    def _measure_volume(self, program: Program) -> Volume:
        tree = program.instance.tree
        return Volume(self._find_volume_gib(), lambda: measure_folder(tree.ml, program.streamed))

    def _note(self, note: str) -> None:
        """Notes in the job's log what differs from SageMaker."""
        self._logs.note(note)

    def _take_line(self, log: LogStream, line: str) -> None:
        log.write(line)
        with self._reading:
            self._read_line(line)

    def _read_left_text(self, tree: ContainerTree, name: str) -> str:
        """What a program wrote for the job's description; nothing where it left something else in its place."""
        try:
            return tree.read_text(name, REASON_CHARACTERS)
        except LeftFileError as error:
            self._note(f"{error}: not read")
            return ""

    def _start_programs(self, programs: Sequence[Program], streams: Sequence[LogStream]) -> RunningPrograms:
        running = RunningPrograms()
        try:
            with self.changed:
                self._check_stop()
                self._running = running
                for program, log in zip(programs, streams, strict=True):
                    running.processes.append(self._start_process(program, log))
        except AlgorithmError:
            running.kill()
            raise
        return running

    def _start_process(self, program: Program, log: LogStream) -> ContainerProcess:
        instance, container = program.instance, self.image.container
        return ContainerProcess(
            program.command,
            working_directory=self.image.working_directory,
            environment={
                **self.image.environment,
                **self.host.environment,
                **instance.environment,
                **self.request.get("Environment", {}),
                **program.environment,
            },
            tree=instance.tree,
            records=self.host.root / "processes",
            write_line=partial(self._take_line, log),
            on_exit=self._notice_exit,
            container=container,
            preparation=(*program.preparation, *(() if container else instance.prepare_names())),
        )

    def _notice_exit(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def _supervise(self, running: RunningPrograms, volumes: Sequence[Volume]) -> JobEnd:
        """How the run of the programs ended: by itself, by a stop, an interruption or the clock.

        What goes wrong with their files meanwhile, such as a full volume, ends it with an error.
        """
        deadline, out_of_time = self._find_deadline()
        if self._mishap is Effect.OUT_OF_TIME:
            deadline = time.monotonic()
        while not self._await_news(
            running,
            min(
                deadline - time.monotonic(),
                self.files_interval_seconds,
                *(volume.interval_seconds for volume in volumes),
            ),
        ):
            if time.monotonic() >= deadline:
                break
            try:
                for volume in volumes:
                    volume.check()
                self._look_after_files()
            except (AlgorithmError, JobDataError):
                running.kill()
                raise
        self._check_data(running)
        with self.changed:
            has_ended = running.have_ended
        if has_ended:
            running.kill()
            return COMPLETED
        return self._end_programs(running, out_of_time)

    def _end_programs(self, running: RunningPrograms, out_of_time: JobEnd) -> JobEnd:
        with self.changed:
            stop_requested, interruption = self._stop_requested, self._interruption
            if interruption and not stop_requested:
                self._enter_interrupted()
            else:
                self._enter_stopping()
        if interruption and not stop_requested:
            end_interrupted(running, interruption)
            return INTERRUPTED
        running.stop(self.host.patience.job_stop_seconds)
        return STOPPED if stop_requested else out_of_time

    def _find_deadline(self) -> tuple[float, JobEnd]:
        """Until when the program may run, by the monotonic clock, and how the job ends then."""
        limit = self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", threading.TIMEOUT_MAX)
        return time.monotonic() + limit, JobEnd("Stopped", "MaxRuntimeExceeded")

    def _look_after_files(self) -> None:  # noqa: B027 (most kinds have nothing to do)
        """Does what is done every now and then with the files of a running program."""

    def _enter_interrupted(self) -> None:  # noqa: B027 (most kinds are never interrupted)
        """Notes that the machine is taken away."""

    def _await_news(self, running: RunningPrograms, seconds: float) -> bool:
        """Whether the programs ended, were asked to, or lose their machines, within a time."""
        with self.changed:
            return self.changed.wait_for(
                lambda: (
                    running.have_ended or self._stop_requested or bool(self._interruption) or bool(self._data_error)
                ),
                max(0, seconds),
            )

    def _check_data(self, running: RunningPrograms) -> None:
        """Raises what kept data from a program; all have ended then."""
        if self._data_error and not self._stop_requested:
            running.kill()
            raise self._data_error

    def _fail_data(self, error: JobDataError) -> None:
        """Ends the program, because its data cannot be sent to it."""
        with self.changed:
            self._data_error = error
            self.changed.notify_all()

    def _open_results(self, folders: Sequence[tuple[ContainerTree, Path]]) -> Results:
        """What the programs left in a folder of each instance; what is not stored is named in the job's log."""
        size_gib = self._find_volume_gib()
        limit = size_gib * GIB if size_gib else None
        left = [tree.open_results(folder, self._note, limit) for tree, folder in folders]
        return left[0] if len(left) == 1 else MergedFolder(left, self._note)
