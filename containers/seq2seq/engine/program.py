"""The training steps in their order: read, learn, export, check, judge, write."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from containers.shared import sagemaker
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from containers.shared.job.scores import dump_evaluation, format_metric
from containers.shared.job.training_job import check_command, read_job
from containers.shared.serving.onnx_sessions import open_session
from headrace.cpus import count_cpus
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE
from headrace.recordio.sentences import BEGIN, SOURCE_FILE, TARGET_FILE, Pair, dump_vocabulary

from . import contract
from .baseline import learn_words
from .bleu import find_bleu
from .decoding import pad
from .export import export_decoder, export_encoder
from .fitting import fit, judge, judge_translations, make_network, say
from .hyperparameters import Hyperparameters, describe, parse
from .model import Description, OnnxSteps
from .network import Network
from .reading import Vocabularies, read_channel, read_vocabularies

NOT_AWS = (
    "this is not AWS's algorithm: it is an open program that keeps the contract of SageMaker's built-in "
    "sequence-to-sequence, with PyTorch"
)
COMPARED = 16
# How many numbers a layer gives for a token of each sentence, before threads gain more than they wait for each other.
SHARED = 2**15
TOLERANCE = 1e-3


class TranslatorExportError(Exception):
    """Exported models that do not answer like the network they were made from."""


def train(root: Path, arguments: Sequence[str], outputs: Outputs) -> None:
    """Write a model, its evaluation and the record of its inputs from the channels under the root."""
    check_command(arguments)
    log_event("engine", program="headrace", torch=torch.__version__, note=repr(NOT_AWS))
    job = read_job(root)
    asked = parse(job.hyperparameters)
    torch.set_num_threads(count_cpus() if asked.batch_size * asked.rnn_num_hidden >= SHARED else 1)
    log_event("hyperparameters", **describe(asked))
    inputs = JobInputs()
    vocabularies = read_vocabularies(root, job, inputs)
    longest = (asked.max_seq_len_source, asked.max_seq_len_target)
    training, validation = (
        read_channel(root, job, channel, vocabularies, longest, inputs)
        for channel in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)
    )
    sizes = {"train": len(training), "validation": len(validation)}
    log_event("data_read", **sizes, source=len(vocabularies.source), target=len(vocabularies.target))

    network = make_network(asked, len(vocabularies.source), len(vocabularies.target))
    schedule = fit(network, asked, training, validation)
    contents = export(network, vocabularies)
    served = open_steps(contents)
    log_event("export_checked", largest_difference=f"{check_export(network, served, validation[:COMPARED]):.1e}")
    metrics = judge_model(network, served, asked, training, validation)
    say(schedule.checkpoint, {"bleu": metrics[contract.VALIDATION_BLEU]})
    sys.stdout.write(format_metric(contract.BASELINE_BLEU, metrics[contract.BASELINE_BLEU]))
    write(root, contents, asked, dump_evaluation(metrics, sizes, describe(asked)), inputs, outputs)
    log_event("training_end", model_bytes=sum(map(len, contents.values())))


def export(network: Network, vocabularies: Vocabularies) -> dict[str, bytes]:
    """The files of a model, by name."""
    shape, weights = network.architecture, network.export()
    return {
        contract.ENCODER_FILE: export_encoder(shape, weights).SerializeToString(),
        contract.DECODER_FILE: export_decoder(shape, weights).SerializeToString(),
        SOURCE_FILE: dump_vocabulary(vocabularies.source).encode(),
        TARGET_FILE: dump_vocabulary(vocabularies.target).encode(),
    }


def open_steps(contents: dict[str, bytes]) -> OnnxSteps:
    """The exported network, as it will serve."""
    names = (contract.ENCODER_FILE, contract.DECODER_FILE)
    return OnnxSteps(*(open_session(Path(name), contents[name]) for name in names))


def check_export(network: Network, served: OnnxSteps, pairs: Sequence[Pair]) -> float:
    """The largest difference between what the exported models and the network say of the first tokens of some pairs."""
    source, lengths = pad([pair.source for pair in pairs])
    tokens = [np.full(len(pairs), BEGIN, np.int64), np.array([pair.target[0] for pair in pairs], np.int64)]
    found = []
    for steps in (network, served):
        memory, state = steps.encode(source, lengths)
        odds = []
        for given in tokens:
            each, _, state = steps.step(given, state, memory)
            odds.append(each)
        found.append(np.exp(odds))
    difference = float(np.max(np.abs(found[0] - found[1])))
    if not difference <= TOLERANCE:
        raise TranslatorExportError(f"the ONNX models differ from the network by {difference:.2e}")
    return difference


def judge_model(
    network: Network,
    served: OnnxSteps,
    asked: Hyperparameters,
    training: Sequence[Pair],
    validation: Sequence[Pair],
) -> dict[str, float]:
    """How good the model is as it will serve, and how good translating word for word is."""
    judged = judge(network, validation, asked.batch_size)
    translate_words = learn_words(training)
    words = [translate_words(pair.source) for pair in validation]
    return {
        contract.VALIDATION_BLEU: judge_translations(served, validation, asked, asked.bleu_sample_size or -1),
        contract.VALIDATION_PERPLEXITY: judged.perplexity,
        contract.VALIDATION_ACCURACY: judged.accuracy,
        contract.BASELINE_BLEU: find_bleu(words, [pair.target for pair in validation]),
    }


def write(
    root: Path,
    contents: dict[str, bytes],
    asked: Hyperparameters,
    evaluation: str,
    inputs: JobInputs,
    outputs: Outputs,
) -> None:
    """Write the model's files with what says that they belong together, and what is said about them beside."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    description = Description(asked.beam_size, asked.max_seq_len_source, asked.max_seq_len_target, digests)
    with outputs:
        folder = root / sagemaker.MODEL_FOLDER
        for name, content in contents.items():
            outputs.add(folder / name).write_bytes(content)
        outputs.add(folder / contract.DESCRIPTION_FILE).write_text(description.dump(), "utf-8")
        beside = root / sagemaker.OUTPUT_DATA_FOLDER
        outputs.add(beside / EVALUATION_FILE).write_text(evaluation, "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
