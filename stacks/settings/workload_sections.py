"""Which section each workload has, and all of them as an environment has them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import create_model

from headrace.recipes import (
    Recipe,
    big_mart,
    blazingtext,
    detection,
    forecasting,
    images,
    linear_learner,
    list_recipes,
    resnet,
    seq2seq,
    xgboost,
)
from stacks.settings.blazingtext import BlazingTextSettings
from stacks.settings.detection import DetectionSettings
from stacks.settings.forecasting import ForecastingSettings
from stacks.settings.linear_learner import LinearLearnerSettings
from stacks.settings.resnet import ResnetSettings
from stacks.settings.section import NOTHING, Change, Section, Setting
from stacks.settings.seq2seq import Seq2SeqSettings
from stacks.settings.transform import reads_lines
from stacks.settings.workloads import (
    BigMartSettings,
    ImagesSettings,
    LineSettings,
    PreprocessedSettings,
    ProfiledSettings,
    WorkloadSettings,
)
from stacks.settings.xgboost import XgboostSettings

# The sections of workloads that have their own settings.
_SECTIONS: Final[Mapping[Recipe, type[WorkloadSettings]]] = {
    big_mart.RECIPE: BigMartSettings,
    images.RECIPE: ImagesSettings,
    xgboost.RECIPE: XgboostSettings,
    forecasting.RECIPE: ForecastingSettings,
    resnet.RECIPE: ResnetSettings,
    linear_learner.RECIPE: LinearLearnerSettings,
    blazingtext.RECIPE: BlazingTextSettings,
    seq2seq.RECIPE: Seq2SeqSettings,
    detection.RECIPE: DetectionSettings,
}


def find_section(recipe: Recipe) -> type[WorkloadSettings]:
    """What a workload's section is."""
    asked: type[WorkloadSettings] = LineSettings if reads_lines(recipe.serving.content_type) else WorkloadSettings
    if recipe.preprocessing:
        asked = ProfiledSettings if recipe.preprocessing.profiles else PreprocessedSettings
    return _SECTIONS.get(recipe, asked)


def _describe_switch(recipe: Recipe) -> Setting:
    return Setting(
        f"whether there is the workload {recipe}: `{{}}` for one with every default; null for none",
        cost=NOTHING,
        change=Change(
            "null removes its stack and its repositories; an endpoint goes on serving, and costing, until you delete "
            "it, so delete it before",
            loses=(
                "AWS::ECR::Repository",
                "AWS::Events::Rule",
                "AWS::Lambda::Function",
                "AWS::Logs::LogGroup",
                "AWS::SageMaker::ModelPackageGroup",
                "AWS::StepFunctions::StateMachine",
                "AWS::StepFunctions::StateMachineAlias",
                "AWS::StepFunctions::StateMachineVersion",
            ),
        ),
    )


def _describe_field(recipe: Recipe) -> tuple[Any, Any]:
    section = find_section(recipe)
    if recipe.is_optional:
        return Annotated[section | None, _describe_switch(recipe)], None
    return section, section()


if TYPE_CHECKING:
    # Types know no names out of a registry: `Settings.workload` finds a section by its recipe.
    WorkloadSections = Section
else:
    WorkloadSections = create_model(
        "WorkloadSections",
        __base__=Section,
        __doc__="The sections of the workloads, each under the name of its recipe.",
        **{recipe.name: _describe_field(recipe) for recipe in list_recipes()},
    )
