"""Runs container images through SageMaker's contract with made-up data: what AWS would do with them, on this machine.

Jobs run without any network; everything runs with a root file system that cannot be written to and bounded memory.
A job that lives by the network is only tried for how it fails and stops.
"""

import http.client
import itertools
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace import provenance
from headrace.container_images.building import PLATFORM, name_image
from headrace.container_images.engine import Engine, EngineError, show_end
from headrace.container_images.trial_data import make_request, write_job
from headrace.errors import HeadraceError
from headrace.loopback import LOOPBACK, find_free_port, is_healthy
from headrace.recipes import (
    ContainerImage,
    big_mart,
    blazingtext,
    detection,
    forecasting,
    images,
    linear_learner,
    list_recipes,
    list_usual_recipes,
    normalizer,
    resnet,
    seq2seq,
    xgboost,
)

MEMORY: Final = "2g"
SERVING_PORT: Final = 8080
HEALTH_SECONDS: Final = 60.0
HEALTH_INTERVAL_SECONDS: Final = 0.05
ANSWER_SECONDS: Final = 60
PING_SECONDS: Final = 2
# Far below SageMaker's patience: 120 seconds for jobs, 30 for endpoints.
STOP_SECONDS: Final = 10
USER_ERROR_EXIT: Final = 1
TERMINATED_EXIT: Final = 143
KILLED_EXIT: Final = 137

ARGUMENTS: Final = {
    **{recipe.training.image: ("train",) for recipe in list_recipes()},
    normalizer.BULK: ("--source=s3://trial/images/", "--destination=s3://trial/sets/"),
}
# What a job reads first, by its place below /opt/ml.
_HYPERPARAMETERS: Final = "input/config/hyperparameters.json"
_AWS_CONFIGURATION: Final = "input/config/aws"
FIRST_READ: Final = {
    big_mart.TRAINING: _HYPERPARAMETERS,
    images.TRAINING: _HYPERPARAMETERS,
    xgboost.IMAGE: _HYPERPARAMETERS,
    forecasting.ENGINE: _HYPERPARAMETERS,
    resnet.IMAGE: _HYPERPARAMETERS,
    linear_learner.IMAGE: _HYPERPARAMETERS,
    blazingtext.ENGINE: _HYPERPARAMETERS,
    seq2seq.ENGINE: _HYPERPARAMETERS,
    detection.IMAGE: _HYPERPARAMETERS,
    normalizer.BULK: _AWS_CONFIGURATION,
}
ENVIRONMENTS: Final = {
    normalizer.BULK: {
        "AWS_ACCESS_KEY_ID": "trial",
        "AWS_SECRET_ACCESS_KEY": "trial",
        "AWS_CONFIG_FILE": f"/opt/ml/{_AWS_CONFIGURATION}",
    }
}
# A first process has no default actions for signals: before it has a handler, it is deaf to SIGTERM.
AWAIT_SIGNAL_HANDLER: Final = """
import re, signal, time
def is_deaf():
    caught = re.search(r"SigCgt:\\s*(\\w+)", open("/proc/1/status").read()).group(1)
    return not int(caught, 16) >> signal.SIGTERM - 1 & 1
while is_deaf():
    time.sleep(0.02)
"""
_RECORD: Final = tuple(f"output/data/{name}" for name in (provenance.EVALUATION_FILE, provenance.INPUTS_FILE))
OUTPUTS: Final = {
    big_mart.PREPROCESSING: (
        "processing/train/train_features.csv",
        "processing/train/train_labels.csv",
        "processing/test/test_features.csv",
        "processing/test/test_labels.csv",
        "processing/encoding/encoding.json",
        "processing/encoding/inputs.json",
        f"processing/encoding/{provenance.PROFILE_FILE}",
    ),
    big_mart.TRAINING: (
        "model/model.onnx",
        "model/encoding.json",
        *_RECORD,
        f"output/data/{provenance.PROFILE_FILE}",
    ),
    images.TRAINING: ("model/classifier.json", "model/weights.npz", *_RECORD),
    xgboost.IMAGE: ("model/xgboost-model", *_RECORD),
    blazingtext.PREPROCESSING: ("processing/train/train.txt", "processing/validation/validation.txt"),
    blazingtext.ENGINE: ("model/model.bin", *_RECORD),
    seq2seq.PREPROCESSING: (
        "processing/train/train.rec",
        "processing/validation/val.rec",
        "processing/vocab/vocab.src.json",
    ),
    seq2seq.ENGINE: ("model/encoder.onnx", "model/decoder.onnx", "model/seq2seq.json", *_RECORD),
    linear_learner.IMAGE: ("model/linear-learner.json", "model/weights.npz", *_RECORD),
    forecasting.PREPROCESSING: (
        "processing/train/train.json",
        "processing/test/test.json",
        "processing/categories/categories.json",
    ),
    forecasting.ENGINE: ("model/model.onnx", "model/forecast.json", *_RECORD),
    resnet.IMAGE: ("model/model.onnx", "model/classes.json", *_RECORD),
    detection.IMAGE: ("model/model.onnx", "model/detector.json", *_RECORD),
}

