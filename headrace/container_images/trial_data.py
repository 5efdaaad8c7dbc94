"""Made-up data for trials of container images: what each job reads, and what each endpoint is asked."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from headrace.recipes import (
    ContainerImage,
    big_mart,
    blazingtext,
    detection,
    forecasting,
    images,
    linear_learner,
    resnet,
    seq2seq,
    xgboost,
)
from headrace.recordio import ImageRecord, write_images
from headrace.workloads import corpus, demand, photographs, phrases, sales, scenes

ROWS: Final = 400
CLASSES: Final = 3
PHOTOGRAPHS_PER_CLASS: Final = 4
ASKED: Final = 3
SCENES: Final = 4
# A network that learns in a second.
NETWORK: Final = {
    "num_classes": str(CLASSES),
    "num_training_samples": str(CLASSES * (PHOTOGRAPHS_PER_CLASS - 1)),
    "num_layers": "20",
    "image_shape": "3,16,16",
    "epochs": "1",
}
SENTENCES: Final = 200
# A translator that learns in a second.
TRANSLATOR: Final = {"rnn_num_hidden": "8", "num_embed_source": "8", "num_embed_target": "8", "max_num_epochs": "1"}


def write_job(container: ContainerImage, tree: Path, find_tree: Callable[[ContainerImage], Path]) -> None:
    """Put what a job reads into its tree.

    Args:
        container: What it runs.
        tree: Its tree, like /opt/ml.
        find_tree: The tree of the job that has made the input of this one.
    """
    prepare = {
        big_mart.PREPROCESSING: lambda: sales.write_csv(tree / "processing/input/sales.csv", rows=ROWS),
        big_mart.TRAINING: lambda: write_training_job(tree, find_tree(big_mart.PREPROCESSING) / "processing"),
        xgboost.IMAGE: lambda: write_rows_job(tree, {"num_round": "5"}),
        linear_learner.IMAGE: lambda: write_rows_job(tree, {"predictor_type": "regressor", "mini_batch_size": "50"}),
        blazingtext.PREPROCESSING: lambda: corpus.write_text(tree / "processing/input/text.txt", is_labelled=True),
        blazingtext.ENGINE: lambda: write_text_job(tree, find_tree(blazingtext.PREPROCESSING) / "processing"),
        seq2seq.PREPROCESSING: lambda: phrases.write_pairs(tree / "processing/input/pairs.tsv", SENTENCES),
        seq2seq.ENGINE: lambda: write_sentences_job(tree, find_tree(seq2seq.PREPROCESSING) / "processing"),
        forecasting.PREPROCESSING: lambda: demand.write_csv(
            tree / "processing/input/demand.csv", stores=1, items=ASKED
        ),
        forecasting.ENGINE: lambda: write_forecasting_job(tree, find_tree(forecasting.PREPROCESSING) / "processing"),
        resnet.IMAGE: lambda: write_image_job(tree, NETWORK),
        detection.IMAGE: lambda: write_scenes_job(tree),
    }
    prepare.get(container, lambda: write_image_job(tree, {"image_size": "64"}))()


def write_training_job(tree: Path, processed: Path) -> None:
    """A training job over the outputs of preprocessing."""
    data = tree / "input/data"
    for channel, folder in (("train", "train"), ("validation", "test"), ("encoding", "encoding")):
        shutil.copytree(processed / folder, data / channel)
    write_configuration(tree, {"n_estimators": "5", "min_samples_leaf": "5"})


def write_rows_job(tree: Path, hyperparameters: dict[str, str]) -> None:
    """A job over rows of two features, whose sum is the label that stands first."""
    rows = "".join(f"{a + b},{a},{b}\n" for a in range(20) for b in range(20))
    for channel in ("train", "validation"):
        folder = tree / "input/data" / channel
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text(rows, encoding="utf-8")
    write_configuration(tree, hyperparameters, content_type="text/csv")


def write_forecasting_job(tree: Path, processed: Path) -> None:
    """A job over the outputs of preprocessing."""
    for channel in ("train", "test"):
        shutil.copytree(processed / channel, tree / "input/data" / channel)
    write_configuration(tree, {"prediction_length": "90"}, content_type=forecasting.JSON_LINES)


def write_text_job(tree: Path, processed: Path) -> None:
    """A job over the outputs of preprocessing."""
    for channel in ("train", "validation"):
        shutil.copytree(processed / channel, tree / "input/data" / channel)
    given = {"mode": blazingtext.SUPERVISED, "buckets": "1000", "vector_dim": "10"}
    write_configuration(tree, given, content_type=blazingtext.TEXT)


def write_sentences_job(tree: Path, processed: Path) -> None:
    """A job over the outputs of preprocessing."""
    for channel in ("train", "validation", "vocab"):
        shutil.copytree(processed / channel, tree / "input/data" / channel)
    write_configuration(tree, TRANSLATOR, content_type=seq2seq.RECORDS)


def write_image_job(tree: Path, hyperparameters: dict[str, str]) -> None:
    """An image training job over made-up photographs, the last of each class held out."""
    data = tree / "input/data"
    photographs.make_photographs(data / "train", classes=CLASSES, per_class=PHOTOGRAPHS_PER_CLASS)
    (data / "validation").symlink_to("train")
    rows: dict[str, list[str]] = {"train": [], "validation": []}
    for label, folder in enumerate(sorted((data / "train").iterdir())):
        for place, photograph in enumerate(sorted(folder.iterdir())):
            kind = "validation" if place == PHOTOGRAPHS_PER_CLASS - 1 else "train"
            row = f"{label * PHOTOGRAPHS_PER_CLASS + place}\t{label}\t{folder.name}/{photograph.name}\n"
            rows[kind].append(row)
    for kind, lines in rows.items():
        (data / f"{kind}_lst").mkdir()
        (data / f"{kind}_lst" / f"{kind}.lst").write_text("".join(lines), encoding="utf-8")
    write_configuration(tree, hyperparameters)


def write_scenes_job(tree: Path) -> None:
    """A training job over made-up street scenes as RecordIO of images."""
    for seed, channel in enumerate(("train", "validation")):
        folder = tree / "input/data" / channel
        folder.mkdir(parents=True)
        drawn = enumerate(scenes.draw_scenes(SCENES, seed))
        write_images(folder / f"{channel}.rec", [pack_scene(number, scene) for number, scene in drawn])
    given = {"num_classes": str(len(scenes.CLASSES)), "num_training_samples": str(SCENES), "epochs": "1"}
    write_configuration(tree, given, content_type=detection.RECORDS)


def pack_scene(number: int, scene: scenes.Scene) -> ImageRecord:
    """A scene as im2rec packs it with `--pack-label`: a header, then each box as parts of the photograph."""
    width, height = scene.photograph.size
    labels: list[float] = [4, 5, width, height]
    for thing in scene.things:
        left, top, right, bottom = thing.corners
        labels += [thing.label, left / width, top / height, right / width, bottom / height]
    return ImageRecord(number, tuple(labels), encode_scene(scene))


def encode_scene(scene: scenes.Scene) -> bytes:
    """The photograph of a scene as a JPEG file."""
    body = io.BytesIO()
    scene.photograph.save(body, format="JPEG", quality=scenes.QUALITY)
    return body.getvalue()


def write_configuration(tree: Path, hyperparameters: dict[str, str], content_type: str | None = None) -> None:
    """The files that SageMaker writes for a training job."""
    described = {"TrainingInputMode": "File", **({"ContentType": content_type} if content_type else {})}
    config = tree / "input/config"
    config.mkdir()
    channels = {folder.name: described for folder in (tree / "input/data").iterdir()}
    resources = {"current_host": "algo-1", "hosts": ["algo-1"]}
    for name, content in (
        ("hyperparameters", hyperparameters),
        ("inputdataconfig", channels),
        ("resourceconfig", resources),
    ):
        (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def make_request(container: ContainerImage) -> tuple[bytes, str, int | None]:
    """A body for an endpoint, its content type and how many predictions it asks for; None where that is not known."""
    if container is detection.IMAGE:
        return encode_scene(next(scenes.draw_scenes(1))), detection.CONTENT_TYPE, None
    if container in (images.INFERENCE, resnet.IMAGE):
        shape = photographs.SHAPES[:1]
        body = io.BytesIO()
        next(photographs.draw_photographs(shape, 1, seed=1))[1].save(body, format="JPEG")
        return body.getvalue(), "application/x-image", CLASSES
    if container in (xgboost.IMAGE, linear_learner.IMAGE):
        return b"1,2\n" * ASKED, "text/csv", ASKED
    if container is blazingtext.ENGINE:
        return json.dumps({"instances": ["where is it"] * ASKED}).encode(), "application/json", ASKED
    if container is seq2seq.ENGINE:
        return json.dumps({"instances": [{"data": "the old farmer ."}] * ASKED}).encode(), "application/json", ASKED
    if container is forecasting.ENGINE:
        instance = {"start": "2024-01-01", "target": [day % 7 for day in range(200)]}
        return json.dumps({"instances": [instance] * ASKED}).encode(), "application/json", ASKED
    text = io.StringIO()
    rows = (row[:-1] for row in sales.make_rows(ASKED, seed=1))
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(), "text/csv", ASKED
