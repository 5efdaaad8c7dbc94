"""Settings are read whole or refused with every mistake named."""

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from headrace import contract
from headrace.recipes import big_mart, images
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.environment import Settings, read_bundle_target
from stacks.settings.mistakes import SettingsError
from stacks.settings.workload_sections import WorkloadSections
from stacks.settings.workloads import ChannelTrainingSettings
from tests.stacks.conftest import SWITCHES, read_context, set_path
from tests.stacks.synthesis import open_app


def environments_with(path: str, value: Any) -> dict[str, Any]:
    """The environments of cdk.json with one value of `dev` changed, or left to its default when it is `...`."""
    environments: dict[str, Any] = copy.deepcopy(read_context()["environments"])
    set_path(environments["dev"], path, value)
    return environments


def refusal(path: str, value: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping("dev", environments_with(path, value))
    return str(refused.value)


def test_reads_every_environment_of_the_project() -> None:
    environments = read_context()["environments"]

    assert [Settings.from_mapping(name, environments).environment for name in environments] == ["dev", "prod"]


def test_names_the_environments_there_are_when_the_chosen_one_is_unknown() -> None:
    with pytest.raises(SettingsError, match=r"^context 'env': found 'staging', allowed: dev, prod$"):
        Settings.from_mapping("staging", read_context()["environments"])


def test_says_where_environments_belong_when_there_are_none() -> None:
    with pytest.raises(SettingsError, match="context 'environments': expected an object per environment"):
        Settings.from_mapping("dev", None)


def test_suggests_the_right_key_when_one_is_misspelt() -> None:
    assert refusal("bigmart.training.instance_typ", "ml.m5.xlarge") == (
        "environments.dev.bigmart.training.instance_typ: unknown key (did you mean 'instance_type'?); "
        "allowed: hyperparameters, instance_type, max_runtime_seconds, spot, volume_gib"
    )


def test_lists_the_keys_there_are_when_a_section_is_unknown() -> None:
    assert refusal("kubernetes", {}).startswith(
        "environments.dev.kubernetes: unknown key; allowed: alarms, bigmart, blazingtext, cost, "
    )


def test_names_a_missing_key() -> None:
    assert refusal("retain_data", ...) == "environments.dev.retain_data: missing"


def test_refuses_to_pass_for_another_environment() -> None:
    assert refusal("environment", "prod") == (
        "environments.dev.environment: unknown key; an environment is called as the key it stands under, here 'dev'"
    )
    assert "environment," not in refusal("kubernetes", {})


def test_says_which_environments_there_are_when_the_chosen_one_is_no_name() -> None:
    with pytest.raises(SettingsError, match=r"^context 'env': found \['dev'\], allowed: dev, prod$"):
        Settings.from_mapping(["dev"], read_context()["environments"])


@pytest.mark.parametrize(
    "path", [*sorted(set(Settings.model_fields) - {"environment", "retain_data"}), "bigmart.training.volume_gib"]
)
def test_takes_the_default_of_a_key_that_is_null(path: str) -> None:
    with_null, without = (Settings.from_mapping("dev", environments_with(path, value)) for value in (None, ...))

    assert with_null == without


def test_says_nothing_of_defaults_that_follow_from_a_mistake() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping("Dev", {"Dev": {"retain_data": False}})

    assert str(refused.value).startswith("environments.Dev.environment: found 'Dev', allowed: text, ")
    assert len(str(refused.value).splitlines()) == 1


def test_reads_an_environment_of_a_few_lines() -> None:
    environment = {"retain_data": False, "bigmart": {"training": {"hyperparameters": {"n_estimators": 900}}}}

    settings = Settings.from_mapping("mine", {"mine": environment})

    assert settings.workload(big_mart.RECIPE).training.hyperparameters == {"n_estimators": 900}
    assert settings.tags == {"project": "headrace", "environment": "mine"}


def test_asks_what_becomes_of_the_data_and_nothing_else() -> None:
    assert [name for name, field in Settings.model_fields.items() if field.is_required()] == [
        "environment",
        "retain_data",
    ]


@pytest.mark.parametrize("section", ["bigmart", "images", "network", "storage", "file_systems", "normalizer"])
def test_takes_the_same_defaults_for_a_section_that_is_left_out_and_an_empty_one(section: str) -> None:
    left_out = Settings.from_mapping("mine", {"mine": {"retain_data": False}})

    assert Settings.from_mapping("mine", {"mine": {"retain_data": False, section: {}}}) == left_out


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("retain_data", "yes", "found 'yes', allowed: true or false"),
        ("bigmart.training.volume_gib", "30", "found '30', allowed: whole number, 1 to 16384"),
        ("bigmart.training.volume_gib", 0, "found 0, allowed: whole number, 1 to 16384"),
        (
            "bigmart.training.max_runtime_seconds",
            2_419_201,
            "found 2419201, allowed: whole number, 60 to 2419200",
        ),
        (
            "bigmart.training.hyperparameters",
            {"n": "x" * 257},
            "allowed: text, at most 256 characters",
        ),
        ("bigmart.preprocessing.train_test_split_ratio", 1, "found 1, allowed: number, between 0 and 1"),
        ("storage", 3, "found 3, allowed: object"),
        ("region", 5, "found 5, allowed: a Region such as eu-central-1, or null"),
        ("bigmart.endpoint.name", 5, "found 5, allowed: text of at most 63 letters, digits and hyphens, or null"),
        ("encryption.existing_key", 5, "found 5, allowed: the ARN of a key in the same Region, or null"),
        ("alarms.email", 5, "found 5, allowed: an address, or null"),
        ("alarms.endpoints.idle_days", 8, "found 8, allowed: a whole number from 1 to 7, or null"),
        ("storage.existing_raw_bucket", 5, "found 5, allowed: the name of a bucket in the same account and Region, or"),
        ("registry.existing", 5, "found 5, allowed: a registry of ECR and a prefix, such as 123456789012."),
        ("storage.access_log_days", "30", "found '30', allowed: whole number, 1 to 3650"),
        ("pipeline.log_retention_days", "30", "found '30', allowed: whole number, one of 1, 3, 5"),
        ("pipeline.log_retention_days", 29, "found 29: CloudWatch Logs keeps logs for one of 1, 3, 5"),
        (
            "bigmart.endpoint.instance_type",
            "m5.large",
            "found 'm5.large', allowed: text, an instance",
        ),
        (
            "bigmart.endpoint.instance_type",
            "ml.m4.xlarge",
            "found 'ml.m4.xlarge': the m4 family is retired; use a current one",
        ),
        (
            "bigmart.training.instance_type",
            "ml.m7g.xlarge",
            "found 'ml.m7g.xlarge': jobs and our container images do not run on Graviton (m7g)",
        ),
        (
            "bigmart.training.instance_type",
            "ml.t4g.large",
            "found 'ml.t4g.large': jobs and our container images do not run on Graviton (t4g)",
        ),
    ],
)
def test_says_what_was_found_and_what_is_allowed(path: str, value: Any, reason: str) -> None:
    message = refusal(path, value)

    assert message.startswith(f"environments.dev.{path}")
    assert reason in message


