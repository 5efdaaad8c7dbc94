"""The training steps in their order: read, choose, fit, evaluate, export, check, write."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.events import log_event
from containers.shared.job.outputs import Outputs
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_job import check_command, read_job
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE

from . import contract
from .channels import align, check_held_out, read_channel, record_inputs
from .evaluation import dump_evaluation, evaluate, list_log_lines
from .examples import make_last_examples
from .export import check_export, export_trees
from .fitting import Forecaster, choose_way, fit
from .hyperparameters import describe_hyperparameters, parse_hyperparameters


def train(root: Path, arguments: Sequence[str], outputs: Outputs) -> None:
    """Write a model, what it needs to forecast, its evaluation and the record of its inputs."""
    check_command(arguments)
    job = read_job(root)
    hyperparameters = parse_hyperparameters(job.hyperparameters)
    log_event("engine", name="headrace", note="gradient_boosted_quantiles,_not_DeepAR_of_AWS")
    log_event("hyperparameters", **describe_hyperparameters(hyperparameters))
    folders = [find_channel(root, channel, job.channels) for channel in (contract.TRAIN_CHANNEL, contract.TEST_CHANNEL)]
    inputs = record_inputs(folders)
    training, test = (read_channel(folder) for folder in folders)
    log_event("data_read", train=len(training), test=len(test))
    horizon = hyperparameters.prediction_length
    check_held_out(training, test, horizon)

    span, asked = align(training), align(test)
    choice = choose_way(span, hyperparameters)
    forecaster = fit(span, choice, hyperparameters)
    evaluation = evaluate(forecaster, asked, horizon)
    for line in list_log_lines(evaluation):
        sys.stdout.write(line)
    for quantile, share in evaluation.coverage.items():
        log_event("coverage", quantile=quantile, share=share)
    log_event("baseline_chosen", name=repr(evaluation.baseline))
    model = export_trees(forecaster)
    difference = check_export(model, forecaster, make_last_examples(asked, horizon))
    log_event("export_checked", largest_difference=f"{difference:.1e}")

    content = model.SerializeToString()
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        outputs.add(folder / contract.MODEL_FILE).write_bytes(content)
        outputs.add(folder / contract.FORECAST_FILE).write_text(describe_model(forecaster, horizon, content), "utf-8")
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        text = dump_evaluation(evaluation, choice, hyperparameters)
        outputs.add(beside / EVALUATION_FILE).write_text(text, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs)
    log_event("training_end", model_bytes=len(content))


def describe_model(forecaster: Forecaster, horizon: int, content: bytes) -> str:
    """What the endpoint has to know beside the trees.

    A sample:

    {"format": "headrace-forecast", "version": 1, "prediction_length": 90, "model_sha256": "9f86d081…",
     "quantiles": [0.1, 0.5, 0.9], "factors": [0.974, 0.972, 0.97]}
    """
    document: Mapping[str, object] = {
        "format": contract.FORECAST_FORMAT,
        "version": contract.FORECAST_VERSION,
        "prediction_length": horizon,
        "model_sha256": hashlib.sha256(content).hexdigest(),
        "quantiles": list(forecaster.quantiles),
        "factors": forecaster.factors.tolist(),
    }
    return json.dumps(document, allow_nan=False, indent=1) + "\n"
