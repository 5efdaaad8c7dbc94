"""Names that the infrastructure gives and the library reads; standard library only."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

RAW_BUCKET_OUTPUT: Final = "RawBucketName"
WORK_BUCKET_OUTPUT: Final = "WorkBucketName"
EFS_OUTPUT: Final = "EfsFileSystemId"
EFS_ACCESS_POINT_OUTPUT: Final = "EfsPeopleAccessPointId"
FSX_OUTPUT: Final = "FsxFileSystemId"
ALARM_TOPIC_OUTPUT: Final = "AlarmTopicArn"
USER_POOL_OUTPUT: Final = "FrontDoorUserPoolId"
USER_POOL_CLIENT_OUTPUT: Final = "FrontDoorUserPoolClientId"
DISTRIBUTION_OUTPUT: Final = "FrontDoorDistributionName"

# What pushing container images needs of their repositories.
PUSH_ACTIONS: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:ListImages",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)

# What the policy of somebody else's key must have, in the template of the stack that would make a key.
KEY_POLICY_METADATA: Final = "headrace:KeyPolicy"

ENVIRONMENT_NAME: Final = r"^[a-z][a-z0-9]{0,15}$"

# Which environment a stack belongs to, in its template: others may give stacks a name that begins like ours.
ENVIRONMENT_METADATA: Final = "headrace:Environment"

# How the names of all stacks begin.
STACK_PREFIX: Final = "headrace-"

# The stack that AWS may refuse an account: it comes last, and no other needs it.
OBJECT_LAMBDA_STACK: Final = "ObjectLambda"

# The stage of the API in front of endpoints, with which its addresses begin.
FRONT_DOOR_STAGE: Final = "live"

# Where metrics of our own are, and what the API's log counts.
METRIC_NAMESPACE: Final = "Headrace"
THROTTLED_METRIC: Final = "FrontDoorThrottled"

# The context that says where Lambda functions are to run: "graviton", or "host" for the local cloud.
BUNDLE_TARGET_CONTEXT: Final = "bundle_target"

# Where the golden requests of workloads are in the raw bucket.
# What a file of golden requests may be called.
GOLDEN_FILE: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
GOLDEN_PREFIX: Final = "golden/"

# Where the input of transform jobs is in the raw bucket, below it by workload.
TRANSFORM_PREFIX: Final = "transform/"

# Where executions write in the work bucket, below it by workload and execution; early ones by execution alone.
EXECUTIONS_PREFIX: Final = "executions/"
# What training jobs on spot instances save, below the name of the execution, so that each attempt of that goes on with
# it; apart from what executions leave, because it expires.
CHECKPOINTS_PREFIX: Final = "checkpoints/"
# What endpoints keep of their requests and answers, below it by workload.
CAPTURED_PREFIX: Final = "captured/"
# Where reports of checks for drift are in the work bucket, below it by workload and check.
DRIFT_PREFIX: Final = "drift/"
# Where it stands in the raw bucket what turned out to be true of requests, below it by workload.
TRUTH_PREFIX: Final = "truth/"
# Where, below its own prefix, it keeps what its model was made from.
RECORD_FOLDER: Final = "record/"

# The alias of a workload's state machine by which executions are started.
LIVE_ALIAS: Final = "live"

# The tag of everything that an execution makes, with the execution's name.
EXECUTION_TAG: Final = "headrace:execution"
# The tag of a job, a model or an endpoint that says which workload it belongs to.
WORKLOAD_TAG: Final = "workload"

# What is said of an execution's end on the default event bus.
NOTICE_SOURCE: Final = "headrace.pipeline"
NOTICE_TYPE: Final = "Headrace Execution Notice"

# Where the whole raw bucket appears on the FSx for Lustre file system.
FSX_RAW_PATH: Final = "/raw"

# The keys of an execution's input; each may be left out.
JOB_NAME_INPUT: Final = "JobName"
MODEL_NAME_INPUT: Final = "ModelName"
ENDPOINT_NAME_INPUT: Final = "EndpointName"
# Deploy this approved version; make a version of this archive. An execution with one of them trains nothing.
MODEL_PACKAGE_ARN_INPUT: Final = "ModelPackageArn"
# The training channel that brings an earlier model, by the name that the built-in algorithms have for it.
MODEL_CHANNEL: Final = "model"
MODEL_DATA_URL_INPUT: Final = "ModelDataUrl"

# Stop the endpoint of the settings, or start it again, and for how long after the execution's start that may still be
# done. Known only where settings have an endpoint stopped.
ENDPOINT_ACTION_INPUT: Final = "EndpointAction"
WITHIN_SECONDS_INPUT: Final = "WithinSeconds"
# For how long it must have served the same configuration to be stopped.
UNCHANGED_SECONDS_INPUT: Final = "UnchangedSeconds"


class EndpointAction(StrEnum):
    """What is to become of an endpoint."""

    START = "START"
    STOP = "STOP"


# Where archives of models that no execution has trained are in the raw bucket, below it by workload.
ARCHIVES_PREFIX: Final = "models/"

# The context that says from which commit an app is synthesized.
COMMIT_CONTEXT: Final = "commit"
# Names, separated by commas, of workloads that are there for once with every default, where the settings have none.
ALSO_CONTEXT: Final = "also"

# Where it stands in the work bucket which execution has its turn at an endpoint: an object for each endpoint, named in
# lower case, as SageMaker ignores case. Its keys are the ARN of the execution and since when it has its turn.
TURNS_PREFIX: Final = "turns/"
TURN_EXECUTION: Final = "Execution"
TURN_SINCE: Final = "Since"

# Where it stands in the work bucket what an endpoint that can be stopped serves, or served last: an object for each
# endpoint, named in lower case.
SERVED_PREFIX: Final = "served/"


class ServedNote(StrEnum):
    """The keys of that object: the configuration, its model, that model's version or nothing, and when it was noted."""

    CONFIG = "EndpointConfigName"
    MODEL = "ModelName"
    PACKAGE = "ModelPackageArn"
    SINCE = "Since"