def test_names_every_mistake_at_once() -> None:
    environments = environments_with("bigmart.training.volume_gib", 0)
    environments["dev"]["registry"] = {"container_images_kept": 0}

    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping("dev", environments)

    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "environments.dev.bigmart.training.volume_gib",
        "environments.dev.registry.container_images_kept",
    ]


def test_refuses_another_approver_where_nobody_has_to_approve() -> None:
    environments = environments_with("bigmart.approval", {"mode": "human"})
    environments["dev"]["people"] = {"enabled": True, "separate_approval": True}

    with pytest.raises(
        SettingsError, match=r"images\.approval\.mode: auto lets people serve what they have started"
    ) as refused:
        Settings.from_mapping("dev", environments)

    assert "bigmart.approval" not in str(refused.value)


def test_cannot_be_changed() -> None:
    settings = Settings.from_mapping("dev", read_context()["environments"])

    with pytest.raises(ValidationError, match="frozen"):
        settings.retain_data = True


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("network.cidr", "10.0.0.0/8", "found '10.0.0.0/8': a VPC for training needs a network from /16 to /24"),
        ("network.cidr", "10.0.0.1/16", "not an IPv4 network: 10.0.0.1/16 has host bits set"),
        ("network.cidr", "10.0.0.0/255.255.0.0", "AWS wants a network's length in bits; write 10.0.0.0/16"),
        ("network.interface_endpoints", ["logs", "logs"], "'logs' occurs twice"),
        ("network.interface_endpoints", ["s3"], "the network has a gateway to s3 already, at no cost"),
        ("network.interface_endpoints", ["no such"], "'no such' is not a service's name"),
        (
            "images.training.channels",
            [{"name": "a", "source": "s3", "path": "a/"}] * 2,
            "'a' occurs twice; rename one",
        ),
        ("network.availability_zones", 4, "found 4: give the number 2 or 3, or the names of the zones"),
        ("network.availability_zones", ["eu-west-1a"], "allowed: "),
        ("network.availability_zones", ["eu-west-1a", "eu-west-1"], "'eu-west-1' is not the name of a zone"),
        ("network.availability_zones", ["eu-west-1a", "eu-west-1a"], "'eu-west-1a' occurs twice; remove one"),
        ("network.availability_zones", ["eu-west-1a", "eu-west-2b"], "are zones of two Regions"),
        ("network.cidr", "172.17.0.0/16", "172.17.0.0/16 is what SageMaker's instances use inside of themselves"),
        ("network.cidr", "169.254.0.0/20", "169.254.0.0/16 is reserved for link-local addresses"),
        ("network.cidr", "127.0.0.0/16", "127.0.0.0/8 is reserved for loopback"),
        ("network.cidr", "224.0.0.0/16", "224.0.0.0/3 is reserved for multicast and beyond"),
        ("bigmart.training.hyperparameters", {"a": float("inf")}, "allowed: a finite number"),
        ("bigmart.training.hyperparameters", {"a": float("nan")}, "allowed: a finite number"),
        ("file_systems.fsx.import_events", ["NEW", "NEW"], "'NEW' occurs twice; remove one"),
        ("file_systems.fsx.export_events", ["NEW", "DELETED", "NEW"], "'NEW' occurs twice; remove one"),
        ("images.training.normalized.prefix", "images/../bigmart/", "give a prefix there that ends with '/'"),
        (
            "notebook.repository_url",
            "https://me:secret@github.com/a/b",
            "found 'https://...@github.com/a/b': a user name or password in it would stand in the template",
        ),
        ("file_systems.fsx.capacity_gib", 2000, "comes in 1200 GiB, 2400 GiB and multiples of 2400 GiB"),
        ("file_systems.fsx.throughput_mb_per_tib", 300, "found 300, allowed: 125 or 250 or 500 or 1000"),
        ("file_systems.fsx.deployment", "SCRATCH_1", 'allowed: "PERSISTENT_2" or "SCRATCH_2"'),
        ("file_systems.efs.infrequent_access_days", 10, "EFS moves files after one of 1, 7, 14, 30"),
        ("notebook.repository_url", "git@github.com:a/b", "allowed: "),
        ("permissions_boundary", "arn:aws:iam::1:policy/x", "allowed: "),
        ("cost.low", {"runs": 1}, "there is no assumption 'runs'"),
        ("cost.high", {"executions": -1}, "executions: expected a number of 0 or more, found '-1.0'"),
        ("cost.moderate", {"executions": "3"}, "cost.moderate.executions: found '3', allowed: number"),
    ],
)
def test_refuses_what_aws_would_refuse(path: str, value: Any, reason: str) -> None:
    message = refusal(path, value)

    assert message.startswith(f"environments.dev.{path}")
    assert reason in message


