"""An environment that lives on a local cloud while its settings change, and what each change did to it."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from headrace import contract
from headrace.assemblies import Assembly, read_deployed, read_folder
from headrace.assemblies.assembly import list_resources
from headrace.changes import Effect, Plan, make_plan
from headrace.changes.kinds import ADDRESSES, HOLDS
from headrace.changes.planning import Verb, follow
from headrace.changes.world import World
from headrace.deletion.buckets import empty
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.stand_ins import make_stand_ins
from tests.census import Census, Thing
from tests.deploying import deploy
from tests.holdings import Holding, fill
from tests.stacks.synthesis import assemble
from tests.stacks.transitions import configure

# The name of a stack, and a resource's logical id.
Place = tuple[str, str]
_VERSION = "AWS::StepFunctions::StateMachineVersion"
_GOING = (Effect.REPLACED, Effect.DELETED, Effect.LEFT_BEHIND)


@dataclass(frozen=True)
class Change:
    """A change of settings, as it was planned and as it went.

    Args:
        plan: What `headrace changes` said.
        expected: Where it expected another resource afterwards, or none.
        before: What stood in the stacks before,
        after: and afterwards.
        astray: What is not as the templates say.
        left: What the account has in no stack since then.
        taken: What it had in no stack, and has in one since then.
        kept: How many resources hold what was put there.
        lost: Those that do not any more.
    """

    plan: Plan
    expected: frozenset[Place]
    before: Mapping[Place, Thing]
    after: Mapping[Place, Thing]
    astray: tuple[str, ...]
    left: frozenset[Thing]
    taken: frozenset[Thing]
    kept: int
    lost: frozenset[Place]

    @property
    def gone(self) -> frozenset[Place]:
        """Where another resource stands afterwards, or none."""
        # Which revisions of a state machine an update makes is in no template; versions of before stay.
        places = {place: thing for place, thing in self.before.items() if thing[0] != _VERSION}
        return frozenset(place for place, thing in places.items() if self.after.get(place) != thing)

    def list_faults(self) -> list[str]:
        """What went otherwise than it was said."""
        going, behind = self._find(*_GOING), {self.before[place] for place in self._find(Effect.LEFT_BEHIND)}
        matter = {place for place in self.gone if self.before[place][0] in {**HOLDS, **ADDRESSES}}
        return [
            *(f"it was said: {finding}" for finding in self.plan.findings if finding.effect.is_failure),
            *self.astray,
            *(f"{place} does not hold what it held, unsaid" for place in sorted(self.lost - going)),
            *(f"{place} is gone, unsaid" for place in sorted(matter - going)),
            *(f"{place} has not gone, as was said" for place in sorted(going - self.gone)),
            *(f"{thing} is left over, unsaid" for thing in sorted(self.left - behind)),
            *(f"{thing} is not left behind, as was said" for thing in sorted(behind - self.left)),
            *(f"{thing} is in a stack again, unsaid" for thing in sorted(self.taken)),
            *(f"{place} stays, which was to be another or none" for place in sorted(self.expected - self.gone)),
            *(f"{place} is another or none, which was to stay" for place in sorted(self.gone - self.expected)),
        ]

    def _find(self, *effects: Effect) -> frozenset[Place]:
        return frozenset((self.plan.names[f.stack], f.resource) for f in self.plan.findings if f.effect in effects)

    def describe(self) -> dict[str, Any]:
        """What was said and what happened, for people."""
        return {
            "commands": self.plan.list_commands(),
            "said": [f"{finding.effect}: {finding}" for finding in self.plan.findings],
            "happened": [
                f"{self.kept} hold what was put there, byte for byte",
                *(f"{self._spell(place)}: is gone, with what it held" for place in sorted(self.lost)),
                *(
                    f"{self._spell(place)}: stands without a stack"
                    for place, thing in sorted(self.before.items())
                    if thing in self.left
                ),
            ],
        }

    def _spell(self, place: Place) -> str:
        kind = f" ({self.before[place][0]})" if place in self.before else ""
        return f"{'/'.join(place)}{kind}"


class LivingEnvironment:
    """An environment on a local cloud, with something in all that holds data; `clients_of` leads to it.

    Args:
        cloud: Where it is deployed.
        name: Which of cdk.json.
        first: The synthesized app that it lives from at first; by default, cdk.json's settings.
    """

    def __init__(self, cloud: LocalCloud, name: str, first: Path | None = None) -> None:
        self._cloud = cloud
        self._name = name
        self._formation: Any = boto3.client("cloudformation")
        self._census = Census(cloud)
        self._world = World()
        self._held: dict[Thing, tuple[Place, Holding]] = {}
        self.bring_to(first) if first else self.change({})

    def change(self, settings: Mapping[str, Any], *, by: Callable[[LocalCloud, Path], object] | None = None) -> Change:
        """Bring it to cdk.json's settings with these changes, as the command says.

        Args:
            settings: The changes.
            by: What deploys all stacks, where it is not CloudFormation's API in this process.
        """
        return self.bring_to(assemble(configure(self._name, copy.deepcopy(dict(settings)))), by=by)

    def bring_to(
        self, folder: Path, *, between: Path | None = None, by: Callable[[LocalCloud, Path], object] | None = None
    ) -> Change:
        """Bring it to a synthesized app, as the command says.

        Args:
            folder: The app.
            between: The same with both kinds of references, for stacks that still import exports.
            by: What deploys all stacks, where it is not CloudFormation's API in this process.
        """
        make_stand_ins(folder)
        wanted = read_folder(folder)
        both = read_folder(between) if between else None
        plan = make_plan(read_deployed(self._formation, self._name, wanted.stack_names), wanted, between=both)
        before = self.read_standing()
        alone = self._census.take() - {*before.values()}
        self._obey(plan, folder, between, before, by or (lambda _, folder: deploy(folder)))
        expected = self._follow(plan, wanted, both)
        after = self.read_standing()
        left = self._census.take() - {*after.values()} - alone
        lost = self._drop_lost()
        kept = len(self._held)
        self._fill(after)
        astray = tuple(self._list_astray(wanted, after))
        return Change(
            plan, expected, before, after, astray, frozenset(left), frozenset(alone & {*after.values()}), kept, lost
        )

    def read_standing(self) -> dict[Place, Thing]:
        """Each resource that stands in a stack."""
        return {
            (name, each["LogicalResourceId"]): (each["ResourceType"], each["PhysicalResourceId"])
            for name in self._describe_stacks()
            for each in self._formation.describe_stack_resources(StackName=name)["StackResources"]
        }

    def _describe_stacks(self) -> dict[str, dict[str, Any]]:
        pages = self._formation.get_paginator("describe_stacks").paginate()
        prefix = contract.stack_name(self._name, "")
        return {s["StackName"]: s for page in pages for s in page["Stacks"] if s["StackName"].startswith(prefix)}

    def _obey(
        self,
        plan: Plan,
        folder: Path,
        between: Path | None,
        before: Mapping[Place, Thing],
        deploy_all: Callable[[LocalCloud, Path], object],
    ) -> None:
        """Do what a person would who read the plan."""
        for stack in plan.protected:
            self._formation.update_termination_protection(
                StackName=plan.names[stack], EnableTerminationProtection=False
            )
        for finding in plan.findings:
            if finding.effect is Effect.NOT_EMPTY:
                empty(before[plan.names[finding.stack], finding.resource][1])
        for step in plan.steps:
            if step.verb is Verb.DEPLOY_FIRST:
                deploy(folder, *step.stacks)
            elif step.verb is Verb.DEPLOY_BOTH and between:
                deploy(between)
            else:
                assert step.verb is Verb.DEPLOY_ALL
                deploy_all(self._cloud, folder)

    def _follow(self, plan: Plan, wanted: Assembly, between: Assembly | None) -> frozenset[Place]:
        """Where the templates have another resource after a plan, or none."""
        made = self._world.made
        self._world = follow(self._world, plan, wanted, between=between)
        now = self._world.made
        return frozenset(
            (plan.names[stack], logical_id)
            for (stack, logical_id), thing in made.items()
            if (stack, logical_id) not in now or now[stack, logical_id].identity != thing.identity
        )

    def _drop_lost(self) -> frozenset[Place]:
        lost = {thing: place for thing, (place, holding) in self._held.items() if not holding.is_whole()}
        self._held = {thing: held for thing, held in self._held.items() if thing not in lost}
        return frozenset(lost.values())

    def _fill(self, standing: Mapping[Place, Thing]) -> None:
        for place, thing in standing.items():
            if thing not in self._held and (holding := fill(self._cloud, *thing)):
                self._held[thing] = place, holding

    def _list_astray(self, wanted: Assembly, standing: Mapping[Place, Thing]) -> Iterator[str]:
        """What is not as the templates say: stacks, their states, templates and resources."""
        described = self._describe_stacks()
        named = {wanted.stack_names[stack]: template for stack, template in wanted.templates.items()}
        asked = {name: template for name, template in named.items() if list_resources(template)}
        yield from (f"stack {name} is {'missing' if name in asked else 'left'}" for name in asked ^ described.keys())
        for name in asked.keys() & described.keys():
            if described[name]["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                yield f"stack {name} is {described[name]['StackStatus']}"
            if self._formation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"] != asked[name]:
                yield f"stack {name} has another template"
            has = {logical_id: kind for (stack, logical_id), (kind, _) in standing.items() if stack == name}
            if has != (says := {i: r["Type"] for i, r in list_resources(asked[name]).items()}):
                yield f"stack {name} has {has.items() - says.items()} and lacks {says.items() - has.items()}"
