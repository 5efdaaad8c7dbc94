"""Detection of objects in street scenes."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from headrace.errors import HeadraceError, naming
from headrace.manifest import ManifestError, Record, Task, check_manifest, convert_coco, read_manifest, split_manifest
from headrace.manifest.box_turns import is_counted_in_stored_pixels
from headrace.manifest.labels import read_image_size, read_label
from headrace.manifest.records import SOURCE_REFERENCE
from headrace.normalizer.normalize import measure_learnt
from headrace.recipes import Recipe, detection
from headrace.s3.addresses import S3Address
from headrace.workloads import scenes
from headrace.workloads.delivery import Place, Prefix, refuse_foreign
from headrace.workloads.workload import IN_BATCH, Answers, Prediction, Scores, Site, spread

# An answer has boxes with very low scores, too.
SHOWN_SCORE: Final = 0.3
_AUGMENTED: Final = "AugmentedManifestFile"
_SHOWN_PROBLEMS: Final = 5


@dataclass(frozen=True, kw_only=True)
class ManifestChannel:
    """A channel that reads an augmented manifest.

    Args:
        place: Where the manifest is.
        names: Its attributes that the channel sends.
    """

    place: Place
    names: tuple[str, ...]

    @property
    def boxes(self) -> str:
        """The attribute that has the boxes."""
        return self.names[-1]


class Run:
    """A folder of photographs with their boxes as COCO has them, made up where none is given."""

    recipe: ClassVar[Recipe] = detection.RECIPE
    scores: ClassVar[Scores] = Scores(
        columns={"mAP": ".3f"},
        rows={"detector": (detection.VALIDATION_MAP,), "mean box of each class": (detection.BASELINE_MAP,)},
    )

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._scratch = scratch
        self._folder = given or scratch / "made_up_scenes"
        self._held_out: tuple[Record, ...] = ()
        self._boxes = detection.ATTRIBUTE_NAMES[-1]
        if given is None and not self._folder.exists():
            scratch.mkdir(parents=True, exist_ok=True)
            scenes.make_scenes(self._folder)

    def bring_data(self, site: Site) -> None:
        """Put photographs and their manifests where the deployed job reads them, checked before.

        Without your own photographs, manifests that somebody else has put there are used instead of generated ones.

        Raises:
            ManifestError: If something is wrong with the boxes, naming it.
        """
        channels = self._list_channels(site)
        foreign = site.delivery.find_foreign([channel.place for channel in channels.values()])
        if foreign and not self._given:
            self.data = ", ".join(place.address for place in foreign)
        else:
            refuse_foreign(foreign)
            self._bring(site, channels)
        if held_out := channels.get(detection.VALIDATION_CHANNEL):
            self._boxes = held_out.boxes
            self._held_out = tuple(self._read_held_out(held_out.place))

    def _list_channels(self, site: Site) -> dict[str, ManifestChannel]:
        """The channels of the deployed job that read augmented manifests."""
        channels = {}
        for channel in site.read_training_request(self.recipe)["InputDataConfig"]:
            source: Mapping[str, Any] = channel["DataSource"].get("S3DataSource", {})
            place = site.find_place(channel["DataSource"]) if source.get("S3DataType") == _AUGMENTED else None
            if place:
                names = tuple(source["AttributeNames"])
                channels[channel["ChannelName"]] = ManifestChannel(place=place, names=names)
        return channels

    def _bring(self, site: Site, channels: Mapping[str, ManifestChannel]) -> None:
        place = Prefix(site.raw_bucket, detection.PHOTOGRAPHS_PREFIX)
        whole = self._scratch / "boxes.manifest"
        parts = {
            name: self._scratch / f"{name}.manifest" for name in (detection.TRAIN_CHANNEL, detection.VALIDATION_CHANNEL)
        }
        convert_coco(self._folder / scenes.ANNOTATIONS_FILE, place.address, whole, self._boxes)
        split_manifest(whole, *parts.values())
        for name, channel in channels.items():
            _refuse_mistakes(parts[name], channel.names)
        self._refuse_unlearnable(site, whole, place)
        photographs = [_name_photograph(record, place) for record in read_manifest(whole)]
        site.delivery.bring(place, {name: self._folder / name for name in photographs})
        for name, channel in channels.items():
            # The manifest is the object of this very name.
            site.delivery.bring(channel.place, {"": parts[name]})

    def _refuse_unlearnable(self, site: Site, manifest: Path, place: Place) -> None:
        """Refuse what the job would refuse of a photograph or its classes, before anything is brought."""
        classes = int(site.read_training_request(self.recipe)["HyperParameters"]["num_classes"])
        for record in read_manifest(manifest):
            name = _name_photograph(record, place)
            if beyond := [number for number in read_label(record.data, self._boxes).class_ids if number >= classes]:
                raise ManifestError(
                    f"{name}: class {beyond[0]} is not one of 0 to {classes - 1}; set num_classes of "
                    "detection.training.hyperparameters to the number of categories"
                )
            size = read_image_size(record.data[self._boxes])
            with naming(self._folder / name, ManifestError):
                photograph = (self._folder / name).read_bytes()
            try:
                is_counted_in_stored_pixels(size or (1, 1), *measure_learnt(photograph))
            except HeadraceError as error:
                raise ManifestError(f"{self._folder / name}: {error}") from error

    def _read_held_out(self, place: Place) -> Iterable[Record]:
        copy = self._scratch / "held_out.manifest"
        copy.write_bytes(place.read(""))
        return read_manifest(copy)

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Post a few of the held-out photographs."""
        asked = spread(self._held_out)
        return Answers([self._ask(site, endpoint_name, record) for record in asked])

    def _ask(self, site: Site, endpoint_name: str, record: Record) -> Prediction:
        photograph = _read_photograph(record)
        answer = site.invoke(endpoint_name, photograph, content_type=detection.CONTENT_TYPE, accept="application/json")
        return self._read_answer(record, answer)

    def bring_batch(self, site: Site, place: Place) -> None:
        """Put some of the held-out photographs there."""
        if site.delivery.find_foreign([place]):
            return
        files = {}
        for record in spread(self._held_out, IN_BATCH):
            name = _name_file(record)
            files[name] = self._scratch / "batch" / name
            files[name].parent.mkdir(parents=True, exist_ok=True)
            files[name].write_bytes(_read_photograph(record))
        site.delivery.bring(place, files)

    def read_batch(self, given: Place, answers: Place) -> list[Prediction]:
        """What was answered to a few photographs of the batch."""
        records = {_name_file(record): record for record in self._held_out}
        return [
            self._read_answer(records[name], answers.read(f"{name}.out"))
            for name in spread([name for name in sorted(given.list_files()) if name in records])
        ]

    def _read_answer(self, record: Record, answer: bytes) -> Prediction:
        """How many objects of each class the detector is sure of, and how many there are."""
        label = read_label(record.data, self._boxes)
        names = dict(zip(label.class_ids, label.class_names, strict=True)) | self._names
        found = [int(row[0]) for row in json.loads(answer)["prediction"] if row[1] >= SHOWN_SCORE]
        return Prediction(
            asked=_name_file(record), predicted=_count(found, names), actual=_count(label.class_ids, names)
        )

    @property
    def _names(self) -> dict[int, str]:
        """The names of the classes that there are in held-out photographs."""
        labels = [read_label(record.data, self._boxes) for record in self._held_out]
        return {
            number: name for label in labels for number, name in zip(label.class_ids, label.class_names, strict=True)
        }