def test_refuses_a_channel_from_a_file_system_that_is_off() -> None:
    channels = [{"name": "train_lst", "source": "efs", "path": "/lists"}]

    first, second = refusal("images.training.channels", channels).splitlines()
    assert first == (
        "environments.dev: images.training.channels: channel 'train_lst' reads from efs, "
        "but file_systems.efs.enabled is false"
    )
    assert second.startswith(
        "environments.dev: images.training.normalized: channel 'train_lst' of a file system puts the job into the VPC"
    )


def lustre_per_run(channel: dict[str, str], **fsx: Any) -> str:
    """Why a file system for each execution is refused with a channel and other settings of it."""
    context = read_context()
    environment = context["environments"]["dev"]
    set_path(environment, "images.training.normalized", ...)
    set_path(environment, "images.training.channels", [{"name": "train_lst", **channel}])
    set_path(environment, "file_systems.fsx", {"enabled": True, "per_run": True, **fsx})
    try:
        Settings.from_mapping("dev", context["environments"])
    except SettingsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("channel", "fsx", "reason"),
    [
        ({"source": "s3", "path": "images/"}, {}, "per_run: no training channel reads from fsx"),
        ({"source": "fsx", "path": "/lists"}, {}, "there is nothing beside the raw bucket at /raw"),
        ({"source": "fsx", "path": "/rawer"}, {}, "there is nothing beside the raw bucket at /raw"),
        ({"source": "fsx", "path": "/raw/images", "access": "rw"}, {}, "set access to ro"),
        ({"source": "fsx", "path": "/raw"}, {"enabled": False}, "per_run: found true, but enabled is false"),
        ({"source": "fsx", "path": "/raw"}, {"deployment": "PERSISTENT_2"}, "deployment: found PERSISTENT_2"),
    ],
)
def test_refuses_what_a_file_system_for_each_execution_cannot_have(
    channel: dict[str, str], fsx: dict[str, Any], reason: str
) -> None:
    assert reason in lustre_per_run(channel, **fsx)


