"""Programs of a few lines instead of the real container images: they keep SageMaker's contract, and take no time."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

from headrace.drift.contract import CHECK_MODULE, Finding, Verdict
from headrace.golden.contract import REHEARSAL_MODULE
from headrace.local.engine.brought_container_images import bring_python
from headrace.provenance import INPUTS_FILE, PROFILE_FILE
from headrace.recipes import ContainerImage

# What the serving program answers "1" to; anything else it answers with the name of the job that made its model.
GOLDEN: Final = "golden"

# What a check for drift finds.
_DRIFTED: Final = {
    Finding.VERDICT: Verdict.DRIFTED,
    Finding.REASON: "drifted",
    Finding.COUNT: 1,
    Finding.COLUMNS: ["price"],
    Finding.ROWS: 500,
    Finding.INDEX: 1,
}
# What the record of a version has of the job that read the raw data, where that is the real one.
_CARRIED_ON: Final = (INPUTS_FILE, PROFILE_FILE)


class Behaviour(StrEnum):
    """What the programs that begin from now on do."""

    WELL = "work well"
    HOLD_PROCESSING = "wait in processing jobs for another behaviour"
    HOLD_TRAINING = "wait in training jobs for another behaviour"
    HOLD_SERVING = "wait for another behaviour before an endpoint answers"
    HOLD_TRANSFORM = "wait for another behaviour before the model of a transform job answers"
    REFUSED = "train a model that no gate lets pass"
    REHEARSED_BADLY = "find golden requests answered wrongly before the model serves"
    SERVED_BADLY = "answer golden requests wrongly"


_PROGRAM: Final = f"""
import http.server, json, os, sys, time
from pathlib import Path

ml = Path(os.environ["HEADRACE_ML_ROOT"])
place = Path(__file__).parent / "behaviour"
task = "TRANSFORM" if "SAGEMAKER_BATCH" in os.environ else {{"train": "TRAINING", "serve": "SERVING"}}.get(sys.argv[1])
while (behaviour := place.read_text()) == f"HOLD_{{task or 'PROCESSING'}}":
    time.sleep(0.02)

def train():
    good = behaviour != "{Behaviour.REFUSED.name}"
    worse, better = ("1.0", "2.0") if good else ("2.0", "1.0")
    for name, value in {{
        "validation:rmse": worse, "baseline:rmse": better, "validation:accuracy": better, "baseline:accuracy": worse
    }}.items():
        print(f"metric {{name}}={{value}}")
    (ml / "model" / "name").write_text(os.environ["TRAINING_JOB_NAME"])
    for name in {_CARRIED_ON!r}:
        for given in (ml / "input" / "data").glob("*/" + name):
            (ml / "output" / "data" / name).write_bytes(given.read_bytes())

def process(message="done"):
    (ml / "output" / "message").write_text(message)
    job = json.loads((ml / "config" / "processingjobconfig.json").read_text())
    for output in job.get("ProcessingOutputConfig", {{}}).get("Outputs", []):
        (ml / output["S3Output"]["LocalPath"].removeprefix("/opt/ml/") / "made").write_text("1")

def check():
    process({json.dumps(_DRIFTED)!r})

def rehearse():
    if behaviour == "{Behaviour.REHEARSED_BADLY.name}":
        sys.exit("1 of 1 golden requests are not answered as expected")

def serve():
    name = (ml / "model" / "name").read_text()
    golden = "0" if behaviour == "{Behaviour.SERVED_BADLY.name}" else "1"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def reply(self, answer):
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())
        def do_GET(self):
            self.reply("")
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(golden if body == b"{GOLDEN}" else name)
        def log_message(self, *_):
            pass

    address = os.environ["HEADRACE_BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()

if __name__ == "__main__":
    {{"TRAINING": train, "SERVING": serve, "TRANSFORM": serve}}.get(task, process)()
"""
# What modules of container images do that tasks ask for by name.
_MODULES: Final[Mapping[str, str]] = {REHEARSAL_MODULE: "rehearse", CHECK_MODULE: "check"}


class TinyContainerImages:
    """Tiny programs under the URIs of container images.

    Args:
        folder: Where they are kept.
    """

    description = "make tiny programs"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, containers: Iterable[ContainerImage]) -> None:
        """Write the program."""
        self._folder.mkdir()
        (self._folder / "tiny.py").write_text(_PROGRAM)
        self._behave(Behaviour.WELL)

    def push(self, root: Path, images: Mapping[str, ContainerImage]) -> None:
        """Have each container image run it, also as its modules."""
        for uri, image in images.items():
            bring_python(root, uri, Path(sys.executable), self._folder / "tiny.py")
            for module, function in _MODULES.items():
                self._place_module(function, *image.package.split("."), module)

    @contextmanager
    def behaving(self, behaviour: Behaviour) -> Iterator[None]:
        """Have programs that begin meanwhile behave in another way."""
        self._behave(behaviour)
        try:
            yield
        finally:
            self._behave(Behaviour.WELL)

    def _behave(self, behaviour: Behaviour) -> None:
        unfinished = self._folder / "behaviour.unfinished"
        unfinished.write_text(behaviour.name)
        unfinished.rename(self._folder / "behaviour")

    def _place_module(self, function: str, *parts: str) -> None:
        module = self._folder.joinpath(*parts).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        for depth in range(1, len(parts)):
            self._folder.joinpath(*parts[:depth], "__init__.py").touch()
        module.write_text(f"import tiny\n\ntiny.{function}()\n")