# The key of an execution's output that says how it has ended; an execution without one serves its model.
OUTCOME_OUTPUT: Final = "Outcome"
# The key of an execution's output that says why it has stopped or started an endpoint.
REASON_OUTPUT: Final = "Reason"
# The key of an execution's output that says where the output of its transform job is, an address of S3.
TRANSFORMED_OUTPUT: Final = "TransformedUrl"
# The key of an execution's output that lists the rules of the gate, each as a `JudgedRule`.
RULES_OUTPUT: Final = "Rules"
# Why it could not be written on the version that it serves, or has transformed a batch; empty where it was.
NOT_NOTED_OUTPUT: Final = "NotNoted"


class Outcome(StrEnum):
    """How an execution that succeeded has ended."""

    SERVING = "SERVING"
    REFUSED = "REFUSED"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    TRANSFORMED = "TRANSFORMED"
    STOPPED = "STOPPED"
    NOT_IDLE = "NOT_IDLE"
    NOTHING_TO_STOP = "NOTHING_TO_STOP"
    STARTED = "STARTED"
    STANDING = "STANDING"
    NOTHING_TO_START = "NOTHING_TO_START"


class Verdict(StrEnum):
    """What a rule of the gate says about a model."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_MEASURED = "NOT_MEASURED"
    NOT_COMPARED = "NOT_COMPARED"


# The threshold of a rule that compares a metric with that of the version that serves.
SERVING_THRESHOLD: Final = "serving"


class VersionFact(StrEnum):
    """What is known of a version, as keys of its CustomerMetadataProperties.

    The values are texts of at most 256 characters. Metrics and hyperparameters have keys of their own, made of a prefix
    and their name; where there are more than 50 facts, hyperparameters are left out.

    They are of the execution that made it: its name, the endpoint that it is for, its training job, the version that
    served then (an ARN), the fingerprint of the data, where its record is, the commit that was deployed, the container
    images as `STEP@sha256:…`, whether a person approves it (`human` or `auto`), the container image that serves it, by
    its URI, and which archive it was made of: S3's ETag of that and, in a bucket with versions, the ID of its version.
    `SERVED` says when it last began to serve; where it served has facts of its own, which `SERVED_AT_FACT` begins.
    `TRANSFORMED` says when it last had transformed a batch. A version that was promoted has besides the ARN of the one,
    in another environment, that it was made from.
    """

    EXECUTION = "headrace:execution"
    ENDPOINT = "headrace:endpoint"
    JOB = "headrace:job"
    PARENT = "headrace:parent"
    FINGERPRINT = "headrace:fingerprint"
    RECORD = "headrace:record"
    COMMIT = "headrace:commit"
    IMAGES = "headrace:images"
    APPROVAL = "headrace:approval"
    ARCHIVE = "headrace:archive"
    CONTAINER_IMAGE = "headrace:container-image"
    SERVED = "headrace:served"
    TRANSFORMED = "headrace:transformed"
    ORIGIN = "headrace:origin"


# What an execution believes of a version that it is to serve, or a check for drift of the one that serves, besides its
# metrics and where it has served. Those who approve versions may write none of it.
BELIEVED_FACTS: Final = (
    VersionFact.APPROVAL,
    VersionFact.ARCHIVE,
    VersionFact.CONTAINER_IMAGE,
    VersionFact.ENDPOINT,
    VersionFact.FINGERPRINT,
    VersionFact.RECORD,
    VersionFact.SERVED,
    VersionFact.TRANSFORMED,
)
METRIC_FACT: Final = "metric:"
HYPERPARAMETER_FACT: Final = "hyperparameter:"
# Since when it serves, or did, at an endpoint, whose name follows in lower case, as SageMaker ignores case. It is
# believed only of a version that has `SERVED`, because IAM knows no facts by how their names begin.
SERVED_AT_FACT: Final = "headrace:served-at:"
# How many facts SageMaker lets a version have, and how many it is made with: some are left for where it will serve.
MOST_FACTS: Final = 50
MOST_FACTS_MADE: Final = 46
# The fingerprint of data that the training program has not recorded.
NOT_RECORDED: Final = "not recorded"


def find_served_since(facts: Mapping[str, str], endpoint: str) -> str:
    """Since when a version serves, or did, at an endpoint, as its facts say; empty if it never has.

    A version of before this was noted has served at the endpoint that it was made for.
    """
    if endpoint.lower() not in list_served_places(facts):
        return ""
    return facts.get(f"{SERVED_AT_FACT}{endpoint.lower()}", "") or facts[VersionFact.SERVED]


def list_served_places(facts: Mapping[str, str]) -> list[str]:
    """The endpoints at which a version has served, in lower case."""
    if VersionFact.SERVED not in facts:
        return []
    noted = [name.removeprefix(SERVED_AT_FACT) for name in facts if name.startswith(SERVED_AT_FACT)]
    home = facts.get(VersionFact.ENDPOINT, "").lower()
    return noted or ([home] if home else [])


class JudgedRule(StrEnum):
    """The keys of a rule in an execution's output.

    There is no value or limit where the metric that it would come from is not a number, or where no model serves that
    it could be compared with; the reason says so.
    """

    METRIC = "Metric"
    DIRECTION = "Direction"
    THRESHOLD = "Threshold"
    MARGIN = "Margin"
    VALUE = "Value"
    LIMIT = "Limit"
    VERDICT = "Verdict"
    REASON = "Reason"


def default_tags(environment: str) -> dict[str, str]:
    """The tags of everything of an environment where its settings name no others."""
    return {"project": "headrace", "environment": environment}


def default_endpoint_name(environment: str, workload: str) -> str:
    """The endpoint of a workload where the settings name none; two environments may share an account."""
    return f"headrace-{environment}-{workload}"


class RollbackAlarm(StrEnum):
    """What the alarms watch that roll an update of an endpoint back, as their names end."""

    ERRORS = "endpoint-errors"
    LATENCY = "endpoint-latency"
    CONTAINER = "container-errors"
    GOLDEN = "golden-requests"


class EndpointAlarm(StrEnum):
    """What the alarms watch that say how an endpoint does, as their names end."""

    IDLE = "idle"
    IDLE_STOP = "idle-stop"
    ERRORS = "errors"
    LATENCY = "latency"


class DriftAlarm(StrEnum):
    """What the alarms watch that checks for drift set off, as their names end."""

    DRIFT = "drift"
    MISSING = "drift-checks"


WorkloadAlarm = RollbackAlarm | EndpointAlarm | DriftAlarm


def promoted_prefix(workload: str) -> str:
    """Where versions that were promoted have their archives and records in the raw bucket; below it, by version."""
    return f"{ARCHIVES_PREFIX}{workload}/promoted/"


def executions_prefix(workload: str) -> str:
    """Where the executions of a workload write in the work bucket; below it, by execution."""
    return f"{EXECUTIONS_PREFIX}{workload}/"


def checkpoints_prefix(workload: str) -> str:
    """Where a workload's training keeps what it has done so far, in the work bucket; below it, by execution.

    Args:
        workload: The workload.
    """
    return f"{CHECKPOINTS_PREFIX}{workload}/"


def captured_prefix(workload: str) -> str:
    """Where the endpoints of a workload keep requests and answers in the work bucket; below it, by endpoint."""
    return f"{CAPTURED_PREFIX}{workload}/"


def drift_prefix(workload: str) -> str:
    """Where the reports of a workload's checks for drift are in the work bucket; below it, by check."""
    return f"{DRIFT_PREFIX}{workload}/"