@pytest.mark.parametrize("fsx", [{}, {"deployment": "SCRATCH_2", "capacity_gib": 2400}, {"deployment": None}])
def test_takes_a_file_system_for_each_execution(fsx: dict[str, Any]) -> None:
    assert lustre_per_run({"source": "fsx", "path": "/raw/images/"}, **fsx) == ""


@pytest.mark.parametrize(
    ("source", "path", "reason"),
    [
        ("s3", "/images", "does not start with '/'"),
        ("sets", "/a", "does not start with '/'"),
        ("efs", "lists", "starts with '/'"),
    ],
)
def test_refuses_a_channel_path_of_the_wrong_form(source: str, path: str, reason: str) -> None:
    assert reason in refusal("images.training.channels", [{"name": "train", "source": source, "path": path}])


def test_refuses_a_notebook_that_could_not_stop_itself() -> None:
    environments = environments_with("notebook.enabled", True)
    environments["dev"]["notebook"]["direct_internet"] = False

    with pytest.raises(SettingsError, match=r"add 'sagemaker\.api' to network\.interface_endpoints, or a NAT gateway"):
        Settings.from_mapping("dev", environments)


def test_refuses_a_secret_without_the_repository_it_opens() -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:git"

    assert "needs the repository_url it opens" in refusal("notebook.repository_secret_arn", secret)


def normalized(**changes: Any) -> dict[str, Any]:
    """Photographs through the normalizer as in cdk.json, but for the changes."""
    settings: dict[str, Any] = read_context()["environments"]["dev"]["images"]["training"]["normalized"]
    return settings | changes


