"""Image classification by a residual network."""

import json
from typing import ClassVar

from headrace.recipes import Recipe, resnet
from headrace.workloads import images
from headrace.workloads.workload import Prediction, Scores


class Run(images.Run):
    """The same photographs as those of the light classifier, and more of them; answers are probabilities alone."""

    made_up_folder: ClassVar[str] = "made_up_photographs_for_resnet"
    # Six classes of these are learnt in a minute or two.
    per_class: ClassVar[int] = 60
    recipe: ClassVar[Recipe] = resnet.RECIPE
    scores: ClassVar[Scores] = Scores(
        columns={"accuracy": ".3f", "training accuracy": ".3f"},
        rows={
            "residual network": (resnet.VALIDATION_ACCURACY, resnet.TRAIN_ACCURACY),
            "most frequent class": (resnet.BASELINE_ACCURACY,),
        },
    )

    def read_answer(self, name: str, answer: bytes, actual: str | None) -> Prediction:
        """The most probable class, by its name where that is known."""
        document = json.loads(answer)
        # A batch is answered in lines.
        probabilities = document["prediction"] if isinstance(document, dict) else document
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        return Prediction(asked=name, predicted=f"{self.name_class(best)} ({probabilities[best]:.2f})", actual=actual)
