"""The kinds of resources that the local SageMaker has: a file and an entry each."""

from typing import Final

from headrace.local.sagemaker.kind import Kind
from headrace.local.sagemaker.kinds.endpoint_configs import EndpointConfigs
from headrace.local.sagemaker.kinds.endpoints import Endpoints
from headrace.local.sagemaker.kinds.model_package_groups import ModelPackageGroups
from headrace.local.sagemaker.kinds.model_packages import ModelPackages
from headrace.local.sagemaker.kinds.models import Models
from headrace.local.sagemaker.kinds.processing_jobs import ProcessingJobs
from headrace.local.sagemaker.kinds.tags import Tags
from headrace.local.sagemaker.kinds.training_jobs import TrainingJobs
from headrace.local.sagemaker.kinds.transform_jobs import TransformJobs

KINDS: Final[tuple[type[Kind], ...]] = (
    ProcessingJobs,
    TrainingJobs,
    TransformJobs,
    ModelPackageGroups,
    ModelPackages,
    Models,
    EndpointConfigs,
    Endpoints,
    Tags,
)