LIKENESS = "use colour rgb, fit stretch and output_format jpeg or png"


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"prefix": "photographs/"}, ".prefix", "found 'photographs/': the normalizer reads below 'images/' only"),
        ({"prefix": "images/photographs"}, ".prefix", "give a prefix there that ends with '/'"),
        ({"options": {"size": "9"}}, ".options", "there is no option 'size'; there are width, height"),
        (
            {"options": {}},
            ".options",
            f"colour grey, fit stretch and output_format jpeg would train on other photographs "
            f"than the endpoint sees; {LIKENESS}",
        ),
        ({"options": {"colour": "rgb", "fit": "cover"}}, ".options", LIKENESS),
        ({"options": {"colour": "rgb", "output_format": "webp"}}, ".options", LIKENESS),
        ({"connections": 0}, ".connections", "found 0, allowed: whole number, 1 to "),
        ({"door": "url"}, ".door", "unknown key; allowed: connections, consumer, options, prefix"),
    ],
)
def test_refuses_photographs_that_the_normalizer_or_the_job_could_not_handle(
    changes: dict[str, Any], key: str, reason: str
) -> None:
    message = refusal("images.training.normalized", normalized(**changes))

    assert message.startswith(f"environments.dev.images.training.normalized{key}: ")
    assert reason in message


def test_refuses_photographs_from_a_channel_and_from_the_normalizer() -> None:
    channels = [{"name": "validation", "source": "s3", "path": "images/photographs/"}]

    assert refusal("images.training.channels", channels) == (
        "environments.dev.images.training: channel 'validation' brings photographs, and so does 'normalized'; "
        "remove the channel, or set normalized to null"
    )


@pytest.mark.parametrize("path", ["../bigmart/", "images/./lists/", "images/lists/.."])
def test_refuses_a_channel_that_leads_elsewhere_than_it_says(path: str) -> None:
    channel = {"name": "train_lst", "source": "s3", "path": path}

    assert f"'{path}' leads through '.' or '..'; write where it leads to" in refusal(
        "images.training.channels", [channel]
    )


def test_refuses_photographs_from_a_normalizer_without_a_door() -> None:
    assert refusal("normalizer.function_url", False) == (
        "environments.dev: images.training.normalized.through: normalizer.function_url is off; turn it on, read "
        "through the other door, or set normalized to null and add the channels 'train' and 'validation'"
    )


@pytest.mark.parametrize(("names", "told"), [(["labelling", "search"], "labelling, search"), ([], "no entries")])
def test_refuses_to_read_as_a_consumer_that_does_not_exist(names: list[str], told: str) -> None:
    assert refusal("normalizer.consumers", consumers(*names)) == (
        f"environments.dev: images.training.normalized.consumer: found 'training', but normalizer.consumers has {told}"
    )


@pytest.fixture
def with_list_from_efs() -> dict[str, Any]:
    """Environments whose dev reads a list from EFS and photographs through the normalizer."""
    environments = environments_with("file_systems.efs.enabled", True)
    channel = {"name": "train_lst", "source": "efs", "path": "/lists/train"}
    set_path(environments["dev"], "images.training.channels", [channel])
    return environments


