"""The algorithms that are known, one file of facts each; what each key means is said of `Algorithm`."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Final

from headrace.algorithms.algorithm import Algorithm, Version
from headrace.algorithms.hyperparameters import read_hyperparameters

ALGORITHMS: Final = (
    "xgboost",
    "deepar",
    "image-classification",
    "linear-learner",
    "blazingtext",
    "seq2seq",
    "object-detection",
)
_URI: Final = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[a-z.]+/([^:@]+):([^:@]+)")


@cache
def find_algorithm(name: str) -> Algorithm:
    """An algorithm by its name.

    Raises:
        KeyError: If there is none.
    """
    if name not in ALGORITHMS:
        raise KeyError(name)
    document = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    document["hyperparameters"] = read_hyperparameters(document["hyperparameters"])
    document["versions"] = {
        version: Version(
            name=version,
            modes=tuple(facts.get("modes", ())),
            refused=facts.get("refused", ""),
            gpu_families=tuple(facts.get("gpu_families", ())),
        )
        for version, facts in document["versions"].items()
    }
    return Algorithm(**document)


def find_by_uri(uri: str) -> tuple[Algorithm, str] | None:
    """The algorithm whose container image a URI names, and the version; None for any other container image.

    Example:
        >>> from headrace.algorithms import find_by_uri
        >>> algorithm, version = find_by_uri("492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:3.2-0")
        >>> algorithm.title, version
        ('XGBoost', '3.2-0')
    """
    named = _URI.fullmatch(uri)
    if not named:
        return None
    account, region, repository, tag = named.groups()
    for algorithm in map(find_algorithm, ALGORITHMS):
        if algorithm.repository == repository and algorithm.accounts.get(region) == account:
            return algorithm, tag
    return None