# In each, a container makes the input of the next.
_CHAINS: Final = (
    *(recipe.images for recipe in list_usual_recipes()),
    (xgboost.IMAGE,),
    forecasting.RECIPE.images,
    (resnet.IMAGE,),
    (linear_learner.IMAGE,),
    blazingtext.RECIPE.images,
    seq2seq.RECIPE.images,
    (detection.IMAGE,),
    (normalizer.BULK,),
)
_MAKERS: Final = {recipe.serving.image: recipe.training.image for recipe in list_recipes()}


class TrialError(HeadraceError):
    """A container image that does not keep SageMaker's contract; the message ends with what the container printed."""


@dataclass(frozen=True, kw_only=True)
class Passed:
    """One thing that a container does as it should."""

    container: str
    check: str
    seconds: float


Check = tuple[str, Callable[[], None]]


def order_trials(containers: Collection[ContainerImage]) -> list[ContainerImage]:
    """The containers and the makers of their input, makers first."""
    ordered: list[ContainerImage] = []
    for chain in _CHAINS:
        wanted = [place for place, container in enumerate(chain, start=1) if container in containers]
        ordered += chain[: max(wanted, default=0)]
    return ordered


def try_container_images(engine: Engine, containers: Collection[ContainerImage], scratch: Path) -> list[Passed]:
    """Run containers and the makers of their input through the contract, chains of makers side by side.

    Raises:
        TrialError: With the first check that fails.
        EngineError: If a container image has not been built, or the engine fails.
    """
    order = order_trials(containers)
    missing = [container.name for container in order if not engine.has_image(name_image(container))]
    if missing:
        raise EngineError(
            f"not built from their current files: {', '.join(missing)}; run 'headrace containers build' first"
        )
    trials = Trials(engine, scratch)
    chains = [[container for container in order if container in chain] for chain in _CHAINS]
    with ThreadPoolExecutor() as pool:
        return list(itertools.chain.from_iterable(pool.map(trials.try_chain, chains)))