def test_refuses_a_job_that_the_network_cuts_off_from_the_normalizer(with_list_from_efs: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping("dev", with_list_from_efs)

    assert str(refused.value) == (
        "environments.dev: images.training.normalized: channel 'train_lst' of a file system puts the job into the VPC, "
        "whose isolated subnets lead to no door of the normalizer; let the list come from s3, add a NAT gateway with "
        "network.nat_gateways, or set normalized to null and add the channels 'train' and 'validation'"
    )


def test_takes_a_list_from_a_set_beside_the_normalizer() -> None:
    channels = [{"name": "train_lst", "source": "sets", "path": "lists/"}]

    Settings.from_mapping("dev", environments_with("images.training.channels", channels))


@pytest.mark.parametrize(
    ("path", "value"),
    [("network.nat_gateways", 1), ("network.existing", SWITCHES["existing-network"]["network.existing"])],
)
def test_takes_a_network_that_may_lead_to_the_normalizer(
    with_list_from_efs: dict[str, Any], path: str, value: Any
) -> None:
    set_path(with_list_from_efs["dev"], path, value)

    training = Settings.from_mapping("dev", with_list_from_efs).workload(images.RECIPE).training

    assert isinstance(training, ChannelTrainingSettings)
    assert training.normalized


def consumers(*names: str, **options: str) -> list[dict[str, Any]]:
    return [{"name": name, "options": options} for name in names]


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("normalizer.timeout_seconds", 61, "found 61, allowed: whole number, 30 to 60"),
        ("normalizer.bulk.connections", 513, "found 513, allowed: whole number, 1 to 512"),
        (
            "normalizer.bulk.instance_type",
            "ml.m6g.large",
            "container images do not run on Graviton (m6g)",
        ),
        ("normalizer.bulk.volume_gb", 30, "unknown key (did you mean 'volume_gib'?)"),
        ("normalizer.consumers", consumers("a", "a"), "every consumer needs its own name"),
        ("normalizer.consumers", consumers("Team"), "allowed: "),
        ("normalizer.consumers", consumers("a", width="0"), "width is 0, which is not between 1 and 2048"),
        ("normalizer.consumers", consumers("a", size="9"), "there is no option 'size'; there are width, height"),
        (
            "normalizer.consumers",
            [{"name": "a", "transformation": "os"}],
            "no transformation 'os'; there are image, text",
        ),
        (
            "normalizer.consumers",
            [{"name": "a", "transformation": "text", "options": {"width": "9"}}],
            "there is no option 'width'; there are encoding",
        ),
        (
            "normalizer.consumers",
            [{"name": "training", "transformation": "text"}],
            "images.training.normalized.consumer: 'training' reads 'text', and the job photographs",
        ),
    ],
)
def test_refuses_a_normalizer_that_could_not_work(path: str, value: Any, reason: str) -> None:
    assert reason in refusal(path, value)


def test_refuses_object_lambda_without_anybody_to_read_through_it() -> None:
    environments = environments_with("normalizer.object_lambda", True)
    environments["dev"]["normalizer"]["consumers"] = []

    with pytest.raises(SettingsError, match="gives each consumer a door, and there is no consumer"):
        Settings.from_mapping("dev", environments)


def test_names_an_object_lambda_access_point_after_environment_and_consumer_or_as_the_settings_say() -> None:
    named = [{"name": "training", "options": {}}, {"name": "labelling", "object_lambda_name": "pictures"}]
    settings = Settings.from_mapping("dev", environments_with("normalizer.consumers", named))

    names = [settings.object_lambda_name(consumer) for consumer in settings.normalizer.consumers]

    assert names == ["headrace-dev-training", "pictures"]


def test_refuses_one_object_lambda_name_for_two_consumers() -> None:
    named = [{"name": name, "object_lambda_name": "pictures"} for name in ("training", "labelling")]
    environments = environments_with("normalizer.consumers", named)
    environments["dev"]["normalizer"]["object_lambda"] = True

    with pytest.raises(SettingsError, match=r"consumers training and labelling: .* another object_lambda_name"):
        Settings.from_mapping("dev", environments)


@pytest.mark.parametrize(
    ("environment", "other", "reason"),
    [
        (
            "averylongname",
            {"name": "labelling-team-of-the-north"},
            "is not a name of 3 to 45 lower-case letters.*; give it an object_lambda_name",
        ),
        ("dev", {"name": "a", "object_lambda_name": "headrace-dev-training"}, "are the same apart from hyphens"),
        (
            "dev",
            {"name": "a", "object_lambda_name": "headrace-dev--training"},
            "give one of them another object_lambda_name",
        ),
    ],
)
def test_refuses_names_that_object_lambda_access_points_cannot_have(
    environment: str, other: dict[str, str], reason: str
) -> None:
    environments = {environment: environments_with("normalizer.consumers", [{"name": "training"}, other])["dev"]}
    Settings.from_mapping(environment, environments)
    environments[environment]["normalizer"]["object_lambda"] = True

    with pytest.raises(SettingsError, match=reason):
        Settings.from_mapping(environment, environments)


