# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "headrace",
#     "flask==3.1.3", "gunicorn==27.0.1", "packaging==26.3",
#     "httptools==0.9.0", "uvicorn==0.54.0", "uvloop==0.23.0",
#     "numpy==2.4.6", "pillow==13.0.0", "psutil==7.2.2", "scikit-learn==1.9.1",
# ]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""The container that classifies photographs beside its twin: Flask behind gunicorn, Pillow, scikit-learn unpickled.

Both have the same classifier and the same code that makes features of pixels, as a team shares it between training and
endpoint, so that decoding, the server and the classifier's own arithmetic make the difference. The twin decodes as
Pillow's documentation does it: all pixels, turned upright, then scaled down. Both serve the same made photographs over
loopback with a worker per CPU, taking turns.
"""

import argparse
import io
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from endpoints import ROOT, list_family, open_book_app, serve_flask, serve_ours, sum_cpu_seconds
from load import name_client, put_load

sys.path.insert(0, str(ROOT))

JPEG = "image/jpeg"
SIZES = {"0.3 MP": (640, 480), "2 MP": (1632, 1224)}
TRAINED_SIZE = (320, 240)
LABELS = ("coast", "desert", "forest", "night", "snow")
TRAINED_PER_LABEL = 12
SENT = 10
MANY_CONNECTIONS = 64
# Of probabilities; the twin decodes all pixels, ours as few as it needs.
TOLERANCE = 0.05
RATIOS = ("p50_ms", "cpu_ms", "memory_mib")


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One turn of one side."""

    p50_ms: float
    per_second: float
    cpu_ms: float
    memory_mib: float


def create_book_app() -> Any:
    """The twin: the classifier from a pickle, the photograph through Pillow."""
    import flask
    import numpy as np
    from PIL import Image, ImageOps

    from containers.shared.images.features import FeatureSettings, extract_features

    (app, model), settings = open_book_app(), FeatureSettings()

    @app.route("/invocations", methods=["POST"])
    def invocations() -> Any:
        photograph = ImageOps.exif_transpose(Image.open(io.BytesIO(flask.request.data))).convert("RGB")
        pixels = np.asarray(photograph.resize((settings.side, settings.side), Image.Resampling.BILINEAR))
        probabilities = model.predict_proba(extract_features(pixels, settings)[None])[0]
        return flask.jsonify({"label": LABELS[int(probabilities.argmax())], "probabilities": probabilities.tolist()})

    return app


def make_photograph(label: int, number: int, size: tuple[int, int]) -> Any:
    """Noise of all scales, the coarser the stronger, as photographs have it; each label has its colours."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng((label, number))
    width, height = size
    scene = np.zeros((height, width, 3), np.float32)
    side = 4
    while side < max(size):
        octave = random.normal(0, 1, (max(1, side * height // width), side, 3)).astype(np.float32)
        planes = [Image.fromarray(octave[..., i]).resize(size, Image.Resampling.BICUBIC) for i in range(3)]
        scene += np.dstack(planes) * 60 * (4 / side) ** 0.75
        side *= 2
    tint = np.random.default_rng(label).normal(128, 30, 3)
    return Image.fromarray(np.clip(scene + tint, 0, 255).astype(np.uint8))


def encode(photograph: Any) -> bytes:
    """The photograph as a JPEG."""
    file = io.BytesIO()
    photograph.save(file, "JPEG", quality=88)
    return file.getvalue()


def train_classifier(folder: Path) -> None:
    """A classifier of made photographs, as each side loads it."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from containers.images.inference import contract
    from containers.images.training.export import dump_classifier, dump_weights
    from containers.shared.images.classifier import Classifier
    from containers.shared.images.features import FeatureSettings, extract_features

    settings = FeatureSettings()
    shape = (settings.side, settings.side)
    classes = [label for label in range(len(LABELS)) for _ in range(TRAINED_PER_LABEL)]
    made = [make_photograph(label, SENT + number, TRAINED_SIZE) for number, label in enumerate(classes)]
    features = np.array([extract_features(np.asarray(photograph.resize(shape)), settings) for photograph in made])
    regression = LogisticRegression(C=10.0).fit(features, classes)
    weights = dump_weights(Classifier(regression.coef_.astype(np.float32), regression.intercept_.astype(np.float32)))
    model = folder / "model"
    model.mkdir()
    (model / contract.WEIGHTS_FILE).write_bytes(weights)
    (model / contract.CLASSIFIER_FILE).write_text(dump_classifier(LABELS, settings, weights))
    (folder / "classifier.pkl").write_bytes(pickle.dumps(regression))


def serve(side: str, folder: Path) -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    """One side's server, once it is healthy."""
    if side == "ours":
        return serve_ours("containers.images.inference", folder)
    return serve_flask(Path(__file__).stem, folder / "classifier.pkl")


