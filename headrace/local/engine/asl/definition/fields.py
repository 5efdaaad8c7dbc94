"""Which fields states have, in each query language."""

from collections.abc import Mapping
from typing import Final

from headrace.local.engine.asl.languages import JSONATA, JSONPATH

# https://states-language.net/spec.html#table-of-state-types-and-fields-jsonpath
_OF_ALL: Final = frozenset({"Type", "Comment", "QueryLanguage"})
_WAYS: Final = frozenset({"Next", "End"})
_TRIES: Final = frozenset({"Retry", "Catch"})
_OF_MAPS: Final = frozenset(
    {
        "ItemProcessor",
        "Iterator",
        "ItemReader",
        "ItemSelector",
        "ItemBatcher",
        "ResultWriter",
        "MaxConcurrency",
        "ToleratedFailureCount",
        "ToleratedFailurePercentage",
        "Label",
    }
)
_OF_MAPS_BY_PATH: Final = frozenset(
    {"ItemsPath", "MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath"}
)
_OF_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "Pass": _WAYS | {"Assign"},
    "Succeed": frozenset(),
    "Fail": frozenset({"Error", "Cause"}),
    "Choice": frozenset({"Choices", "Default", "Assign"}),
    "Wait": _WAYS | {"Seconds", "Timestamp", "Assign"},
    "Task": _WAYS | _TRIES | {"Resource", "TimeoutSeconds", "HeartbeatSeconds", "Credentials", "Assign"},
    "Parallel": _WAYS | _TRIES | {"Branches", "Assign"},
    "Map": _WAYS | _TRIES | _OF_MAPS | {"Assign"},
}
_IN_AND_OUT: Final = frozenset({"InputPath", "OutputPath"})
_RESULTS: Final = frozenset({"Parameters", "ResultSelector", "ResultPath"})
_OF_JSONPATH: Final[Mapping[str, frozenset[str]]] = {
    "Pass": _IN_AND_OUT | {"Parameters", "Result", "ResultPath"},
    "Succeed": _IN_AND_OUT,
    "Fail": frozenset({"ErrorPath", "CausePath"}),
    "Choice": _IN_AND_OUT,
    "Wait": _IN_AND_OUT | {"SecondsPath", "TimestampPath"},
    "Task": _IN_AND_OUT | _RESULTS | {"TimeoutSecondsPath", "HeartbeatSecondsPath"},
    "Parallel": _IN_AND_OUT | _RESULTS,
    "Map": _IN_AND_OUT | _RESULTS | _OF_MAPS_BY_PATH,
}
_OF_JSONATA: Final[Mapping[str, frozenset[str]]] = {
    "Pass": frozenset({"Output"}),
    "Succeed": frozenset({"Output"}),
    "Fail": frozenset(),
    "Choice": frozenset({"Output"}),
    "Wait": frozenset({"Output"}),
    "Task": frozenset({"Arguments", "Output"}),
    "Parallel": frozenset({"Arguments", "Output"}),
    "Map": frozenset({"Items", "Output"}),
}

TYPES: Final = frozenset(_OF_TYPES)
ENDING: Final = frozenset({"Succeed", "Fail"})
MACHINE: Final = frozenset({"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"})
PROCESSOR: Final = frozenset({"Comment", "ProcessorConfig", "QueryLanguage", "StartAt", "States"})
ONLY_DISTRIBUTED: Final = frozenset({name for name in _OF_MAPS if name.startswith(("Tolerated", "Label"))}) | {
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
}


def list_fields(kind: str, language: str) -> frozenset[str]:
    """The fields that a type of states may have."""
    further: Mapping[str, Mapping[str, frozenset[str]]] = {JSONATA: _OF_JSONATA, JSONPATH: _OF_JSONPATH}
    return _OF_ALL | _OF_TYPES[kind] | further[language][kind]