@pytest.mark.parametrize(
    ("context", "target"),
    [({}, BundleTarget.GRAVITON), ({contract.BUNDLE_TARGET_CONTEXT: "host"}, BundleTarget.HOST)],
)
def test_bundles_functions_for_graviton_unless_told_otherwise(context: dict[str, str], target: BundleTarget) -> None:
    assert read_bundle_target(open_app(context).node) is target


def test_refuses_a_place_where_functions_cannot_run() -> None:
    app = open_app({contract.BUNDLE_TARGET_CONTEXT: "moon"})

    with pytest.raises(SettingsError, match="context 'bundle_target': found 'moon', allowed: graviton, host"):
        read_bundle_target(app.node)


def test_lets_the_settings_name_an_endpoint() -> None:
    settings = Settings.from_mapping("dev", environments_with("bigmart.endpoint.name", "shop"))

    assert settings.endpoint_name(big_mart.RECIPE) == "shop"
    assert settings.endpoint_name(images.RECIPE) == "headrace-dev-images"


def test_refuses_an_endpoint_name_that_sagemaker_does_not_allow() -> None:
    assert "bigmart.endpoint.name: found 'my_shop'" in refusal("bigmart.endpoint.name", "my_shop")


def test_refuses_one_endpoint_for_two_workloads() -> None:
    for name in ("headrace-dev-images", "Headrace-Dev-Images"):
        assert "'headrace-dev-images' is another workload's endpoint already" in refusal("bigmart.endpoint.name", name)


def test_refuses_a_workload_that_is_called_as_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"network": WorkloadSections.model_fields["bigmart"]}
    monkeypatch.setattr("stacks.settings.environment.WorkloadSections", type("Sections", (), {"model_fields": fields}))

    with pytest.raises(SettingsError, match="recipe network: 'network' is a setting of every environment"):
        Settings.from_mapping("dev", {"dev": {"retain_data": False}})


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"project": ""},
        {"cost centre": "R+D", "Größe": "5 m/s", "team:mail": "a.b@example.com", "_=-": "x"},
        {"k" * 128: "v" * 256},
        {f"tag{number}": "" for number in range(45)},
    ],
)
def test_takes_every_tag_that_aws_takes(tags: dict[str, str]) -> None:
    settings = Settings.from_mapping("dev", environments_with("tags", tags))

    assert settings.tags == {**tags, "environment": "dev"}
    assert settings.job_tags("bigmart") == {"workload": "bigmart", "environment": "dev", **tags}


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({f"tag{number}": "" for number in range(48)}, "48 tags; AWS keeps 50 on a resource"),
        ({"": "x"}, "a tag's key has 1 to 128 characters, and this one 0"),
        ({"k" * 129: "x"}, "a tag's key has 1 to 128 characters, and this one 129"),
        ({"a": "v" * 257}, "the value of 'a' has 257 characters, at most 256 are allowed"),
        ({"aws:team": "x"}, "keys that begin with 'aws:' are AWS's own"),
        ({"AWS:team": "x"}, "keys that begin with 'aws:' are AWS's own"),
        ({"Team": "a", "team": "b"}, "'team' occurs twice; IAM ignores case in keys"),
        ({"a;b": "x"}, "the key 'a;b' has the character ';'"),
        ({"a": "{% $states.input %}"}, "the value of 'a' has the character '{'"),
        ({"a": "two\nlines"}, "the value of 'a' has the character '\\n'"),
        ({"a": 5}, "allowed: "),
        ({f"tag{number}": "" for number in range(46)}, "46 tags, and everything has 'environment', too"),
        ({"environment": "stage"}, "everything has 'environment' with the name of the environment, 'dev'"),
        ({"Environment": "dev"}, "everything has 'environment' with the name of the environment, 'dev'"),
        ({"workload": "bigmart"}, "'workload' is set by what executions make"),
        ({"headrace:execution": "run-1"}, "'headrace:execution' is set by what executions make"),
    ],
)
def test_refuses_tags_that_aws_refuses_or_that_say_whose_something_is(tags: dict[str, Any], reason: str) -> None:
    assert reason in refusal("tags", tags)
