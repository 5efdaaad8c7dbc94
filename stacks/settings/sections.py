"""What an environment's settings are: its sections, and what follows from them."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from headrace import contract
from headrace.normalizer.contract import default_object_lambda_name
from headrace.recipes import ContainerImage, Recipe, list_images_of, list_recipes
from stacks.settings.alarms import AlarmSettings
from stacks.settings.capture import CAPTURED_DAYS
from stacks.settings.cost import CostSettings
from stacks.settings.documents import DocumentsSettings
from stacks.settings.file_systems import FileSystemSettings
from stacks.settings.front_door import FrontDoorSettings
from stacks.settings.jobs import CHECKPOINT_DAYS, PipelineSettings
from stacks.settings.network import NetworkSettings
from stacks.settings.normalizer import ConsumerSettings, NormalizerSettings
from stacks.settings.notebook import NotebookSettings
from stacks.settings.people import PeopleSettings
from stacks.settings.region import Region
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Change, Setting
from stacks.settings.storage import EncryptionSettings, RegistrySettings, StorageSettings
from stacks.settings.tags import ENVIRONMENT_TAG, Tags, name_owner
from stacks.settings.workload_sections import WorkloadSections
from stacks.settings.workloads import ListedTrainingSettings, WorkloadSettings


def _default_tags(known: Mapping[str, object]) -> Mapping[str, str]:
    return contract.default_tags(str(known["environment"]))


class Sections(WorkloadSections):
    """The sections of an environment, each checked by itself."""

    environment: Annotated[str, StringConstraints(pattern=contract.ENVIRONMENT_NAME)]
    region: Annotated[
        Region | None,
        Allowed("a Region such as eu-central-1, or null"),
        Setting(
            "where it is deployed, refusing what it does not offer; null for the Region of your AWS clients, unchecked",
            cost="prices differ",
            change=Change(
                "another environment begins in the other Region; the first one stays where it is, and on the bill",
                move="move the data, see [moving to another Region](changing.md#moving-to-another-region)",
            ),
        ),
    ] = None
    retain_data: Annotated[
        bool,
        Setting(
            "whether buckets, EFS, container images, keys and logs stay when their stack is deleted, and stacks are "
            "protected from deletion",
            cost="what stays goes on costing",
            change=IN_PLACE,
        ),
    ]
    tags: Annotated[
        Tags,
        Setting(
            f"the tags of everything that can have them; everything also has `{ENVIRONMENT_TAG}`, and what executions "
            f"make `{contract.WORKLOAD_TAG}`",
            cost=NOTHING,
            change=Change(
                "updated in place; on jobs, models and endpoints from the next execution on; with another `project`, "
                "[tag endpoints anew](changing.md#endpoints-without-the-environments-tags)"
            ),
        ),
    ] = Field(default_factory=_default_tags)
    encryption: EncryptionSettings = EncryptionSettings()
    permissions_boundary: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[\w+=,.@-]{1,128}$")] | None,
        Setting("the policy of yours that bounds every role", cost=NOTHING, change=IN_PLACE),
    ] = None
    alarms: Annotated[
        AlarmSettings | None,
        Setting(
            "a topic that every alarm publishes to, and alarms for the executions of each state machine that fail or "
            "are not tidied up after, and for approvals that start none; "
            "null for alarms without an action",
            cost="1 a month for the topic's key; 0.30 for each state machine, 0.10 for each workload; e-mail nothing",
            change=Change(
                "null removes the topic, its key and the alarms of executions and approvals",
                loses=("AWS::Events::Rule", "AWS::KMS::Key", "AWS::SNS::Subscription", "AWS::SNS::Topic"),
            ),
        ),
    ] = None
    cost: CostSettings = CostSettings()
    network: NetworkSettings = NetworkSettings()
    storage: StorageSettings = StorageSettings()
    file_systems: FileSystemSettings = FileSystemSettings()
    registry: RegistrySettings = RegistrySettings()
    documents: Annotated[
        DocumentsSettings | None,
        Setting(
            "a state machine that reads documents with Textract and Comprehend; null for none",
            cost="nothing while nothing is read; 0.0015 a page of text, 0.0001 for each 100 characters and insight",
            change=Change(
                "null removes the state machine, its functions and their logs; results stay in the work bucket",
                loses=(
                    "AWS::Events::Rule",
                    "AWS::Lambda::Function",
                    "AWS::Logs::LogGroup",
                    "AWS::SNS::Subscription",
                    "AWS::SNS::Topic",
                    "AWS::StepFunctions::StateMachine",
                ),
            ),
        ),
    ] = None
    front_door: Annotated[
        FrontDoorSettings | None,
        Setting(
            "an API that callers outside the account can reach, in front of endpoints; null for none",
            cost="3.50 per million requests; 9 a month for its web ACL",
            change=Change(
                "null removes the API and its address, the web ACL, the user pool of the environment with its users, "
                "the distribution and the logs",
                loses=(
                    "AWS::ApiGateway::RestApi",
                    "AWS::CloudFront::Distribution",
                    "AWS::Cognito::UserPool",
                    "AWS::Cognito::UserPoolClient",
                    "AWS::Logs::LogGroup",
                    "AWS::SecretsManager::Secret",
                    "AWS::WAFv2::WebACL",
                ),
            ),
        ),
    ] = None
    notebook: NotebookSettings = NotebookSettings()
    people: PeopleSettings = PeopleSettings()
    pipeline: PipelineSettings = PipelineSettings()
    normalizer: NormalizerSettings = NormalizerSettings()

    @field_validator("tags")
    @classmethod
    def _name_owner(cls, tags: Mapping[str, str], known: ValidationInfo) -> Mapping[str, str]:
        """A name that is wrong has been reported itself."""
        environment = known.data.get("environment")
        return name_owner(tags, environment) if environment else tags

    @property
    def checkpoint_days(self) -> int:
        """How long checkpoints are kept, those of workloads that train on spot instances no more included."""
        spots = (self.workload(recipe).training.spot for recipe in self.recipes)
        return max((spot.checkpoint_days for spot in spots if spot), default=CHECKPOINT_DAYS)

    @property
    def captured_days(self) -> int:
        """How long requests and answers are kept, those of endpoints that keep none any more included."""
        captures = (self.workload(recipe).endpoint.capture for recipe in self.recipes)
        return max((capture.days for capture in captures if capture), default=CAPTURED_DAYS)

    @property
    def starts_on_new_data(self) -> bool:
        """Whether new objects of the raw bucket start executions."""
        return any(self.workload(recipe).start.on_new_data for recipe in self.recipes)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The workloads that there are: those that are always there, and those that the settings switch on."""
        return tuple(recipe for recipe in list_recipes() if getattr(self, recipe.name) is not None)

    @property
    def container_images(self) -> tuple[ContainerImage, ...]:
        """Our own container images that jobs and endpoints run; a built-in algorithm brings its own."""
        replaced = {
            recipe.training.image for recipe in self.recipes if self.workload(recipe).built_in_version is not None
        }
        return tuple(image for image in list_images_of(self.recipes) if image not in replaced)

    def workload(self, recipe: Recipe) -> WorkloadSettings:
        """The section of a workload that is there."""
        section: WorkloadSettings | None = getattr(self, recipe.name)
        assert section is not None, recipe.name  # noqa: S101 (callers ask about `recipes`)
        return section

    def list_channel_trainings(self) -> Iterator[tuple[str, ListedTrainingSettings]]:
        """The training jobs whose channels are listed, by the names of their workloads."""
        for recipe in self.recipes:
            training = self.workload(recipe).training
            if isinstance(training, ListedTrainingSettings):
                yield recipe.name, training

    def endpoint_name(self, recipe: Recipe) -> str:
        """The endpoint of a workload that an execution changes when its input names none."""
        return self.workload(recipe).endpoint.name or contract.default_endpoint_name(self.environment, recipe.name)

    def job_tags(self, workload: str) -> Mapping[str, str]:
        """The tags of what the executions of a workload make, by which its cost can be told."""
        return {contract.WORKLOAD_TAG: workload, **self.tags}

    def object_lambda_name(self, consumer: ConsumerSettings) -> str:
        """The name of a consumer's Object Lambda access point."""
        return consumer.object_lambda_name or default_object_lambda_name(self.environment, consumer.name)

    def stack_name(self, stack: str) -> str:
        """The name of a stack in CloudFormation; two environments may share an account."""
        return contract.stack_name(self.environment, stack)
