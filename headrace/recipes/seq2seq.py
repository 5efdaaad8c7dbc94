"""Translation of sequences, as SageMaker's built-in sequence-to-sequence learns and answers it; a legacy algorithm."""

from typing import Final

from headrace.algorithms import find_algorithm
from headrace.recipes.recipe import Channel, ContainerImage, Preprocessing, Recipe, Serving, Training

PREPROCESSING: Final = ContainerImage(
    name="pairs_preprocessing",
    folder="seq2seq/preprocessing",
    description="Numbers the tokens of parallel texts, and makes their vocabularies",
)
ENGINE: Final = ContainerImage(
    name="seq2seq",
    folder="seq2seq/engine",
    description="Trains and serves translations as the built-in sequence-to-sequence does",
    is_endpoint=True,
    needs_torch=True,
)
ALGORITHM: Final = "seq2seq"
TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"
VOCABULARY_CHANNEL: Final = "vocab"
RECORDS: Final = "application/x-recordio-protobuf"

VALIDATION_BLEU: Final = "validation:bleu"
VALIDATION_PERPLEXITY: Final = "validation:perplexity"
# What the built-in algorithm does not report: the same of translating word for word.
BASELINE_BLEU: Final = "baseline:bleu"

RECIPE: Final = Recipe(
    name="seq2seq",
    stack_id="Seq2Seq",
    data="a file of pairs, a sentence and its translation a line with a tab between",
    preprocessing=Preprocessing(
        image=PREPROCESSING,
        arguments={
            "--train-test-split-ratio": "train_test_split_ratio",
            "--seed": "seed",
            "--vocabulary-size": "vocabulary_size",
        },
        input_folder="processing/input",
        output_folders={
            "train": "processing/train",
            "validation": "processing/validation",
            "vocab": "processing/vocab",
            "record": "processing/record",
        },
    ),
    training=Training(
        image=ENGINE,
        metrics={
            **find_algorithm(ALGORITHM).metrics,
            BASELINE_BLEU: rf"metric {BASELINE_BLEU}=([0-9]+\.[0-9]+)",
        },
        channels=(
            Channel(name=TRAIN_CHANNEL, content_type=RECORDS, output="train"),
            Channel(name=VALIDATION_CHANNEL, content_type=RECORDS, output="validation"),
            Channel(name=VOCABULARY_CHANNEL, content_type="application/json", output="vocab"),
        ),
    ),
    serving=Serving(image=ENGINE, content_type="application/jsonlines"),
    is_optional=True,
    algorithm=ALGORITHM,
)
