"""The image repositories: scanned, immutable, bounded."""

import pytest
from aws_cdk.assertions import Template

from headrace.container_images import container_image_tag
from headrace.recipes import ContainerImage, list_usual_container_images
from tests.stacks.conftest import template_of


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of("Registry")


def test_makes_a_repository_for_each_container(template: Template) -> None:
    names = {name[:-8] for name in template.find_resources("AWS::ECR::Repository")}

    assert names == {container.pascal_name for container in list_usual_container_images()}


def test_scans_images_when_they_are_pushed(template: Template) -> None:
    template.all_resources_properties("AWS::ECR::Repository", {"ImageScanningConfiguration": {"ScanOnPush": True}})


def test_never_moves_a_tag(template: Template) -> None:
    template.all_resources_properties("AWS::ECR::Repository", {"ImageTagMutability": "IMMUTABLE"})


@pytest.mark.parametrize(("environment", "count"), [("dev", 10), ("prod", 50)])
def test_keeps_as_many_images_as_the_settings_say(environment: str, count: int) -> None:
    for repository in template_of("Registry", environment).find_resources("AWS::ECR::Repository").values():
        assert f'"countNumber":{count}' in repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"]


@pytest.mark.parametrize("container", list_usual_container_images(), ids=str)
def test_tells_each_image_with_the_tag_of_its_content(template: Template, container: ContainerImage) -> None:
    output = template.find_outputs(container.image_output)[container.image_output]

    assert output["Value"]["Fn::Join"][1][-1] == f":{container_image_tag(container)}"
