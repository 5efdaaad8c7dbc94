"""What a model scores, in the words of the built-in algorithm's log, and the same of the simplest possible answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from containers.shared.job.scores import Values, find_accuracy, find_mse, score_classes
from containers.shared.tables.labelled import Table

from . import contract
from .fitting import Linear
from .hyperparameters import Hyperparameters
from .losses import find_probabilities, find_probability

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """A score of a model.

    Args:
        metric: The metric that SageMaker reads it as, without the part of the data.
        name: What the log calls it.
        value: How large it is.
        kind: Whether it is a `score` or a `loss`.
    """

    metric: str
    name: str
    value: float
    kind: str = "score"


@dataclass(frozen=True)
class Judged:
    """A model, and from which score on a row is of the second of two classes."""

    model: Linear
    threshold: float
    hyperparameters: Hyperparameters

    def list_scores(self, table: Table) -> list[Score]:
        """All its scores on some rows."""
        scores = self.model.score(table.features)
        labels = table.labels
        losses, _ = self.model.loss.measure(scores, labels.astype(np.float64))
        objective = Score("objective_loss", self.model.loss.objective, float(losses.mean()), "loss")
        match self.hyperparameters.predictor_type:
            case contract.REGRESSOR:
                return [objective, *score_numbers(labels, scores[:, 0])]
            case contract.BINARY:
                answers = (scores[:, 0] >= self.threshold).astype(np.float32)
                return [objective, *score_two_classes(labels, answers, self._beta), _score_order(labels, scores[:, 0])]
        most = min(self.hyperparameters.whole("accuracy_top_k"), scores.shape[1])
        return [objective, *score_several_classes(labels, scores, most, self._beta)]

    def list_baselines(self, training: Table, judged_by: Table) -> Iterator[tuple[str, float]]:
        """What the most frequent class of the training rows would score, or their mean."""
        labels = judged_by.labels
        if self.hyperparameters.predictor_type == contract.REGRESSOR:
            mean = np.full_like(labels, training.labels.mean(dtype=np.float64))
            mse = find_mse(labels, mean)
            yield contract.BASELINE_RMSE, mse**0.5
            yield contract.BASELINE_MSE, mse
            yield contract.BASELINE_ABSOLUTE_LOSS, float(np.mean(np.abs(labels - mean)))
            return
        values, counts = np.unique(training.labels, return_counts=True)
        answers = np.full_like(labels, values[counts.argmax()])
        if self.hyperparameters.predictor_type == contract.BINARY:
            accuracy, f_beta, *_ = score_two_classes(labels, answers, self._beta)
            yield contract.BASELINE_BINARY_ACCURACY, accuracy.value
            yield contract.BASELINE_BINARY_F_BETA, f_beta.value
            return
        yield contract.BASELINE_ACCURACY, find_accuracy(labels, answers)
        yield contract.BASELINE_F_BETA, float(score_classes(labels, answers).find_f(self._beta).mean())

    @property
    def _beta(self) -> float:
        return self.hyperparameters.number("f_beta")


def score_numbers(labels: Values, answers: Numbers) -> list[Score]:
    """Scores of a regressor."""
    absolute = float(np.mean(np.abs(labels - answers)))
    return [
        Score("mse", "mse", float(np.mean((labels - answers) ** 2)), "loss"),
        Score("absolute_loss", "absolute_loss", absolute, "loss"),
    ]


def score_two_classes(labels: Values, answers: Values, beta: float) -> list[Score]:
    """Scores of a classifier of two classes, of which the second is looked for."""
    right = float(np.sum((labels == 1) & (answers == 1)))
    precision = right / max(float(np.sum(answers == 1)), 1)
    recall = right / max(float(np.sum(labels == 1)), 1)
    weighted = beta**2 * precision + recall
    f_beta = (1 + beta**2) * precision * recall / weighted if weighted else 0.0
    return [
        Score("binary_classification_accuracy", "binary_classification_accuracy", find_accuracy(labels, answers)),
        Score("binary_f_beta", f"binary_f_{beta:.3f}", f_beta),
        Score("precision", "precision", precision),
        Score("recall", "recall", recall),
    ]


def _score_order(labels: Values, scores: Numbers) -> Score:
    """The area under the ROC curve: how often a row of the second class scores higher than one of the first."""
    positive = float(np.sum(labels == 1))
    pairs = positive * (len(labels) - positive)
    ranks = scipy.stats.rankdata(scores)
    higher = float(ranks[labels == 1].sum()) - positive * (positive + 1) / 2
    return Score("roc_auc_score", "roc_auc_score", higher / pairs if pairs else 0.5)


def score_several_classes(labels: Values, scores: Numbers, most: int, beta: float) -> list[Score]:
    """Scores of a classifier of several classes; macro scores are means over the classes that there are."""
    answers = scores.argmax(axis=1).astype(np.float32)
    mine = scores[np.arange(len(labels)), labels.astype(np.intp)]
    rank = np.sum(scores > mine[:, None], axis=1)
    classes = score_classes(labels, answers)
    probability = find_probabilities(scores)[np.arange(len(labels)), labels.astype(np.intp)]
    recall = float(classes.recall.mean())
    return [
        Score("multiclass_accuracy", "multiclass_accuracy", find_accuracy(labels, answers)),
        Score("multiclass_top_k_accuracy", f"multiclass_top_k_accuracy_{most}", float(np.mean(rank < most))),
        Score("dcg", "dcg", float(np.mean(1 / np.log2(rank + 2)))),
        Score("macro_recall", "macro_recall", recall),
        Score("macro_precision", "macro_precision", float(classes.precision.mean())),
        Score("macro_f_beta", f"macro_f_{beta:.3f}", float(classes.find_f(beta).mean())),
        Score("", "multiclass_balanced_accuracy", recall),
        Score("", "multiclass_log_loss", float(-np.log(np.maximum(probability, 1e-15)).mean())),
    ]


def describe_scores(part: str, scores: list[Score], host: str) -> Iterator[str]:
    """The lines of the log in which SageMaker finds the scores."""
    for score in scores:
        yield f"#{part}_score ({host}) : {(score.name, score.value)}"
    for score in scores:
        yield f"#quality_metric: host={host}, {part} {score.name} <{score.kind}>={score.value}"


def name_metrics(part: str, scores: list[Score]) -> dict[str, float]:
    """The scores by the metrics that SageMaker reads them as."""
    final = "" if part == contract.TEST_CHANNEL else ":final"
    return {
        f"{part}:{score.metric}{final if score.metric == 'objective_loss' else ''}": score.value
        for score in scores
        if score.metric
    }


def answer(kind: str, loss: str, scores: Numbers, threshold: float) -> list[dict[str, Any]]:
    """What is answered to rows of these scores, in the algorithm's form."""
    if kind == contract.REGRESSOR:
        return [{"score": score} for score in scores[:, 0].tolist()]
    if kind == contract.BINARY:
        shown = find_probability(scores[:, 0]) if loss == "binary_classification_cross_entropy" else scores[:, 0]
        labels = (scores[:, 0] >= threshold).astype(int)
        pairs = zip(shown.tolist(), labels.tolist(), strict=True)
        return [{"score": score, "predicted_label": label} for score, label in pairs]
    rows = zip(find_probabilities(scores).tolist(), scores.argmax(axis=1).tolist(), strict=True)
    return [{"score": score, "predicted_label": label} for score, label in rows]
