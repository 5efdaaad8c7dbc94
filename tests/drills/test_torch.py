"""A workload that needs PyTorch trains and serves in a checkout that has it."""

import json
import re
import sys

import pytest

from headrace.loopback import find_free_port
from headrace.torch_packages import FOLDER
from tests.drills.checkout import Checkout
from tests.torch_packages import require_torch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
# A network that learns in seconds, and nothing much.
QUICK = {
    "num_classes": 6,
    "num_training_samples": 294,
    "num_layers": 20,
    "image_shape": "3,12,12",
    "epochs": 2,
}
# It need not learn anything here: the container's tests do that.
TRANSLATOR = {
    "training": {
        "hyperparameters": {
            "max_num_batches": 2,
            "rnn_num_hidden": 8,
            "num_embed_source": 8,
            "num_embed_target": 8,
            "bleu_sample_size": 10,
            "max_seq_len_target": 20,
        }
    },
    "gate": {"rules": []},
}
# A detector that learns in seconds, and not much.
QUICK_DETECTOR = {
    "num_classes": 4,
    "num_training_samples": 208,
    "epochs": 1,
    "mini_batch_size": 16,
    "optimizer": "adam",
    "learning_rate": 0.002,
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with PyTorch, whose settings train fast and take every model."""
    require_torch()
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    if FOLDER.is_dir():
        (checkout.folder / ".headrace/torch").symlink_to(FOLDER)
    cdk = json.loads((checkout.folder / "cdk.json").read_text(encoding="utf-8"))
    section, boxes = (
        {"training": {"hyperparameters": given}, "gate": {"rules": []}} for given in (QUICK, QUICK_DETECTOR)
    )
    cdk["context"]["environments"]["dev"] |= {"resnet": section, "seq2seq": TRANSLATOR, "detection": boxes}
    checkout.write("cdk.json", json.dumps(cdk, indent=2))
    return checkout


def test_trains_a_network_and_asks_it_about_held_out_photographs(checkout: Checkout) -> None:
    options = ["--workload", "resnet", "--json", "--port", str(find_free_port())]

    answer = checkout.run(sys.executable, "-m", "headrace", "local", "run", *options)

    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    metrics = summary["report"]["output"]["Metrics"]
    assert metrics.keys() >= {"train:accuracy", "validation:accuracy", "baseline:accuracy"}
    assert len(summary["predictions"]) == 5
    assert {asked["predicted"].split(" ")[0] for asked in summary["predictions"]} <= {
        "ball",
        "cross",
        "gear",
        "kite",
        "star",
        "wedge",
    }


def test_refuses_to_go_on_from_a_version_that_is_not_there(checkout: Checkout) -> None:
    before = (checkout.folder / "cdk.json").read_text(encoding="utf-8")
    cdk = json.loads(before)
    cdk["context"]["environments"]["dev"]["resnet"]["training"] |= {"continue_from": 1}
    checkout.write("cdk.json", json.dumps(cdk, indent=2))
    options = ["--workload", "resnet", "--json", "--port", str(find_free_port())]

    answer = checkout.run(sys.executable, "-m", "headrace", "local", "run", *options)
    # The other tests share the checkout.
    checkout.write("cdk.json", before)

    assert answer.returncode == 1
    assert re.search(r"Find Earlier Version: ModelPackage \S+/headrace-dev-resnet/1 does not exist", answer.stderr)


def test_trains_a_translator_and_asks_it_about_held_out_sentences(checkout: Checkout) -> None:
    options = ["--workload", "seq2seq", "--json", "--port", str(find_free_port())]

    answer = checkout.run(sys.executable, "-m", "headrace", "local", "run", *options)

    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    metrics = summary["report"]["output"]["Metrics"]
    assert metrics.keys() >= {"validation:bleu", "validation:perplexity", "validation:accuracy", "baseline:bleu"}
    assert len(summary["predictions"]) == 5
    assert all(str(asked["actual"]).endswith(".") for asked in summary["predictions"])


def test_trains_a_detector_from_augmented_manifests_and_asks_it_about_held_out_scenes(checkout: Checkout) -> None:
    options = ["--workload", "detection", "--json", "--port", str(find_free_port())]

    answer = checkout.run(sys.executable, "-m", "headrace", "local", "run", *options)

    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    metrics = summary["report"]["output"]["Metrics"]
    assert metrics.keys() >= {"validation:mAP", "baseline:mAP"}
    assert metrics["validation:mAP"] > 0
    assert len(summary["predictions"]) == 5
    assert all(asked["actual"] for asked in summary["predictions"])
