"""What docs/settings.md says of changing a setting is what the templates before and after the change show."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, get_args

import pytest

from headrace.assemblies import Assembly
from headrace.assemblies.assembly import Name, list_resources
from headrace.changes import make_plan
from headrace.changes.world import World
from headrace.recipes import list_recipes, list_usual_recipes
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from stacks.settings.section import NEXT_EXECUTION, NO_EFFECT, Change
from stacks.settings.table import Row, list_settings
from tests.stacks.conftest import SWITCHES, context_of, set_path
from tests.stacks.synthesis import read_synthesized
from tests.tables import mark_full

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# These algorithms have one version, which null stands for already.
UNCHANGEABLE = {
    ("environment",),
    ("forecasting", "version"),
    ("resnet", "version"),
    ("linearlearner", "version"),
    ("blazingtext", "version"),
    ("seq2seq", "version"),
    ("detection", "version"),
    # Another kind of channel has other settings, too.
    *((workload, "training", "channels[]", "data_type") for workload in ("detection", "images", "resnet")),
    # They are about streams, and the light classifier reads files.
    *(("images", "training", "channels[]", key) for key in ("attribute_names", "record_wrapper", "shuffle_seed")),
}
SETTINGS = {".".join(row.path): row for row in list_settings() if row.path not in UNCHANGEABLE}
FORESTS = {"metric": "validation:rmse", "direction": "at_most", "threshold": "baseline:rmse"}
CLASSIFIERS = {"metric": "validation:accuracy", "direction": "at_least", "threshold": "baseline:accuracy"}
DETECTORS = {"metric": "validation:mAP", "direction": "at_least", "threshold": "baseline:mAP"}
FORECASTS = {"metric": "test:smape", "direction": "at_most", "threshold": "baseline:smape"}
TRANSLATIONS = {"metric": "validation:bleu", "direction": "at_least", "threshold": "baseline:bleu"}
RANGES = {
    "metric": "validation:multiclass_accuracy",
    "direction": "at_least",
    "threshold": "baseline:multiclass_accuracy",
}
WORKLOADS = (
    "bigmart",
    "images",
    "xgboost",
    "forecasting",
    "resnet",
    "linearlearner",
    "blazingtext",
    "seq2seq",
    "detection",
)
# An update that something can be changed of.
GUARDED: Mapping[str, Any] = {
    "instance_count": 10,
    "metrics_seconds": 10,
    "update": {
        "traffic": "canary",
        "canary_percent": 40,
        "wait_seconds": 120,
        "alarms": {"error_percent": 2.0, "latency_milliseconds": 250},
    },
    "golden": {},
    "capture": {"days": 14},
    "keep_versions": 5,
}
# What there is of each workload's endpoint.
GUARDS: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(WORKLOADS, GUARDED),
    "bigmart": {**GUARDED, "drift": {}},
}
# Whatever a setting can be about is there.
EVERYTHING: Mapping[str, Any] = {
    **SWITCHES["key"],
    **SWITCHES["alarms"],
    **SWITCHES["efs"],
    **SWITCHES["fsx"],
    **SWITCHES["private-notebook"],
    "notebook.direct_internet": True,
    "normalizer.consumers": [{"name": "training", "options": {}}, {"name": "labelling", "options": {}}],
    "bigmart.gate.rules": [{**FORESTS, "margin": 0.1}],
    "images.gate.rules": [{**CLASSIFIERS, "margin": 0.1}],
    "xgboost": {},
    "xgboost.gate.rules": [{**CLASSIFIERS, "margin": 0.1}],
    "forecasting": {},
    "forecasting.gate.rules": [{**FORECASTS, "margin": 0.1}],
    "resnet": {},
    "resnet.training.channels": [{"name": "train_lst", "source": "s3", "path": "resnet/lists/train/"}],
    "resnet.gate.rules": [{**CLASSIFIERS, "margin": 0.1}],
    "linearlearner": {},
    "blazingtext": {},
    "blazingtext.training.hyperparameters": {"mode": "supervised"},
    "blazingtext.gate.rules": [{**CLASSIFIERS, "margin": 0.1}],
    "seq2seq": {},
    "seq2seq.gate.rules": [{**TRANSLATIONS, "margin": 0.1}],
    "detection": {},
    "detection.gate.rules": [{**DETECTORS, "margin": 0.1}],
    "linearlearner.gate.rules": [{**RANGES, "margin": 0.1}],
    **{f"{workload}.endpoint.{key}": value for workload, guards in GUARDS.items() for key, value in guards.items()},
    **SWITCHES["spot"],
    "xgboost.training.spot": {},
    "forecasting.training.spot": {},
    "resnet.training.spot": {},
    "linearlearner.training.spot": {},
    "blazingtext.training.spot": {},
    "seq2seq.training.spot": {},
    "detection.training.spot": {},
}
OPTIONAL = {recipe.name for recipe in list_recipes() if recipe.is_optional}
DOCUMENTS: Mapping[str, Any] = {"features": ["tables"]}
NETWORK: Mapping[str, Any] = SWITCHES["existing-network"]["network.existing"]
IN_EXISTING_NETWORK: Mapping[str, Any] = {"network.existing": NETWORK, "network.interface_endpoints": []}
TRAINED = {"name": "train_lst", "source": "s3", "path": "images/lists/train/"}
BOXES = {
    "name": "train",
    "source": "s3",
    "path": "detection/street.manifest",
    "data_type": "augmented_manifest",
    "objects": "detection/photographs/",
    "attribute_names": ["source-ref", "bounding-box"],
    "input_mode": "Pipe",
    "record_wrapper": "RecordIO",
}
LISTED = {
    "name": "train",
    "source": "s3",
    "path": "images/part.json",
    "data_type": "manifest",
    "objects": "images/all/",
}
CLASSES = {
    **BOXES,
    "path": "resnet/train.manifest",
    "objects": "resnet/photographs/",
    "attribute_names": ["source-ref", "class"],
}
WRAPPED = {"name": "train", "source": "s3", "path": "resnet/records/", "input_mode": "Pipe"}
# What else must be so, before and after, for a change of a setting to be possible or to matter.
GIVEN: Mapping[str, Mapping[str, Any]] = {
    **{setting: IN_EXISTING_NETWORK for setting in SETTINGS if setting.startswith("network.existing.")},
    "region": {"region": "eu-west-1"},
    **{
        f"{workload}.endpoint.update.{key}": {f"{workload}.endpoint.update.{other}": value}
        for workload in WORKLOADS
        for key, other, value in (("step_percent", "traffic", "linear"), ("alarms", "traffic", "all_at_once"))
    },
    **{
        setting: {
            **{f"{workload}.endpoint.{key}": ... for key in GUARDS[workload]},
            **({} if setting.endswith(".deploy") else {f"{workload}.deploy": "batch"}),
        }
        for workload in WORKLOADS
        for setting in SETTINGS
        if setting == f"{workload}.deploy" or setting.startswith(f"{workload}.transform.")
    },
    **{
        setting: {
            "encryption.customer_key": False,
            **{f"{workload}.endpoint.{key}": ... for key in GUARDS[workload]},
            f"{workload}.endpoint.serverless": {"max_concurrency": 10, "provisioned_concurrency": 1},
        }
        for workload in WORKLOADS
        for setting in SETTINGS
        if setting.startswith(f"{workload}.endpoint.serverless")
    },
    **{
        setting: {
            **{f"{workload}.endpoint.{key}": ... for key in GUARDS[workload]},
            f"{workload}.endpoint.instance_count": 2,
            f"{workload}.endpoint.scaling": {
                "max_instances": 3,
                "schedules": [{"at": "rate(1 day)", "min_instances": 1, "max_instances": 3}],
            },
        }
        for workload in WORKLOADS
        for setting in SETTINGS
        if setting.startswith(f"{workload}.endpoint.scaling")
    },
    "bigmart.endpoint.capture": {"bigmart.endpoint.drift": ...},
    **{
        setting: {f"{workload}.endpoint.hours": {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"}}
        for workload in WORKLOADS
        for setting in SETTINGS
        if setting.startswith(f"{workload}.endpoint.hours")
    },
    **{
        setting: SWITCHES["front-door"]
        for setting in SETTINGS
        if setting.startswith(("front_door", "alarms.front_door"))
    },
    **{setting: {"documents": DOCUMENTS} for setting in SETTINGS if setting.startswith("documents")},
    **{
        setting: {"documents": {"classifier": {}}} for setting in SETTINGS if setting.startswith("documents.classifier")
    },
    "documents.questions": {"documents": {"features": ["queries"], "questions": ["What is the total?"]}},
    "front_door.authorization": {"front_door": {"workloads": ["bigmart"], "authorization": "cognito"}},
    "front_door.web_acl": {"front_door": {"workloads": ["bigmart"]}},
    "xgboost.engine": {"xgboost.endpoint.golden": ..., "xgboost.gate.rules": []},
    "xgboost.version": {"xgboost.endpoint.golden": ..., "xgboost.gate.rules": [], "xgboost.engine": "sagemaker"},
    "blazingtext.engine": {"blazingtext.endpoint.golden": ..., "blazingtext.gate.rules": []},
    "linearlearner.engine": {"linearlearner.endpoint.golden": ..., "linearlearner.gate.rules": []},
    "forecasting.engine": {"forecasting.endpoint.golden": ..., "forecasting.gate.rules": []},
    "seq2seq.engine": {
        "seq2seq.endpoint.golden": ...,
        "seq2seq.gate.rules": [],
        "seq2seq.training.instance_type": "ml.g5.xlarge",
    },
    "resnet.engine": {
        "resnet.endpoint.golden": ...,
        "resnet.gate.rules": [],
        "resnet.training.instance_type": "ml.g5.xlarge",
    },
    "resnet.training.instance_count": {"resnet.training.content_type": "application/x-headrace-packed"},
    "xgboost.training.instance_count": {"xgboost.preprocessing.train_files": 2},
    "detection.engine": {
        "detection.endpoint.golden": ...,
        "detection.gate.rules": [],
        "detection.training.instance_type": "ml.g5.xlarge",
    },
    # Files of records may come from anywhere, and in two ways.
    **{
        setting: {
            "detection.training.content_type": "application/x-recordio",
            "detection.training.channels": [{"name": "train", "source": source, "path": path}],
        }
        for key, source, path in (
            ("name", "s3", "detection/records/"),
            ("source", "s3", "detection/records/"),
            ("path", "s3", "detection/records/"),
            ("input_mode", "s3", "detection/records/"),
            ("distribution", "s3", "detection/records/"),
            ("access", "efs", "/records"),
        )
        for setting in [f"detection.training.channels[].{key}"]
    },
    **{
        f"detection.training.channels[].{key}": {"detection.training.channels": [BOXES]}
        for key in ("objects", "attribute_names", "shuffle_seed")
    },
    "detection.training.channels[].record_wrapper": {
        "detection.engine": "sagemaker",
        "detection.endpoint.golden": ...,
        "detection.gate.rules": [],
        "detection.training.instance_type": "ml.g5.xlarge",
        "detection.training.content_type": "application/x-recordio",
        "detection.training.channels": [
            {"name": "train", "source": "s3", "path": "detection/records/", "input_mode": "Pipe"}
        ],
    },
    "images.training.channels[].objects": {"images.training.channels": [LISTED], "images.training.normalized": ...},
    **{
        f"resnet.training.channels[].{key}": {"resnet.training.channels": [CLASSES]}
        for key in ("objects", "attribute_names", "shuffle_seed")
    },
    "resnet.training.channels[].record_wrapper": {
        "resnet.engine": "sagemaker",
        "resnet.endpoint.golden": ...,
        "resnet.gate.rules": [],
        "resnet.training.instance_type": "ml.g5.xlarge",
        "resnet.training.content_type": "application/x-recordio",
        "resnet.training.channels": [WRAPPED],
    },
    "network.existing": {"network.interface_endpoints": []},
    "encryption.existing_key": {"encryption.customer_key": False},
    "storage.existing_work_bucket": {"encryption.customer_key": False},
    "people.enabled": {"people.enabled": True},
    "people.mfa": {"people.enabled": True},
    "people.promotion_roles": {"people.enabled": True},
    "people.separate_approval": {
        "people.enabled": True,
        "people.separate_approval": True,
        **{f"{recipe.name}.approval.mode": "human" for recipe in list_usual_recipes()},
    },
    "normalizer.function_url": {
        "normalizer.object_lambda": True,
        "images.training.normalized.through": "object_lambda",
    },
    "normalizer.object_lambda": {"normalizer.object_lambda": True},
    "normalizer.consumers[].object_lambda_name": {"normalizer.object_lambda": True},
    "images.training.normalized.through": {"normalizer.object_lambda": True},
    "normalizer.consumers[].options": {"normalizer.object_lambda": True},
    "normalizer.consumers[].transformation": {"normalizer.consumers[].transformation": "text"},
    # Through the function URL, all consumers have the same door.
    "images.training.normalized.consumer": {
        "normalizer.object_lambda": True,
        "images.training.normalized.through": "object_lambda",
    },
    "file_systems.fsx.per_run": {
        "images.training.channels": SWITCHES["fsx-per-run"]["images.training.channels"],
        "images.training.normalized": ...,
    },
    "images.training.channels[].access": {
        "images.training.channels": [{"name": "train_lst", "source": "efs", "path": "/lists"}],
        "images.training.normalized": ...,
    },
    "resnet.training.channels[].access": {
        "resnet.training.channels": [{"name": "train_lst", "source": "efs", "path": "/lists"}]
    },
}
# Another value, where none follows from the type.
OTHERS: Mapping[str, Any] = {
    "region": "eu-central-1",
    "tags": {"project": "other"},
    "alarms": ...,
    "alarms.email": "others@example.com",
    "alarms.endpoints": ...,
    "alarms.file_systems": ...,
    "alarms.front_door": ...,
    "documents": ...,
    "documents.classifier": ...,
    "documents.classifier.keep_versions": 2,
    "documents.classifier.language": "de",
    "documents.classifier.mode": "multi_label",
    "documents.features": ["tables", "forms"],
    "documents.insights": ["syntax"],
    "documents.language": "de",
    "documents.questions": ["Who has signed?"],
    "front_door": ...,
    "front_door.authorization": "iam",
    "front_door.cloudfront": ...,
    "front_door.cloudfront.certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/"
    "1234abcd-12ab-34cd-56ef-1234567890ac",
    "front_door.cloudfront.domain_name": "models.example.com",
    "front_door.largest_body_kb": 16,
    "front_door.user_pool": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12Cd34E",
    "front_door.workloads": ["bigmart"],
    "alarms.budget": ...,
    "permissions_boundary": "TeamBoundary",
    **{f"cost.{scenario}": {"executions": 8} for scenario in ("low", "moderate", "high")},
    **{setting: SWITCHES["existing"][setting] for setting in SETTINGS if ".existing_" in setting},
    "registry.existing": SWITCHES["existing"]["registry.existing"],
    "bigmart.training.hyperparameters": {"n_estimators": 5},
    **{f"{workload}.endpoint.serverless": ... for workload in WORKLOADS},
    **{f"{workload}.endpoint.serverless.memory_mb": 4096 for workload in WORKLOADS},
    **{f"{workload}.endpoint.serverless.provisioned_concurrency": 2 for workload in WORKLOADS},
    **{f"{workload}.endpoint.scaling": ... for workload in WORKLOADS},
    **{f"{workload}.endpoint.scaling.schedules": [] for workload in WORKLOADS},
    **{f"{workload}.endpoint.scaling.schedules[].at": "rate(2 days)" for workload in WORKLOADS},
    **{f"{workload}.endpoint.scaling.schedules[].timezone": "Asia/Tokyo" for workload in WORKLOADS},
    **{f"{workload}.endpoint.idle_stop_days": 3 for workload in WORKLOADS},
    **{f"{workload}.endpoint.hours": ... for workload in WORKLOADS},
    **{f"{workload}.endpoint.hours.start": "cron(0 8 * * ? *)" for workload in WORKLOADS},
    **{f"{workload}.endpoint.hours.stop": "cron(0 20 * * ? *)" for workload in WORKLOADS},
    **{f"{workload}.endpoint.hours.timezone": "Asia/Tokyo" for workload in WORKLOADS},
    **{f"{workload}.start.schedule": "rate(7 days)" for workload in WORKLOADS},
    "bigmart.endpoint.drift": ...,
    "bigmart.endpoint.drift.schedule": "rate(12 hours)",
    "bigmart.endpoint.drift.timezone": "Asia/Tokyo",
    "bigmart.endpoint.name": "shop",
    "bigmart.endpoint.update.alarms": ...,
    "bigmart.endpoint.golden": ...,
    "bigmart.endpoint.golden.requests": "other.jsonl",
    **{f"{workload}.transform.input": "other/" for workload in WORKLOADS},
    "bigmart.gate.rules": [],
    "bigmart.gate.rules[].metric": "train:rmse",
    "bigmart.gate.rules[].threshold": 1000,
    "images.gate.rules": [],
    "images.gate.rules[].metric": "validation:f1",
    "images.gate.rules[].threshold": 0.9,
    "images.training.hyperparameters": {"alpha": 1},
    "images.training.channels": [TRAINED],
    "images.training.channels[].name": "other_lst",
    "images.training.channels[].path": "images/lists/other/",
    "images.training.normalized": ...,
    "images.training.normalized.consumer": "labelling",
    "images.training.normalized.prefix": "images/other/",
    "images.training.normalized.options": {"width": "64", "colour": "rgb"},
    **{f"{workload}.endpoint.capture": ... for workload in WORKLOADS},
    **{f"{workload}.endpoint.capture.days": 30 for workload in WORKLOADS},
    **{f"{workload}.training.spot": ... for workload in WORKLOADS},
    **{f"{workload}.training.spot.checkpoint_days": 30 for workload in WORKLOADS},
    "images.endpoint.name": "shop",
    "xgboost": ...,
    "xgboost.version": "3.0-5",
    "resnet": ...,
    "resnet.training.hyperparameters": {"num_classes": 2, "num_training_samples": 9, "num_layers": 18},
    "resnet.training.channels": [{"name": "train", "source": "s3", "path": "resnet/photographs/"}],
    "resnet.training.channels[].name": "other_lst",
    "resnet.training.channels[].path": "resnet/lists/other/",
    "resnet.training.channels[].objects": "resnet/others/",
    "resnet.training.channels[].attribute_names": ["source-ref", "kind"],
    "resnet.training.channels[].shuffle_seed": 7,
    "images.training.channels[].objects": "images/others/",
    "resnet.training.continue_from": 3,
    "resnet.gate.rules": [],
    "resnet.gate.rules[].metric": "train:accuracy",
    "resnet.gate.rules[].threshold": 0.9,
    "resnet.endpoint.name": "shop",
    "resnet.endpoint.update.alarms": ...,
    "resnet.endpoint.golden": ...,
    "resnet.endpoint.golden.requests": "other.jsonl",
    "forecasting": ...,
    "forecasting.training.hyperparameters": {"epochs": 5},
    "forecasting.gate.rules": [],
    "forecasting.gate.rules[].metric": "test:RMSE",
    "forecasting.gate.rules[].threshold": 0.9,
    "forecasting.endpoint.name": "shop",
    "forecasting.endpoint.update.alarms": ...,
    "forecasting.endpoint.golden": ...,
    "forecasting.endpoint.golden.requests": "other.jsonl",
    "xgboost.training.hyperparameters": {"num_round": 5},
    "xgboost.gate.rules": [],
    "xgboost.gate.rules[].metric": "validation:f1",
    "xgboost.gate.rules[].threshold": 0.9,
    "xgboost.endpoint.name": "shop",
    "xgboost.endpoint.update.alarms": ...,
    "xgboost.endpoint.golden": ...,
    "xgboost.endpoint.golden.requests": "other.jsonl",
    "blazingtext": ...,
    "blazingtext.training.hyperparameters": {"mode": "supervised", "epochs": 5},
    "blazingtext.gate.rules": [],
    "blazingtext.gate.rules[].metric": "train:accuracy",
    "blazingtext.gate.rules[].threshold": 0.9,
    "blazingtext.endpoint.name": "shop",
    "blazingtext.endpoint.update.alarms": ...,
    "blazingtext.endpoint.golden": ...,
    "blazingtext.endpoint.golden.requests": "other.jsonl",
    "seq2seq": ...,
    "seq2seq.training.hyperparameters": {"max_num_epochs": 5},
    "seq2seq.gate.rules": [],
    "seq2seq.gate.rules[].metric": "validation:accuracy",
    "seq2seq.gate.rules[].threshold": 0.9,
    "seq2seq.endpoint.name": "shop",
    "seq2seq.endpoint.update.alarms": ...,
    "seq2seq.endpoint.golden": ...,
    "seq2seq.endpoint.golden.requests": "other.jsonl",
    "detection": ...,
    "detection.training.hyperparameters": {"num_classes": 2, "num_training_samples": 9},
    "detection.training.channels": [BOXES],
    "detection.training.channels[].objects": "detection/others/",
    "detection.training.channels[].attribute_names": ["source-ref", "boxes"],
    "detection.training.channels[].shuffle_seed": 7,
    "detection.gate.rules": [],
    "detection.gate.rules[].metric": "baseline:mAP",
    "detection.gate.rules[].threshold": 0.9,
    "detection.endpoint.name": "shop",
    "detection.endpoint.update.alarms": ...,
    "detection.endpoint.golden": ...,
    "detection.endpoint.golden.requests": "other.jsonl",
    "linearlearner": ...,
    "linearlearner.training.hyperparameters": {"epochs": 5},
    "linearlearner.gate.rules": [],
    "linearlearner.gate.rules[].metric": "validation:macro_f_beta",
    "linearlearner.gate.rules[].threshold": 0.9,
    "linearlearner.endpoint.name": "shop",
    "linearlearner.endpoint.update.alarms": ...,
    "linearlearner.endpoint.golden": ...,
    "linearlearner.endpoint.golden.requests": "other.jsonl",
    "images.endpoint.update.alarms": ...,
    "images.endpoint.golden": ...,
    "images.endpoint.golden.requests": "other.jsonl",
    "network.cidr": "10.50.0.0/16",
    "network.interface_endpoints": ["sagemaker.api", "logs"],
    "network.existing": NETWORK,
    "network.existing.vpc_id": "vpc-0123456789abcdef1",
    "network.existing.cidr": "10.1.0.0/16",
    "network.existing.availability_zones": ["eu-west-1b", "eu-west-1c"],
    "network.existing.subnet_ids": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    "network.existing.route_table_ids": ["rtb-0123456789abcdef2", "rtb-0123456789abcdef3"],
    "people.promotion_roles": ["arn:aws:iam::210987654321:role/headrace-promotion"],
    "file_systems.efs.client_groups": ["sg-0123456789abcdef0"],
    "file_systems.fsx.capacity_gib": 2400,
    "file_systems.fsx.throughput_mb_per_tib": 250,
    "file_systems.fsx.import_events": ["NEW"],
    "file_systems.fsx.export_events": ["NEW"],
    "notebook.repository_url": "https://github.com/example/other.git",
    "notebook.repository_secret_arn": ...,
    "normalizer.bulk": ...,
    "normalizer.consumers": [{"name": "training", "options": {}}],
    "normalizer.consumers[].name": "search",
    "normalizer.consumers[].object_lambda_name": "pictures",
    "normalizer.consumers[].options": {"width": "64"},
    "normalizer.consumers[].transformation": "image",
    "normalizer.reserved_concurrency": 5,
}
# What goes and comes with something else, and holds nothing.
MINOR = frozenset(
    {
        "AWS::ApiGateway::Authorizer",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::Stage",
        "AWS::Budgets::Budget",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::FlowLog",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::EIP",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCCidrBlock",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EFS::AccessPoint",
        "AWS::EFS::MountTarget",
        "AWS::FSx::DataRepositoryAssociation",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::Logs::MetricFilter",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::S3::BucketPolicy",
        "AWS::Scheduler::Schedule",
        "AWS::SageMaker::NotebookInstanceLifecycleConfig",
        "AWS::WAFv2::WebACLAssociation",
    }
)
# A state machine, and the functions that its tasks invoke.
PIPELINE = frozenset(
    {"AWS::StepFunctions::StateMachine", "AWS::Lambda::Function", "AWS::IAM::Policy", "AWS::IAM::Role"}
)


def list_present(setting: str) -> Mapping[str, Any]:
    """What is there besides a setting: everything, but of the workloads that can be left out the setting's own only."""
    others = OPTIONAL - {setting.partition(".")[0]}
    return {path: value for path, value in EVERYTHING.items() if path.partition(".")[0] not in others}


