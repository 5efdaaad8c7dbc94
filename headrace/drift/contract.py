"""Names that those who have drift checked and the job that checks it share; standard library only."""

from enum import StrEnum
from typing import Final

# The module of a preprocessing container image's package that checks, and its arguments: between which times a request
# counts, and as the options of `headrace drift check`.
CHECK_MODULE: Final = "drift_check"
SINCE_ARGUMENT: Final = "--since"
UNTIL_ARGUMENT: Final = "--until"
THRESHOLD_ARGUMENT: Final = "--threshold"
MIN_ROWS_ARGUMENT: Final = "--min-rows"
TITLE_ARGUMENT: Final = "--title"

# Below the root of SageMaker: the profile of the version that serves, folders of captured requests, what turned out to
# be true where anything is known of that, and the report.
PROFILE_FOLDER: Final = "processing/profile"
CAPTURED_FOLDER: Final = "processing/captured"
TRUTH_FOLDER: Final = "processing/truth"
REPORT_FOLDER: Final = "processing/report"
PAGE_FILE: Final = "report.html"
DOCUMENT_FILE: Final = "report.json"

# The key of an execution's input with the time at which what is checked ends; the execution's start if it is left out.
TIME_INPUT: Final = "Time"
# The verdict where there is nothing to compare with.
NOT_COMPARED: Final = "not compared"


class Verdict(StrEnum):
    """What is said of a column, or of the whole."""

    STEADY = "steady"
    DRIFTED = "drifted"
    TOO_FEW = "too few"


class Finding(StrEnum):
    """The keys of what a check has found: the job's message, and with more of them the execution's output.

    The verdict, why there is none, the largest index of a column of which something can be said, how many columns have
    drifted and the first of them by name, how many requested rows there were, and how good the answers were to the rows
    whose truth is known.
    """

    VERDICT = "Verdict"
    REASON = "Reason"
    INDEX = "Index"
    COUNT = "DriftedColumns"
    COLUMNS = "Columns"
    ROWS = "Rows"
    QUALITY = "Quality"
    REPORT = "Report"
    RETRAINING = "Retraining"


NAMESPACE: Final = "Headrace"
ENVIRONMENT_DIMENSION: Final = "Environment"
WORKLOAD_DIMENSION: Final = "Workload"


class Metric(StrEnum):
    """What is published of each check; the last two only where something can be said."""

    CHECKS = "DriftChecks"
    ROWS = "DriftRows"
    COLUMNS = "DriftedColumns"
    INDEX = "DriftIndex"
