"""Endpoint configurations: which model serves, and on what."""

from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.local.sagemaker.definitions import DefinitionKind
from headrace.local.sagemaker.endpoint_metrics import read_frequency
from headrace.local.sagemaker.kinds.models import Models
from headrace.local.sagemaker.rules import check_endpoint_config, check_serverless_model


class EndpointConfigs(DefinitionKind):
    """The endpoint configuration operations of the API."""

    name: ClassVar[str] = "EndpointConfig"
    noun: ClassVar[str] = "endpoint configuration"

    def check(self, request: Mapping[str, Any]) -> None:
        """Its model must exist."""
        check_endpoint_config(request)
        read_frequency(request)
        for variant in request["ProductionVariants"]:
            check_serverless_model(variant, self._kinds.find(Models).find(variant["ModelName"]).request)
