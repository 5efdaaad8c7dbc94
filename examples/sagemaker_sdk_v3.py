"""Version 3 of the SageMaker SDK on the local cloud, from a script that prepares rows to an endpoint that answers.

In a shell that `eval "$(headrace local up)"` has set up, with `sagemaker>=3.27,<4` in its own environment:

    SAGEMAKER_VALIDATE_ROLE=false python examples/sagemaker_sdk_v3.py Train.csv

On AWS the same lines run with roles and buckets of yours.
"""

import sys
import time
from pathlib import Path

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import Processor, ScriptProcessor
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob
from sagemaker.core.shapes import (
    ContainerDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    ProductionVariant,
)
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.train import ModelTrainer

NO_TELEMETRY = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
MACHINE = {"instance_count": 1, "instance_type": "ml.m5.large"}
HERE = Path(__file__).parent


def read_outputs() -> dict[str, str]:
    """What the deployed stacks say of themselves."""
    stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", [])}


def find_role(part: str) -> str:
    """The execution role whose name contains a part."""
    pages = boto3.client("iam").get_paginator("list_roles").paginate()
    return next(role["Arn"] for page in pages for role in page["Roles"] if part in role["RoleName"])


def describe_input(source: str, path: str) -> ProcessingInput:
    """An input of a processing job."""
    place = ProcessingS3Input(s3_uri=source, local_path=path, s3_data_type="S3Prefix", s3_input_mode="File")
    return ProcessingInput(input_name="sales", s3_input=place)


def describe_output(name: str, target: str) -> ProcessingOutput:
    """An output of a processing job."""
    path = f"/opt/ml/processing/{name}"
    place = ProcessingS3Output(s3_uri=f"{target}{name}", local_path=path, s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=place)


def run_script(session: Session, image: str, role: str, sales: str, target: str) -> str:
    """A processing job of an own script; says what the script wrote."""
    processor = ScriptProcessor(
        image_uri=image, command=["python3"], role=role, sagemaker_session=session, base_job_name="count", **MACHINE
    )
    processor.run(
        code=str(HERE / "count_rows.py"),
        inputs=[describe_input(sales, "/opt/ml/processing/input/sales")],
        outputs=[describe_output("counted", target)],
        arguments=["--unit", "rows"],
    )
    bucket, _, key = target.removeprefix("s3://").partition("/")
    return session.read_s3_file(bucket, f"{key}counted/count.txt")


def prepare(session: Session, image: str, role: str, sales: str, target: str) -> None:
    """A processing job in its own container."""
    processor = Processor(image_uri=image, role=role, sagemaker_session=session, base_job_name="prepare", **MACHINE)
    processor.run(
        inputs=[describe_input(sales, "/opt/ml/processing/input")],
        outputs=[describe_output(name, target) for name in ("train", "test", "encoding")],
    )


def train(session: Session, image: str, role: str, prepared: str) -> TrainingJob:
    """A training job in its own container, found again by its name as a later session would."""
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=role,
        training_image=image,
        base_job_name="forest",
        compute=Compute(**MACHINE),
        hyperparameters={"n_estimators": 20},
        output_data_config=OutputDataConfig(s3_output_path=f"{prepared}models/"),
    )
    sources = {"train": "train", "validation": "test", "encoding": "encoding"}
    trainer.train([InputData(channel_name=channel, data_source=prepared + name) for channel, name in sources.items()])
    return TrainingJob.get(trainer._latest_training_job.training_job_name)


def train_with_source_code(session: Session, image: str, role: str, sales: str, target: str) -> str:
    """A training job of an own script, which the SDK brings as a channel; says how it ended."""
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=role,
        training_image=image,
        base_job_name="average",
        source_code=SourceCode(source_dir=str(HERE / "average"), entry_script="train.py"),
        compute=Compute(**MACHINE),
        output_data_config=OutputDataConfig(s3_output_path=f"{target}models/"),
    )
    trainer.train([InputData(channel_name="sales", data_source=sales)])
    return TrainingJob.get(trainer._latest_training_job.training_job_name).training_job_status


def ask(image: str, role: str, model_data: str, rows: str) -> str:
    """What an endpoint answers, made for this one question."""
    name = f"sdk-v3-{time.time_ns()}"
    container = ContainerDefinition(image=image, model_data_url=model_data)
    model = Model.create(model_name=name, primary_container=container, execution_role_arn=role)
    variant = ProductionVariant(
        variant_name="all", model_name=name, initial_instance_count=1, instance_type="ml.m5.large"
    )
    config = EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
    try:
        endpoint.wait_for_status("InService")
        answer = endpoint.invoke(body=rows, content_type="text/csv", accept="text/csv")
        return answer.body.read().decode().strip()
    finally:
        endpoint.delete()
        config.delete()
        model.delete()


def main(file: str) -> None:
    """Everything in order."""
    outputs = read_outputs()
    # Without a name for it, the SDK asks STS at its address on the internet for one.
    session = Session(default_bucket=outputs["WorkBucketName"], sagemaker_config=NO_TELEMETRY)
    preparing, training, serving = map(find_role, ("PreprocessingRole", "bigmart-TrainingRole", "bigmart-Inference"))
    target = f"s3://{outputs['WorkBucketName']}/sdk/v3/{time.time_ns()}/"
    sales = session.upload_data(file, key_prefix="sdk/v3/sales")
    print("script:", run_script(session, outputs["PreprocessingImageUri"], preparing, sales, target))
    prepare(session, outputs["PreprocessingImageUri"], preparing, sales, target)
    job = train(session, outputs["TrainingImageUri"], training, target)
    own = train_with_source_code(session, outputs["TrainingImageUri"], training, sales, target)
    print("source code:", own)
    header, row = Path(file).read_text().splitlines()[:2]
    model_data = job.model_artifacts.s3_model_artifacts
    print("prediction:", ask(outputs["InferenceImageUri"], serving, model_data, f"{header}\n{row}"))


if __name__ == "__main__":
    main(sys.argv[1])
