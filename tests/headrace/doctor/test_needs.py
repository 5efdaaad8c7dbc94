"""What templates and state machines ask for is read from them as they are."""

from pathlib import Path

from headrace.doctor.needs import Bootstrap, Zones, read_needs
from headrace.doctor.tasks import count_inference_units, count_serverless, list_uses, read_connections
from headrace.quotas import Usage
from tests.headrace.doctor.patients import call, make_needs, run_states, train, write_app

CLUSTER = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2}


def test_reads_the_instances_of_every_kind_of_job_and_endpoint() -> None:
    variants = [{"InstanceType": "ml.m5.large", "InitialInstanceCount": 3}, {"ServerlessConfig": {"MaxConcurrency": 5}}]
    definition = {
        "States": {
            "Train": call("createTrainingJob.sync", ResourceConfig=CLUSTER),
            "Spot": call("createTrainingJob", ResourceConfig=CLUSTER, EnableManagedSpotTraining=True),
            "Process": call("createProcessingJob.sync", ProcessingResources={"ClusterConfig": CLUSTER}),
            "Transform": call("createTransformJob.sync", TransformResources=CLUSTER),
            "Serve": call("createEndpointConfig", ProductionVariants=variants),
        }
    }

    found = [(use.place, use.usage, use.instance_type, use.count) for use in list_uses("Main", definition)]

    assert found == [
        ("Main: Train", Usage.TRAINING, "ml.m5.xlarge", 2),
        ("Main: Spot", Usage.SPOT_TRAINING, "ml.m5.xlarge", 2),
        ("Main: Process", Usage.PROCESSING, "ml.m5.xlarge", 2),
        ("Main: Transform", Usage.TRANSFORM, "ml.m5.xlarge", 2),
        ("Main: Serve", Usage.ENDPOINT, "ml.m5.large", 3),
    ]
    assert count_serverless(definition) == 5


def test_reads_states_inside_of_others_and_those_of_calls_through_the_sdk() -> None:
    through_sdk = {
        **call("x", ResourceConfig=CLUSTER),
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:createTrainingJob",
    }
    definition = {
        "States": {
            "Both": {"Type": "Parallel", "Branches": [{"States": {"Train": through_sdk}}]},
            "Each": {"Type": "Map", "ItemProcessor": {"States": {"Retrain": through_sdk}}},
        }
    }

    assert [use.place for use in list_uses("Main", definition)] == ["Main: Train", "Main: Retrain"]


def test_counts_the_endpoint_as_large_as_it_may_be_scaled() -> None:
    scale = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:applicationautoscaling:registerScalableTarget",
        "Arguments": {"MinCapacity": 1, "MaxCapacity": 6},
    }
    variant = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    definition = {"States": {"Serve": call("createEndpointConfig", ProductionVariants=[variant]), "Scale": scale}}

    assert [use.count for use in list_uses("Main", definition)] == [6]


def test_knows_which_jobs_run_in_the_network() -> None:
    network = {"VpcConfig": {"Subnets": ["subnet-1"]}}
    cluster = {"ClusterConfig": CLUSTER}
    definition = {
        "States": {
            "Train": call("createTrainingJob", ResourceConfig=CLUSTER, **network),
            "Process": call("createProcessingJob", ProcessingResources=cluster, NetworkConfig=network),
            "Outside": call("createTrainingJob", ResourceConfig=CLUSTER),
        }
    }

    assert [use.is_in_network for use in list_uses("Main", definition)] == [True, True, False]


def test_reads_how_many_connections_a_training_job_opens() -> None:
    definition = {"States": {"Train": call("createTrainingJob", Environment={"CONNECTIONS": "32", "OTHER": "99"})}}

    assert read_connections(definition, ["CONNECTIONS"]) == 32


def test_reads_how_large_an_endpoint_of_comprehend_is() -> None:
    create = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:comprehend:createEndpoint"}
    definition = {
        "States": {
            "Create": {**create, "Arguments": {"EndpointName": "{% $name %}", "DesiredInferenceUnits": 4}},
            "Serve": call("createEndpoint", EndpointName="shop"),
        }
    }

    assert count_inference_units(definition) == 4
    assert count_inference_units({"States": {"Serve": definition["States"]["Serve"]}}) == 0


def test_reads_an_app_as_cdk_writes_it(tmp_path: Path) -> None:
    machine = run_states(Train=call("createTrainingJob", ResourceConfig={"InstanceType": "ml.m5.large"}))
    notebook = {"Type": "AWS::SageMaker::NotebookInstance", "Properties": {"InstanceType": "ml.t3.medium"}}

    needs = read_needs(write_app(tmp_path / "app", {"Machine": machine, "Notebook": notebook}))

    assert needs.bootstrap == Bootstrap("/cdk-bootstrap/hnb659fds/version", 6)
    assert needs.uses[0] == train()
    assert needs.uses[1].quota == "ml.t3.medium for notebook instance usage"
    assert (needs.services, needs.list_logging_stacks()) == (frozenset(), [])


def test_reads_the_services_that_executions_call_and_the_apis_with_a_log(tmp_path: Path) -> None:
    task = {"Type": "Task", "End": True}
    arguments = {"NotificationChannel": {"RoleArn": "ROLE"}}
    read = {**task, "Resource": "arn:aws:states:::aws-sdk:textract:startDocumentAnalysis", "Arguments": arguments}
    wait = {**task, "Resource": "arn:aws:states:::aws-sdk:s3:putObject.waitForTaskToken"}
    machine = run_states(Each={"Type": "Map", "ItemProcessor": {"States": {"Read": read, "Wait": wait}}})
    stage = {"Type": "AWS::ApiGateway::Stage", "Properties": {"AccessLogSetting": {}}}
    resources = {"Machine": machine, "Train": run_states(Train=call("createTrainingJob")), "A": stage, "B": stage}

    needs = read_needs(write_app(tmp_path / "app", resources))

    assert needs.services == {"s3", "textract"}
    assert needs.list_logging_stacks() == ["Main"]


def test_reads_what_others_keep_that_the_app_uses() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    boundary = {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":policy/Bound"]]
    }
    needs = make_needs(
        {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": boundary}},
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": key}},
            "Machine": {"Type": "X", "Properties": {"Definition": '… "Subnets":["subnet-0123456789abcdef0"] …'}},
        },
        outputs={"RawBucketName": "company-photographs", "WorkBucketName": {"Ref": "Work"}},
    )

    assert needs.list_boundaries() == ["Bound"]
    assert needs.list_existing_keys() == [key]
    assert needs.list_existing_subnets() == ["subnet-0123456789abcdef0"]
    assert needs.list_existing_buckets() == ["company-photographs"]


def test_reads_the_zones_by_their_names_or_their_number() -> None:
    third = {"Fn::Select": [2, {"Fn::GetAZs": ""}]}
    subnets = {
        name: {"Type": "AWS::EC2::Subnet", "Properties": {"AvailabilityZone": zone}}
        for name, zone in {"A": "eu-west-1a", "B": "eu-west-1a", "C": third}.items()
    }

    assert make_needs(subnets).find_zones() == Zones(("eu-west-1a",), 3)


def test_adds_up_what_functions_reserve_by_stack() -> None:
    functions = {
        name: {"Type": "AWS::Lambda::Function", "Properties": properties}
        for name, properties in {
            "A": {"ReservedConcurrentExecutions": 20},
            "B": {"ReservedConcurrentExecutions": 5},
            "C": {},
        }.items()
    }

    assert make_needs(functions).list_reservations() == {"Main": 25}
