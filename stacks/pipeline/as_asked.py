"""JSONata that says whether what serves is what the settings of the endpoint would make.

Where it is not, a version that serves already is served again, so that changed settings take effect.
"""

from collections.abc import Iterator
from typing import Final

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import Endpoint
from stacks.settings.endpoint import EndpointSettings

# Whether it is, as far as it has been looked at.
VARIABLE: Final = "as_asked"

_VARIANT: Final = "$states.result.ProductionVariants[0]"
_SERVERLESS: Final = f"{_VARIANT}.ServerlessConfig"
_METRICS: Final = "$states.result.MetricsConfig.MetricPublishFrequencyInSeconds"
_CAPTURE: Final = "$states.result.DataCaptureConfig"
_ISOLATED: Final = "$states.result.EnableNetworkIsolation"


def compare_config(endpoint: Endpoint) -> str:
    """A JSONata field that compares the answer of DescribeEndpointConfig, and the machines of `$endpoint`."""
    return jsonata(" and ".join(_list_conditions(endpoint)))


def compare_model(endpoint: Endpoint) -> str:
    """A JSONata field that adds the answer of DescribeModel to what was found before."""
    isolated = "EnableNetworkIsolation" in endpoint.render_model("", "")
    return jsonata(
        f"${VARIABLE} and $states.result.ExecutionRoleArn = '{endpoint.role.role_arn}' "
        f"and {_or_default(_ISOLATED, 'false')} = {str(isolated).lower()}"
    )


def counts_machines(settings: EndpointSettings) -> bool:
    """Whether the endpoint may have come to another number of machines than its configuration says, and must return."""
    return settings.scaling is not None and not settings.scaling.enabled


def _list_conditions(endpoint: Endpoint) -> Iterator[str]:
    settings = endpoint.settings
    config = endpoint.render_config("", "")
    (variant,) = config["ProductionVariants"]
    serverless = variant.get("ServerlessConfig", {})
    yield _equals(f"{_VARIANT}.InstanceType", variant.get("InstanceType"))
    for key in ("MemorySizeInMB", "MaxConcurrency", "ProvisionedConcurrency"):
        yield _equals(f"{_SERVERLESS}.{key}", serverless.get(key))
    # With scaling, the number of machines is not what an update would bring.
    if not (settings.scaling and settings.scaling.enabled):
        yield _equals(f"{_VARIANT}.InitialInstanceCount", variant.get("InitialInstanceCount"))
    if counts_machines(settings):
        yield _equals("$endpoint.Machines", settings.instance_count)
    yield _equals("$states.result.KmsKeyId", config.get("KmsKeyId"))
    if "DataCaptureConfig" in config:
        for key in ("InitialSamplingPercentage", "DestinationS3Uri", "KmsKeyId"):
            yield _equals(f"{_CAPTURE}.{key}", config["DataCaptureConfig"].get(key))
    yield f"({_CAPTURE}.EnableCapture = true) = {str('DataCaptureConfig' in config).lower()}"
    yield f"{_or_default(_METRICS, str(EndpointSettings().metrics_seconds))} = {settings.metrics_seconds}"


def _equals(path: str, wanted: str | int | None) -> str:
    if wanted is None:
        return f"$not($exists({path}))"
    return f"{path} = {wanted}" if isinstance(wanted, int) else f"{path} = '{wanted}'"


def _or_default(path: str, default: str) -> str:
    return f"($exists({path}) ? {path} : {default})"