class Trials:
    """The checks of every container, over one folder with a tree like /opt/ml for each."""

    def __init__(self, engine: Engine, scratch: Path) -> None:
        self._engine = engine
        self._scratch = scratch

    def try_chain(self, chain: Sequence[ContainerImage]) -> list[Passed]:
        """Run all checks of containers of which each makes the input of the next."""
        passed = []
        for container in chain:
            for check, run in self._list_checks(container):
                start = time.monotonic()
                run()
                seconds = round(time.monotonic() - start, 2)
                passed.append(Passed(container=container.name, check=check, seconds=seconds))
        return passed

    def _list_checks(self, container: ContainerImage) -> list[Check]:
        """The checks of a container, in order; later ones use what earlier ones leave behind."""
        maker = _MAKERS.get(container)
        serves: Check = ("serves and stops on SIGTERM", lambda: self._serve(container))
        serving = [serves] if maker in OUTPUTS else []
        if maker not in (None, container):
            return serving
        return [
            *([("runs without network", lambda: self._run_job(container))] if container in OUTPUTS else []),
            ("says why it fails", lambda: self._fail_job(container)),
            *([("stops on SIGTERM", lambda: self._stop_job(container))] if container in FIRST_READ else []),
            *serving,
        ]

    def _tree(self, container: ContainerImage, name: str = "job") -> Path:
        return self._scratch / container.name / name

    def _run_job(self, container: ContainerImage) -> None:
        tree = self._tree(container)
        self._prepare(container, tree)
        answer = self._run_to_end(container, tree)
        expect(answer.returncode == 0, container, f"exits with {answer.returncode}", answer.stdout + answer.stderr)
        for name in OUTPUTS[container]:
            written = (tree / name).is_file()
            expect(written, container, f"does not write /opt/ml/{name}", answer.stdout + answer.stderr)

    def _run_to_end(self, container: ContainerImage, tree: Path) -> subprocess.CompletedProcess[str]:
        return self._engine.attempt(["run", "--rm", *list_job_arguments(container, tree)])

    def _fail_job(self, container: ContainerImage) -> None:
        tree = self._tree(container, "no-data")
        tree.mkdir(parents=True)
        answer = self._run_to_end(container, tree)
        said = answer.stdout + answer.stderr
        expect(answer.returncode == USER_ERROR_EXIT, container, f"exits with {answer.returncode} without data", said)
        reason = tree / "output/failure"
        expect(reason.is_file() and reason.stat().st_size > 0, container, "writes no /opt/ml/output/failure", said)

    def _stop_job(self, container: ContainerImage) -> None:
        tree = self._tree(container, "stopped")
        (tree / "input/config").mkdir(parents=True)
        # Nothing writes to this pipe: the program waits for it until it is stopped.
        os.mkfifo(tree / FIRST_READ[container])
        with self._running(list_job_arguments(container, tree)) as name:
            self._engine.call(f"waiting for {container}", ["exec", name, "python", "-c", AWAIT_SIGNAL_HANDLER])
            self._stop(container, name, expected=(TERMINATED_EXIT,))

    def _serve(self, container: ContainerImage) -> None:
        model = self._tree(_MAKERS[container]) / "model"
        port = find_free_port()
        published = ["--publish", f"{LOOPBACK}:{port}:{SERVING_PORT}", "--volume", f"{model}:/opt/ml/model:ro"]
        with self._running([*limit(), *published, name_image(container), "serve"]) as name:
            self._await_health(container, name, port)
            body, content_type, rows = make_request(container)
            answer = invoke(port, body, content_type)
            fits = rows is None or len(answer) == rows
            expect(fits, container, f"answers {len(answer)} predictions for {rows}", str(answer))
            self._stop(container, name, expected=(0, TERMINATED_EXIT))

    @contextmanager
    def _running(self, command: Sequence[str]) -> Iterator[str]:
        name = f"headrace-trial-{uuid.uuid4().hex[:12]}"
        try:
            self._engine.call(f"starting {name}", ["run", "--detach", "--name", name, *command])
            yield name
        finally:
            self._engine.attempt(["rm", "--force", "--volumes", name])

    def _await_health(self, container: ContainerImage, name: str, port: int) -> None:
        deadline = time.monotonic() + HEALTH_SECONDS
        while not is_healthy(port, PING_SECONDS):
            running = self._engine.call("inspecting", ["inspect", "--format", "{{.State.Running}}", name]) == "true"
            alive = running and time.monotonic() < deadline
            expect(alive, container, "does not answer 200 on /ping", self._read_log(name))
            time.sleep(HEALTH_INTERVAL_SECONDS)

    def _stop(self, container: ContainerImage, name: str, expected: Collection[int]) -> None:
        self._engine.call(f"stopping {container}", ["stop", "--time", str(STOP_SECONDS), name])
        code = int(self._engine.call("inspecting", ["inspect", "--format", "{{.State.ExitCode}}", name]))
        problem = f"had to be killed {STOP_SECONDS} s after SIGTERM" if code == KILLED_EXIT else f"exits with {code}"
        expect(code in expected, container, f"{problem} when stopped", self._read_log(name))

    def _read_log(self, name: str) -> str:
        answer = self._engine.attempt(["logs", name])
        return answer.stdout + answer.stderr

    def _prepare(self, container: ContainerImage, tree: Path) -> None:
        tree.mkdir(parents=True)
        write_job(container, tree, self._tree)


def limit() -> list[str]:
    """Options that leave a container its memory and nothing to write to but /tmp."""
    confinement = ["--read-only", "--tmpfs", "/tmp", "--memory", MEMORY]  # noqa: S108 (the container's own)
    return ["--platform", PLATFORM, "--pull", "never", *confinement]


def list_job_arguments(container: ContainerImage, tree: Path) -> list[str]:
    """The command line of a job over a tree, without any network."""
    environment = [f"--env={name}={value}" for name, value in ENVIRONMENTS.get(container, {}).items()]
    options = [*limit(), "--network", "none", "--volume", f"{tree}:/opt/ml", *environment]
    return [*options, name_image(container), *ARGUMENTS.get(container, ())]


def invoke(port: int, body: bytes, content_type: str) -> list[object]:
    """The predictions that a served model answers with."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS)
    try:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        connection.request("POST", "/invocations", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise TrialError(f"/invocations does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise TrialError(f"/invocations answers {answer.status}: {text}")
    said = json.loads(text)
    # The built-in object detection has its own word.
    predictions: list[object] = said if isinstance(said, list) else said.get("prediction") or said["predictions"]
    return predictions


def expect(holds: bool, container: ContainerImage, problem: str, said: str) -> None:
    """Raises TrialError with the problem and what the container said unless something holds."""
    if not holds:
        raise TrialError(f"{container} {problem}; its output:\n{show_end(said) or 'nothing'}")