def configure(setting: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The context of dev with what a setting can be about, and the changes."""
    context = copy.deepcopy(context_of("dev"))
    given = {path: value for path, value in list_present(setting).items() if path not in changes}
    # The changes come last: one may take away what others have set below it.
    for path, value in {**given, **changes}.items():
        section, _, key = path.partition("[].")
        environment = context["environments"]["dev"]
        if key:
            *parents, name = section.split(".")
            for parent in parents:
                environment = environment[parent]
            environment[name][-1][key] = value
        else:
            set_path(environment, path, value)
    return context


@cache
def synthesize_given(setting: str) -> Assembly:
    """The templates before a change of a setting, or of any setting of a section that has none given."""
    return read_synthesized(configure(setting, GIVEN.get(setting, {})))


def choose_other(setting: str) -> Any:
    """A value of a setting that it does not have, and that the settings take."""
    if setting in OTHERS:
        return OTHERS[setting]
    settings = Settings.from_mapping("dev", configure(setting, GIVEN.get(setting, {}))["environments"])
    value: Any = settings
    for part in setting.split("."):
        value = getattr(value, part.removesuffix("[]"))
        value = value[-1] if part.endswith("[]") else value
    for candidate in list_candidates(value, SETTINGS[setting]):
        changes = {**GIVEN.get(setting, {}), setting: candidate}
        try:
            Settings.from_mapping("dev", configure(setting, changes)["environments"])
        except SettingsError:
            continue
        return candidate
    raise LookupError(f"{setting}: add another value to OTHERS")


def list_candidates(value: Any, row: Row) -> Iterator[Any]:
    """Values that may be allowed instead of one."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, 60, 90)
    elif isinstance(value, float):
        yield value / 2
    elif isinstance(value, str):
        yield from (other for other in get_args(row.field.annotation) if other != value)
        yield "ml.m5.2xlarge"


def find_lost(before: Assembly, after: Assembly) -> set[Name]:
    """What CloudFormation replaces or removes, even where it refuses at last."""
    world = World.of(before).copy(is_lenient=True)
    made = dict(world.made)
    world.learn(after)
    for stack in after.deploy_order():
        world.deploy(stack, after.templates[stack])
    return {
        name for name, thing in made.items() if name not in world.made or world.made[name].identity != thing.identity
    }


def list_kinds(before: Assembly, after: Assembly) -> set[str]:
    """The kinds of the resources that are not the same before and after."""
    names = {
        (stack, name)
        for assembly in (before, after)
        for stack, template in assembly.templates.items()
        for name in list_resources(template)
    }
    return {
        (before.resource(name) or after.resource(name))["Type"]
        for name in names
        if before.resource(name) != after.resource(name)
    }


def find_shared(setting: str) -> str:
    """A setting before whose change there is the same, itself if there is none."""
    section = setting.partition(".")[0]
    return setting if setting in GIVEN else section if section in OPTIONAL else ""


def can_meet(one: str, other: str) -> bool:
    """Whether one deployment that changes two settings shows of each what its own would show.

    Neither may be above the other, and what one loses must not hide what the other does. Of settings that lose nothing
    any loss shows; that each of them changes a template at all is seen in `make test-all` only.
    """
    places = sorted(f"{setting.removesuffix('.enabled')}." for setting in (one, other))
    lost = [set(SETTINGS[setting].facts.change.loses) for setting in (one, other)]
    return not places[1].startswith(places[0]) and not lost[0] & lost[1] and bool(lost[0]) == bool(lost[1])


def is_exact(change: Change) -> bool:
    """Whether what a change does is told by all that is different after it, and not by what is lost alone."""
    return change in (NO_EFFECT, NEXT_EXECUTION) or bool(change.move)


def choose_together(settings: Sequence[str]) -> list[tuple[str, ...]]:
    """The settings in as few groups as can be, of which each is changed in one deployment."""
    alone = [(setting,) for setting in settings if is_exact(SETTINGS[setting].facts.change)]
    groups: list[list[str]] = []
    for setting in settings:
        if (setting,) not in alone:
            fitting = (group for group in groups if all(can_meet(setting, other) for other in group))
            if (group := next(fitting, None)) is None:
                groups.append(group := [])
            group.append(setting)
    return [*alone, *map(tuple, groups)]


def count_losses(setting: str) -> int:
    return len(SETTINGS[setting].facts.change.loses)


# One setting for each thing that a change can do: the first, which is of a workload that is always there.
ONE_OF_EACH = {row.facts.change: setting for setting, row in reversed(SETTINGS.items())}.values()
# Those that need nothing but what all of them have are changed together.
TOGETHER = choose_together([setting for setting in ONE_OF_EACH if not find_shared(setting)])
# Of those that need other settings too, the one of each section that loses most, and one that has no effect.
APART = {
    setting.partition(".")[0] if SETTINGS[setting].facts.change is not NO_EFFECT else "": setting
    for setting in sorted(ONE_OF_EACH, key=count_losses)
    if find_shared(setting)
}.values()


def compare_with_said(*settings: str) -> None:
    """Change settings that are given the same, and compare what the templates show with what is said of them."""
    said = [SETTINGS[setting].facts.change for setting in settings]
    given = GIVEN.get(settings[0], {})
    before = synthesize_given(find_shared(settings[0]))
    others = {setting: choose_other(setting) for setting in settings}
    after = read_synthesized(configure(settings[0], {**given, **others}))

    lost = find_lost(before, after)

    assert (before.templates == after.templates) == all(change is NO_EFFECT for change in said)
    assert {before.resource(name)["Type"] for name in lost} - MINOR == {kind for each in said for kind in each.loses}
    assert make_plan(before, after).fails == any(change.move for change in said)
    if all(change is NEXT_EXECUTION for change in said):
        assert list_kinds(before, after) <= PIPELINE


@pytest.mark.parametrize("setting", mark_full("settings", SETTINGS, but=APART))
def test_says_what_changing_a_setting_does(setting: str) -> None:
    compare_with_said(setting)


@pytest.mark.parametrize("settings", TOGETHER, ids=" ".join)
def test_says_what_changing_settings_at_once_does(settings: tuple[str, ...]) -> None:
    compare_with_said(*settings)
