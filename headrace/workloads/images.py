"""Image classification."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from headrace import lst
from headrace.normalizer.formats import list_suffixes
from headrace.recipes import Recipe, images
from headrace.workloads import photographs
from headrace.workloads.delivery import Place, Prefix, refuse_foreign
from headrace.workloads.workload import IN_BATCH, Answers, Prediction, Scores, Site, spread

_SUFFIXES: Final = frozenset(list_suffixes())


class Run:
    """A folder of photographs with a sub-folder for each class, made up where none is given."""

    made_up_folder: ClassVar[str] = "made_up_photographs"
    per_class: ClassVar[int] = photographs.DEFAULT_PER_CLASS
    recipe: ClassVar[Recipe] = images.RECIPE
    scores: ClassVar[Scores] = Scores(
        columns=dict.fromkeys(("top-1 accuracy", "top-5 accuracy", "precision", "recall", "F1"), ".3f"),
        rows={
            "classifier": (
                images.VALIDATION_ACCURACY,
                images.VALIDATION_TOP5_ACCURACY,
                images.VALIDATION_PRECISION,
                images.VALIDATION_RECALL,
                images.VALIDATION_F1,
            ),
            "most frequent class": (images.BASELINE_ACCURACY,),
        },
    )

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._uses_others = False
        self._photographs: Place | None = None
        self._folder = given or scratch / self.made_up_folder
        if given is None and not self._folder.exists():
            scratch.mkdir(parents=True, exist_ok=True)
            photographs.make_photographs(self._folder, per_class=self.per_class)
        self._lists = scratch / "lists"
        self._classes, self._train, self._validation = lst.make_lists(self._folder)

    def bring_data(self, site: Site) -> None:
        """Put photographs and lists where the deployed job reads them: in channels, or behind the normalizer.

        Without your own photographs, those that somebody else has put there are used instead of generated ones.
        """
        files = self._sort_files(site)
        foreign = site.delivery.find_foreign(files)
        if foreign and not self._given:
            self.data = ", ".join(place.address for place in foreign)
            self._uses_others = True
            self._photographs = next(
                (place for place, named in files.items() if named.keys() & self._images().keys()), None
            )
            return
        refuse_foreign(foreign)
        for place, named in files.items():
            site.delivery.bring(place, named)

    def _sort_files(self, site: Site) -> dict[Place, dict[str, Path]]:
        """The files that go to each place that the job reads."""
        request = site.read_training_request(self.recipe)
        self._write_lists()
        files = {
            images.TRAIN_CHANNEL: self._images(),
            images.VALIDATION_CHANNEL: self._images(),
            images.TRAIN_LIST_CHANNEL: self._pick("train.lst", "classes.txt"),
            images.VALIDATION_LIST_CHANNEL: self._pick("validation.lst"),
        }
        sorted_files: dict[Place, dict[str, Path]] = {}
        for channel in request["InputDataConfig"]:
            if place := site.find_place(source := channel["DataSource"]):
                brought = {} if _has_manifest(source) else files[channel["ChannelName"]]
                sorted_files.setdefault(place, {}).update(brought)
        if prefix := request.get("Environment", {}).get(images.NORMALIZER.prefix):
            # The normalizer reads the raw bucket.
            sorted_files.setdefault(Prefix(site.raw_bucket, prefix), {}).update(self._images())
        return sorted_files

    def _images(self) -> dict[str, Path]:
        return {row.path: self._folder / row.path for row in (*self._train, *self._validation)}

    def _write_lists(self) -> None:
        lst.write_lst(self._lists / "train.lst", self._train)
        lst.write_lst(self._lists / "validation.lst", self._validation)
        (self._lists / "classes.txt").write_text("".join(f"{name}\n" for name in self._classes), encoding="utf-8")

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Post a few of the held-out photographs, or of those that were there."""
        ask = partial(self._ask, site, endpoint_name)
        if self._uses_others:
            return Answers(self._ask_others(ask))
        return Answers(
            [
                ask(row.path, (self._folder / row.path).read_bytes(), self._classes[row.label])
                for row in spread(self._validation)
            ]
        )

    def bring_batch(self, site: Site, place: Place) -> None:
        """Put some of the held-out photographs there."""
        if not site.delivery.find_foreign([place]):
            chosen = spread(self._validation, IN_BATCH)
            site.delivery.bring(place, {row.path: self._folder / row.path for row in chosen})

    def read_batch(self, given: Place, answers: Place) -> list[Prediction]:
        """What was answered to a few photographs of the batch."""
        labels = {row.path: self._classes[row.label] for row in self._validation}
        return [
            self.read_answer(name, answers.read(f"{name}.out"), labels.get(name))
            for name in spread(sorted(given.list_files()))
        ]

    def read_answer(self, name: str, answer: bytes, actual: str | None) -> Prediction:
        """What the endpoint takes a photograph for."""
        best = json.loads(answer)["predictions"][0]
        return Prediction(asked=name, predicted=f"{best['label']} ({best['probability']:.2f})", actual=actual)

    def name_class(self, number: int) -> str:
        """A class by its name, where the photographs are not those of somebody else."""
        is_known = not self._uses_others and number < len(self._classes)
        return self._classes[number] if is_known else f"class {number}"

    def _ask_others(self, ask: Callable[[str, bytes, str | None], Prediction]) -> list[Prediction]:
        place = self._photographs
        names = sorted(place.list_files()) if place else []
        found = [name for name in names if Path(name).suffix.lower() in _SUFFIXES]
        return [ask(name, place.read(name), None) for name in spread(found) if place]

    def _ask(self, site: Site, endpoint_name: str, name: str, photograph: bytes, actual: str | None) -> Prediction:
        answer = site.invoke(endpoint_name, photograph, content_type=images.CONTENT_TYPE, accept="application/json")
        return self.read_answer(name, answer, actual)

    def _pick(self, *names: str) -> dict[str, Path]:
        return {name: self._lists / name for name in names}


def _has_manifest(source: Mapping[str, Any]) -> bool:
    """Whether a channel reads what a manifest lists, which its owner puts there."""
    return bool(source.get("S3DataSource", {}).get("S3DataType", "S3Prefix") != "S3Prefix")