def truth_prefix(workload: str) -> str:
    """Where it stands in the raw bucket what turned out to be true of a workload's requests."""
    return f"{TRUTH_PREFIX}{workload}/"


def golden_prefix(workload: str) -> str:
    """Where the golden requests of a workload are in the raw bucket."""
    return f"{GOLDEN_PREFIX}{workload}/"


def transform_prefix(workload: str) -> str:
    """Where the input of a workload's transform jobs is in the raw bucket."""
    return f"{TRANSFORM_PREFIX}{workload}/"


def alarm_name(environment: str, workload: str, kind: WorkloadAlarm) -> str:
    """An alarm of a workload."""
    return f"headrace-{environment}-{workload}-{kind}"


def model_package_group_name(environment: str, workload: str) -> str:
    """The model package group that has the versions of a workload's model."""
    return f"headrace-{environment}-{workload}"


def dashboard_name(environment: str) -> str:
    """The page of CloudWatch that shows how an environment does."""
    return f"headrace-{environment}"


def front_door_name(environment: str) -> str:
    """The API in front of an environment's endpoints, which its metrics are named after."""
    return f"headrace-{environment}"


def alarm_topic_name(environment: str) -> str:
    """The topic that an environment's alarms publish to."""
    return f"headrace-{environment}-alarms"


def belongs_to(environment: str, template: object) -> bool:
    """Whether a stack's template says that it is an environment's; one in YAML is not CDK's."""
    metadata = template.get("Metadata") if isinstance(template, Mapping) else None
    return isinstance(metadata, Mapping) and metadata.get(ENVIRONMENT_METADATA) == environment


def stack_name(environment: str, stack: str) -> str:
    """The name in CloudFormation of one stack of an environment."""
    return f"{STACK_PREFIX}{environment}-{stack.lower()}"
