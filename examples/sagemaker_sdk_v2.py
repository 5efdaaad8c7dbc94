"""Version 2 of the SageMaker SDK on the local cloud, from a script that prepares rows to an endpoint that answers.

In a shell that `eval "$(headrace local up)"` has set up, with `sagemaker<3` in its own environment:

    python examples/sagemaker_sdk_v2.py Train.csv

On AWS the same lines run with roles and buckets of yours.
"""

import sys
import time
from pathlib import Path

import boto3
from sagemaker import Session
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor, ScriptProcessor
from sagemaker.serializers import CSVSerializer

NO_TELEMETRY = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
MACHINE = {"instance_count": 1, "instance_type": "ml.m5.large"}
SCRIPT = Path(__file__).with_name("count_rows.py")


def read_outputs() -> dict[str, str]:
    """What the deployed stacks say of themselves."""
    stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", [])}


def find_role(part: str) -> str:
    """The execution role whose name contains a part."""
    pages = boto3.client("iam").get_paginator("list_roles").paginate()
    return next(role["Arn"] for page in pages for role in page["Roles"] if part in role["RoleName"])


def run_script(processor: ScriptProcessor, sales: str) -> str:
    """A processing job of an own script; says what the script wrote."""
    processor.run(
        code=str(SCRIPT),
        inputs=[ProcessingInput(source=sales, destination="/opt/ml/processing/input/sales")],
        outputs=[ProcessingOutput(source="/opt/ml/processing/counted", output_name="counted")],
        arguments=["--unit", "rows"],
    )
    bucket, _, key = processor.latest_job.outputs[0].destination.removeprefix("s3://").partition("/")
    return processor.sagemaker_session.read_s3_file(bucket, f"{key}/count.txt")


def prepare(session: Session, image: str, role: str, sales: str) -> dict[str, str]:
    """A processing job in its own container; where it put each of its outputs."""
    processor = Processor(image_uri=image, role=role, sagemaker_session=session, base_job_name="prepare", **MACHINE)
    names = ("train", "test", "encoding")
    processor.run(
        inputs=[ProcessingInput(source=sales, destination="/opt/ml/processing/input")],
        outputs=[ProcessingOutput(source=f"/opt/ml/processing/{name}", output_name=name) for name in names],
    )
    return {output.output_name: output.destination for output in processor.latest_job.outputs}


def train(session: Session, image: str, role: str, prepared: dict[str, str]) -> Estimator:
    """A training job, found again by its name as a later session would."""
    estimator = Estimator(
        image_uri=image,
        role=role,
        sagemaker_session=session,
        base_job_name="forest",
        hyperparameters={"n_estimators": 20},
        metric_definitions=[{"Name": "validation:rmse", "Regex": r"metric validation:rmse=([0-9.]+)"}],
        **MACHINE,
    )
    sources = {"train": "train", "validation": "test", "encoding": "encoding"}
    channels = {channel: TrainingInput(prepared[name]) for channel, name in sources.items()}
    estimator.fit(channels)
    return Estimator.attach(estimator.latest_training_job.name, sagemaker_session=session)


def ask(session: Session, image: str, role: str, model_data: str, rows: str) -> str:
    """What an endpoint answers, made for this one question."""
    name = f"sdk-v2-{time.time_ns()}"
    model = Model(image_uri=image, model_data=model_data, role=role, sagemaker_session=session, name=name)
    model.deploy(initial_instance_count=1, instance_type="ml.m5.large", endpoint_name=name)
    predictor = Predictor(name, sagemaker_session=session, serializer=CSVSerializer())
    try:
        return predictor.predict(rows).decode().strip()
    finally:
        predictor.delete_endpoint()
        model.delete_model()


def main(file: str) -> None:
    """Everything in order."""
    outputs = read_outputs()
    # Without a name for it, the SDK asks STS at its address on the internet for one.
    session = Session(default_bucket=outputs["WorkBucketName"], sagemaker_config=NO_TELEMETRY)
    preparing, training, serving = map(find_role, ("PreprocessingRole", "bigmart-TrainingRole", "bigmart-Inference"))
    sales = session.upload_data(file, key_prefix="sdk/v2/sales")
    # An SKLearnProcessor is one of these, with an image of AWS.
    processor = ScriptProcessor(
        image_uri=outputs["PreprocessingImageUri"],
        command=["python3"],
        role=preparing,
        sagemaker_session=session,
        base_job_name="count",
        **MACHINE,
    )
    print("script:", run_script(processor, sales))
    prepared = prepare(session, outputs["PreprocessingImageUri"], preparing, sales)
    estimator = train(session, outputs["TrainingImageUri"], training, prepared)
    print("metrics:", estimator.training_job_analytics.dataframe().to_csv(index=False).strip())
    header, row = Path(file).read_text().splitlines()[:2]
    print("prediction:", ask(session, outputs["InferenceImageUri"], serving, estimator.model_data, f"{header}\n{row}"))


if __name__ == "__main__":
    main(sys.argv[1])
