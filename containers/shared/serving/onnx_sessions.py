"""Sessions of ONNX Runtime for models from archives that nothing is known of."""

from pathlib import Path

import onnxruntime

from containers.shared.serving.model_files import ModelError


def open_session(path: Path, content: bytes) -> onnxruntime.InferenceSession:
    """A session for a model, which runs in the thread that calls it.

    Args:
        path: Where it is from, for messages.
        content: The model; as bytes, so that it cannot refer to other files.

    Raises:
        ModelError: If ONNX Runtime cannot load it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{path}: ONNX Runtime cannot load it: {error}") from error
