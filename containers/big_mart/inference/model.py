"""Loading the model and its encoding, and predicting with them."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from containers.shared.serving.model_files import ModelError, read_file
from containers.shared.serving.onnx_sessions import open_session
from headrace.cpus import count_cpus

from . import contract
from .encoding import Encoding, EncodingError, Table, encode_table, parse_encoding

# A few milliseconds of work, beside which handing it to a thread does not count.
LEAST_SHARED_ROWS = 256
# Within so many standard deviations, in so many steps, features are tried out.
PROBED_SPAN, PROBES = 2.0, 16
# Where ONNX files end, and a thousand times the encoding of the real sales.
MOST_MODEL_BYTES = 2**31
MOST_ENCODING_BYTES = 4 * 1024 * 1024

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """An encoding and the forest that was trained on its features.

    Args:
        encoding: The encoding.
        session: The forest.
        input_name: What the forest calls its input.
        threads: One for each CPU.
        leading: The feature by which many rows are sorted.
    """

    encoding: Encoding
    session: onnxruntime.InferenceSession
    input_name: str
    threads: ThreadPoolExecutor
    leading: int = 0

    def predict(self, table: Table) -> list[float]:
        """One prediction per row, in order; many rows are shared out among the CPUs."""
        features = encode_table(self.encoding, table)
        if table.rows < LEAST_SHARED_ROWS:
            return round_to_float32(self.run(features))
        # Rows that go the same way through a tree follow each other, so that processors foresee where a row turns.
        order = np.argsort(features[:, self.leading])
        parts = np.array_split(features[order], count_cpus())
        answers = np.empty(table.rows, dtype=np.float32)
        answers[order] = np.concatenate(list(self.threads.map(self.run, parts)))
        return round_to_float32(answers)

    def run(self, features: Features) -> Features:
        """The forest's answers; the interpreter is free for other requests meanwhile."""
        answers: Features = self.session.run(None, {self.input_name: features})[0][:, 0]
        return answers


def find_leading_feature(run: Callable[[Features], Features], width: int) -> int:
    """The feature whose changes move the answers most while the others, all of them standardised, are at their mean.

    Args:
        run: Answers rows of features.
        width: How many features a row has.
    """
    rows = np.zeros((width, PROBES, width), dtype=np.float32)
    for feature in range(width):
        rows[feature, :, feature] = np.linspace(-PROBED_SPAN, PROBED_SPAN, PROBES)
    answers = run(rows.reshape(-1, width)).reshape(width, PROBES)
    return int(answers.std(axis=1).argmax())


def round_to_float32(values: Features) -> list[float]:
    """Numbers whose text is the shortest that gives the same float32."""
    return [float(str(value)) for value in values]


def load_model(folder: Path) -> Model:
    """The model in a folder, checked to be ours and to fit its encoding."""
    content = read_file(folder / contract.ENCODING_FILE, MOST_ENCODING_BYTES)
    try:
        encoding = parse_encoding(content)
    except EncodingError as error:
        raise ModelError(f"{folder / contract.ENCODING_FILE}: {error}; train again with this release") from error
    path = folder / contract.MODEL_FILE
    session = open_session(path, read_file(path, MOST_MODEL_BYTES))
    reason = find_mismatch(session, encoding, hashlib.sha256(content).hexdigest())
    if reason:
        raise ModelError(f"{path}: {reason}")
    model = Model(encoding, session, session.get_inputs()[0].name, ThreadPoolExecutor(count_cpus(), "forest"))
    return replace(model, leading=find_leading_feature(model.run, len(encoding.features)))


def find_mismatch(session: onnxruntime.InferenceSession, encoding: Encoding, digest: str) -> str | None:
    """Why the model is not one of ours for this encoding, if so."""
    properties = session.get_modelmeta().custom_metadata_map
    model_format = properties.get(contract.MODEL_FORMAT_PROPERTY)
    if model_format != contract.MODEL_FORMAT:
        return f"its format is {model_format!r}, but {contract.MODEL_FORMAT!r} is served; train it with this release"
    width = session.get_inputs()[0].shape[-1]
    if width != len(encoding.features):
        return f"it takes {width} features, but {contract.ENCODING_FILE} makes {len(encoding.features)}"
    if properties.get(contract.ENCODING_DIGEST_PROPERTY) != digest:
        return f"it was trained with another {contract.ENCODING_FILE} than the one beside it; deploy both of one job"
    return None