def _refuse_mistakes(manifest: Path, names: tuple[str, ...]) -> None:
    """Refuse a manifest that a detector cannot learn from, before a job costs anything."""
    problems = list(check_manifest(manifest, attribute_names=names, task=Task.OBJECT_DETECTION))
    if problems:
        more = [f"and {len(problems) - _SHOWN_PROBLEMS} more"] if len(problems) > _SHOWN_PROBLEMS else []
        raise ManifestError("\n".join([*(f"{manifest}, {each}" for each in problems[:_SHOWN_PROBLEMS]), *more]))


def _name_photograph(record: Record, place: Place) -> str:
    return str(record.data[SOURCE_REFERENCE]).removeprefix(place.address)


def _name_file(record: Record) -> str:
    """Where it is below the photographs: in several folders there may be one of the same name."""
    return S3Address.parse(record.source).key.removeprefix(detection.PHOTOGRAPHS_PREFIX)


def _read_photograph(record: Record) -> bytes:
    address = S3Address.parse(record.source)
    return Prefix(address.bucket, address.key).read("")


def _count(classes: Iterable[int], names: Mapping[int, str]) -> str:
    """How many there are of each class, in words."""
    counts = sorted(Counter(classes).items())
    return ", ".join(f"{count} {names.get(number, f'class {number}')}" for number, count in counts) or "nothing"