def measure(side: str, folder: Path, photographs: Sequence[bytes], seconds: float) -> Measurement:
    """One turn: its own server, warmed up, then one photograph at a time, and many at once."""
    with serve(side, folder) as (port, process):
        put_load(port, photographs, 2 * (os.cpu_count() or 1), 1, JPEG)
        alone, _ = put_load(port, photographs, 1, seconds, JPEG)
        family = list_family(process)
        cpu_before = sum_cpu_seconds(family)
        _, per_second = put_load(port, photographs, MANY_CONNECTIONS, seconds, JPEG)
        cpu_seconds = sum_cpu_seconds(family) - cpu_before
        memory = sum(member.memory_info().rss for member in family)
    return Measurement(
        p50_ms=alone,
        per_second=per_second,
        cpu_ms=cpu_seconds / (per_second * seconds) * 1000,
        memory_mib=memory / 2**20,
    )


def ask(side: str, folder: Path, photographs: Sequence[bytes]) -> list[list[float]]:
    """One side's probabilities for each photograph."""
    answers = []
    with serve(side, folder) as (port, _):
        for photograph in photographs:
            url, headers = f"http://127.0.0.1:{port}/invocations", {"content-type": JPEG}
            with urllib.request.urlopen(urllib.request.Request(url, photograph, headers), timeout=60) as answer:
                answers.append(json.load(answer)["probabilities"])
    return answers


def compare_answers(folder: Path, photographs: Sequence[bytes]) -> float:
    """The largest difference between the probabilities of both sides, which name the same classes."""
    ours, twin = (ask(side, folder, photographs) for side in ("ours", "twin"))
    assert [a.index(max(a)) for a in ours] == [b.index(max(b)) for b in twin]
    largest = max(abs(p - q) for a, b in zip(ours, twin, strict=True) for p, q in zip(a, b, strict=True))
    assert largest <= TOLERANCE, largest
    return largest


def compare(size: str, folder: Path, *, turns: int, seconds: float) -> dict[str, Any]:
    """Medians of both sides, and the medians of the ratios turn by turn."""
    photographs = [encode(make_photograph(number % len(LABELS), number, SIZES[size])) for number in range(SENT)]
    measured: dict[str, list[Measurement]] = {"ours": [], "twin": []}
    for turn in range(turns):
        for side, values in measured.items():
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\033[K{size}: turn {turn + 1} of {turns}, {side}")
            values.append(measure(side, folder, photographs, seconds))
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    return {
        "case": size,
        "kb": statistics.median(map(len, photographs)) / 1000,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "client": name_client(),
        "turns": turns,
        "sides": {side: summarize(values) for side, values in measured.items()},
        "ratios": find_ratios(measured["ours"], measured["twin"]),
        "largest_difference": compare_answers(folder, photographs),
    }


def summarize(turns: Sequence[Measurement]) -> dict[str, float]:
    return {name: statistics.median(asdict(turn)[name] for turn in turns) for name in asdict(turns[0])}


def find_ratios(ours: Sequence[Measurement], twin: Sequence[Measurement]) -> dict[str, float]:
    """How many times better ours is, turn by turn: a machine that slows down slows both down."""
    pairs = list(zip(ours, twin, strict=True))
    ratios = {name: statistics.median(asdict(b)[name] / asdict(a)[name] for a, b in pairs) for name in RATIOS}
    ratios["per_second"] = statistics.median(a.per_second / b.per_second for a, b in pairs)
    return ratios


def render(result: dict[str, Any]) -> str:
    """The result as a table."""
    title = f"{result['case']}, {result['kb']:.0f} kB"
    lines = [
        f"{title} ({result['machine']}, medians of {result['turns']}, measured by {result['client']})",
        f"{'':29} {'one, p50':>11} {'64 connections':>15} {'CPU':>10} {'memory':>9}",
    ]
    for side, label in (("ours", "headrace"), ("twin", "Flask, Pillow, scikit-learn")):
        values = result["sides"][side]
        lines.append(
            f"  {label:27} {values['p50_ms']:>8.2f} ms {values['per_second']:>13,.0f}/s "
            f"{values['cpu_ms']:>7.2f} ms {values['memory_mib']:>5.0f} MiB"
        )
    ratios = result["ratios"]
    lines.append(
        f"  {'times better':27} {ratios['p50_ms']:>11.2f} {ratios['per_second']:>15.2f} {ratios['cpu_ms']:>10.2f} "
        f"{ratios['memory_mib']:>9.2f}"
    )
    lines.append(f"  the same classes; probabilities differ by {result['largest_difference']:.3f} at most")
    return "\n".join(lines) + "\n"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=SIZES, help="only photographs of this size")
    parser.add_argument("--runs", type=int, default=3, help="turns of each side")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement takes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train_classifier(folder)
        results = [
            compare(size, folder, turns=arguments.runs, seconds=arguments.seconds)
            for size in SIZES
            if arguments.case in (None, size)
        ]
    sys.stdout.write(json.dumps(results, indent=2) if arguments.json else "\n".join(map(render, results)))
    sys.stdout.write("\n" if arguments.json else "")


if __name__ == "__main__":
    main()
