"""The table of types: every type that an environment can have is in it, with a switch where it costs something."""

from pathlib import Path
from typing import Any

import pytest

from headrace.inventory import KINDS, Item, Maker, list_items, price, usual_prices
from headrace.inventory.charges import charge_nothing
from tests.stacks.conftest import SWITCHES, VARIANTS, context_of
from tests.stacks.synthesis import read_synthesized


def list_of(variant: str) -> list[Item]:
    return list(list_items(read_synthesized(context_of(variant))))


@pytest.mark.parametrize("variant", VARIANTS)
def test_knows_and_prices_everything_that_a_variant_has(variant: str) -> None:
    priced = [price(item, usual_prices()) for item in list_of(variant)]

    assert [each.item.kind for each in priced if each.unpriced] == []


@pytest.mark.parametrize("variant", SWITCHES)
def test_names_the_switch_of_what_it_turned_on_that_costs_something(variant: str) -> None:
    names = {(item.stack, item.name) for item in list_of("dev")}
    added = [item for item in list_of(variant) if (item.stack, item.name) not in names]

    switches = {each.item.name: each.switch for each in (price(i, usual_prices()) for i in added) if each.monthly}

    turned_on = tuple(SWITCHES[variant])
    for name, switch in switches.items():
        assert any(a.startswith(b) or b.startswith(a) for a in switch.split(", ") for b in turned_on), name


def test_has_only_prices_that_are_in_the_file() -> None:
    assert [name for kind in KINDS.values() for name in kind.metered if name not in usual_prices().prices] == []


def test_uses_every_type_of_the_table() -> None:
    made = {item.kind for variant in VARIANTS for item in list_of(variant)}
    project = Path(__file__).parents[3] / "headrace"
    # A teardown says of executions and stacks, too, what has become of them.
    readers = (
        "inventory/jobs.py",
        "inventory/run_time.py",
        "inventory/classifiers.py",
        "deletion/serving.py",
        "deletion/stacks.py",
    )
    run = "".join((project / reader).read_text() for reader in readers)

    assert [kind for kind in KINDS.keys() - made if f'"{kind}"' not in run] == []


def test_has_a_switch_for_every_type_that_always_costs() -> None:
    always = [name for name, kind in KINDS.items() if kind.standing is not charge_nothing and not kind.switches]

    # A nested stack is what is in it, and a job ends by itself.
    jobs = [f"AWS::SageMaker::{name}Job" for name in ("Processing", "Training", "Transform")]
    assert sorted(always) == ["AWS::CloudFormation::Stack", *jobs]


def test_says_what_it_cannot_price() -> None:
    table = Item(kind="AWS::DynamoDB::Table", name="Orders", maker=Maker.TEMPLATE)

    assert price(table, usual_prices()).unpriced == "the type AWS::DynamoDB::Table is not priced"


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        # A job may have groups of instances instead.
        ("TrainingJob", {"Status": "InProgress", "InstanceCount": 1}, "InstanceType of it is not set"),
        ("Endpoint", {"ProductionVariants": [{"VariantName": "a"}]}, "InstanceType of it is not set"),
        (
            "Endpoint",
            {"ProductionVariants": [{"InstanceType": {"Ref": "Type"}}]},
            "InstanceType of it is known after its deployment only",
        ),
        ("NotebookInstance", {"InstanceType": "ml.t3.medium"}, "whether it runs is not known"),
        ("NotebookInstance", {"Status": "InService"}, "InstanceType of it is not set"),
    ],
)
def test_says_what_it_must_know_of_instances(kind: str, properties: dict[str, Any], reason: str) -> None:
    item = Item(kind=f"AWS::SageMaker::{kind}", name="it", maker=Maker.STACK, properties=properties)

    assert price(item, usual_prices()).unpriced == reason


@pytest.mark.parametrize(
    ("maker", "status", "monthly"),
    [
        (Maker.STACK, "InService", 5 * 0.14 + 730 * 0.05),
        (Maker.STACK, "Updating", 5 * 0.14 + 730 * 0.05),
        (Maker.STACK, "Stopped", 5 * 0.14),
        (Maker.STACK, "Failed", 5 * 0.14),
        (Maker.TEMPLATE, None, 5 * 0.14 + 730 * 0.05),
    ],
)
def test_a_notebook_costs_its_instance_until_it_has_stopped(maker: Maker, status: str | None, monthly: float) -> None:
    properties = {"InstanceType": "ml.t3.medium", "VolumeSizeInGB": 5, **({"Status": status} if status else {})}
    notebook = Item(kind="AWS::SageMaker::NotebookInstance", name="it", maker=maker, properties=properties)

    assert round(price(notebook, usual_prices()).monthly, 6) == round(monthly, 6)


def test_takes_the_notebook_of_a_template_for_stopped_where_a_script_can_stop_it() -> None:
    properties = {"InstanceType": "ml.t3.medium", "VolumeSizeInGB": 5, "LifecycleConfigName": "stop-when-idle"}
    notebook = Item(kind="AWS::SageMaker::NotebookInstance", name="it", maker=Maker.TEMPLATE, properties=properties)

    assert price(notebook, usual_prices()).monthly == pytest.approx(5 * 0.14)


def test_does_not_take_a_nested_stack_for_free() -> None:
    nested = Item(kind="AWS::CloudFormation::Stack", name="Nested", maker=Maker.TEMPLATE)

    assert price(nested, usual_prices()).unpriced == "what Nested has is in another template: price that one, too"
