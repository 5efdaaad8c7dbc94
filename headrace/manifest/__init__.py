"""Manifests: images or texts and their labels, a JSON line each; `headrace.manifest.records` has the format."""

from headrace.manifest.checking import Task, check_manifest
from headrace.manifest.coco import BadBoxes, Conversion, convert_coco, convert_to_coco
from headrace.manifest.conversion import (
    convert_folders,
    convert_list,
    convert_to_list,
    expand_manifest,
)
from headrace.manifest.drawing import draw_statistics
from headrace.manifest.editing import Selection, filter_manifest, merge_manifests, split_manifest
from headrace.manifest.records import ManifestError, Record, read_manifest, write_manifest
from headrace.manifest.statistics import Statistics, count_manifest

__all__ = [
    "BadBoxes",
    "Conversion",
    "ManifestError",
    "Record",
    "Selection",
    "Statistics",
    "Task",
    "check_manifest",
    "convert_coco",
    "convert_folders",
    "convert_list",
    "convert_to_coco",
    "convert_to_list",
    "count_manifest",
    "draw_statistics",
    "expand_manifest",
    "filter_manifest",
    "merge_manifests",
    "read_manifest",
    "split_manifest",
    "write_manifest",
]
