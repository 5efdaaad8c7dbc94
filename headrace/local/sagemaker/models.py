"""Models and endpoint configurations: what endpoints are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from headrace.local.sagemaker.catalog import Catalog, list_page
from headrace.local.sagemaker.descriptions import complete_model_request
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.rules import check_endpoint_config, check_model, check_s3_uri, list_containers
from headrace.local.sagemaker.s3_objects import object_exists, parse_address
from headrace.s3.answers import Refusal


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A resource that never changes: a model or an endpoint configuration."""

    name: str
    arn: str
    request: Mapping[str, Any]
    creation_time: datetime = field(default_factory=read_clock)
    status: str = ""

    @property
    def last_modified_time(self) -> datetime:
        """When it was created: it never changes."""
        return self.creation_time

    def describe(self, arn_key: str) -> dict[str, Any]:
        """The request it was made from, with what SageMaker adds."""
        kept = {key: value for key, value in self.request.items() if key != "Tags"}
        return {**kept, arn_key: self.arn, "CreationTime": self.creation_time}

    def summarize(self, prefix: str) -> dict[str, Any]:
        """Its line in a List operation, whose keys begin with the prefix."""
        return {f"{prefix}Name": self.name, f"{prefix}Arn": self.arn, "CreationTime": self.creation_time}


class Models:
    """The model operations of the API."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.models: Catalog[Definition] = Catalog()

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateModel: the image and the model data must exist."""
        check_model(request)
        (container,) = list_containers(request)
        self._host.find_image(container["Image"])
        self._check_data(container)
        name = request["ModelName"]
        model = Definition(name=name, arn=self._host.arn("model", name), request=request)
        if self.models.add(model):
            raise RequestRefusedError(f'Cannot create already existing model "{model.arn}".')
        return {"ModelArn": model.arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        return complete_model_request(self.find(request["ModelName"]).describe("ModelArn"))

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteModel; endpoints that serve it keep doing so."""
        self.find(request["ModelName"])
        self.models.remove(request["ModelName"])
        return {}

    def list_models(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListModels."""
        return list_page(self.models, request, key="Models", summarize=lambda model: model.summarize("Model"))

    def find(self, name: str) -> Definition:
        """The model of a name, or SageMaker's refusal."""
        model = self.models.find(name)
        if not model:
            raise RequestRefusedError(f'Could not find model "{self._host.arn("model", name)}".')
        return model

    def _check_data(self, container: Mapping[str, Any]) -> None:
        data = locate_model_data(container)
        if not data:
            return
        check_s3_uri(data.uri)
        if data.is_archive and not self._is_there(data.uri):
            raise RequestRefusedError(f"Could not find model data at {data.uri}.")

    def _is_there(self, uri: str) -> bool:
        try:
            return object_exists(self._host.s3, parse_address(uri))
        except ClientError as error:
            raise RequestRefusedError(f"Could not access model data at {uri}: {Refusal.of(error.response)}") from error


@dataclass(frozen=True)
class ModelData:
    """Where a model's files are, and whether they are packed."""

    uri: str
    is_archive: bool


def locate_model_data(container: Mapping[str, Any]) -> ModelData | None:
    """The data that a container definition names; None for an image that brings its own."""
    if "ModelDataUrl" in container:
        return ModelData(container["ModelDataUrl"], is_archive=True)
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return ModelData(source["S3Uri"], is_archive=source["CompressionType"] == "Gzip") if source else None


class EndpointConfigs:
    """The endpoint configuration operations of the API."""

    def __init__(self, host: Host, models: Models) -> None:
        self._host = host
        self._models = models
        self.configs: Catalog[Definition] = Catalog()

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateEndpointConfig: its model must exist."""
        check_endpoint_config(request)
        for variant in request["ProductionVariants"]:
            self._models.find(variant["ModelName"])
        name = request["EndpointConfigName"]
        config = Definition(name=name, arn=self._host.arn("endpoint-config", name), request=request)
        if self.configs.add(config):
            raise RequestRefusedError(f'Cannot create already existing endpoint configuration "{config.arn}".')
        return {"EndpointConfigArn": config.arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeEndpointConfig."""
        return self.find(request["EndpointConfigName"]).describe("EndpointConfigArn")

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEndpointConfig; endpoints made from it keep running."""
        self.find(request["EndpointConfigName"])
        self.configs.remove(request["EndpointConfigName"])
        return {}

    def list_configs(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListEndpointConfigs."""
        return list_page(
            self.configs,
            request,
            key="EndpointConfigs",
            summarize=lambda config: config.summarize("EndpointConfig"),
        )

    def find(self, name: str) -> Definition:
        """The configuration of a name, or SageMaker's refusal."""
        config = self.configs.find(name)
        if not config:
            arn = self._host.arn("endpoint-config", name)
            raise RequestRefusedError(f'Could not find endpoint configuration "{arn}".')
        return config
