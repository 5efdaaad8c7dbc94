"""In which order to deploy, so that nothing is refused, held up or interrupted where an order can help."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import chain, combinations

from headrace import contract
from headrace.assemblies.assembly import Assembly, Template, list_resources
from headrace.changes.costs import estimate_month
from headrace.changes.findings import Effect, Finding
from headrace.changes.world import World

BOTH_REFERENCES = "@aws-cdk/core:defaultCrossStackReferences=both"


class Verb(Enum):
    """What a step does."""

    DEPLOY_BOTH = auto()
    DEPLOY_FIRST = auto()
    DEPLOY_ALL = auto()
    DEPLOY_AGAIN = auto()
    DELETE = auto()


@dataclass(frozen=True)
class Step:
    """One command, and the stacks that it deploys or deletes, in their order."""

    verb: Verb
    stacks: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """How to bring a living environment to other templates, and what that does.

    Args:
        steps: The commands, in order.
        findings: What they do that is worth a word.
        names: The stacks' names in CloudFormation, by id.
        protected: The stacks that CloudFormation does not delete as they are.
        region: Where all that happens; None where the AWS clients decide.
        has_object_lambda: Whether it tries what AWS may refuse the account, after everything else.
    """

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    names: dict[str, str]
    protected: frozenset[str]
    region: str | None = None
    has_object_lambda: bool = False

    @property
    def is_dangerous(self) -> bool:
        """Whether something is replaced, deleted or left over, or goes wrong."""
        return any(finding.effect.is_dangerous for finding in self.findings)

    @property
    def fails(self) -> bool:
        """Whether something goes wrong in whatever order."""
        return any(finding.effect.is_failure for finding in self.findings)

    def list_commands(self, environment: str | None = None) -> list[str]:
        """The commands for a shell.

        Args:
            environment: Which of cdk.json they are for, where that is known.
        """
        named = f" --context {shlex.quote(f'env={environment}')}" if environment else ""
        return [command for step in self.steps for command in self._spell(step, named, environment)]

    def _spell(self, step: Step, options: str, environment: str | None) -> Iterator[str]:
        match step.verb:
            case Verb.DEPLOY_BOTH:
                yield self._deploy_all(environment, options, f" --context {BOTH_REFERENCES}")
            case Verb.DEPLOY_FIRST:
                yield f"cdk deploy --exclusively {' '.join(step.stacks)}{options}"
            case Verb.DEPLOY_ALL:
                yield from (self._unprotect(stack) for stack in step.stacks if stack in self.protected)
                yield self._deploy_all(environment, options)
            case Verb.DEPLOY_AGAIN:
                yield f"cdk deploy --exclusively --force {' '.join(step.stacks)}{options}"
            case Verb.DELETE:
                for stack in step.stacks:
                    if stack in self.protected:
                        yield self._unprotect(stack)
                    yield self._call("delete-stack", stack)
                    yield self._call("wait stack-delete-complete", stack)

    def _deploy_all(self, environment: str | None, options: str, further: str = "") -> str:
        """The command for all stacks; `cdk` would end with 1 where the account is refused Object Lambda alone."""
        if environment and self.has_object_lambda:
            return f"headrace deploy --env {shlex.quote(environment)}{f' --{further}' if further else ''}"
        return f"cdk deploy --all{options}{further}"

    def _unprotect(self, stack: str) -> str:
        return self._call("update-termination-protection --no-enable-termination-protection", stack)

    def _call(self, command: str, stack: str) -> str:
        """A command of the AWS CLI, which knows nothing of the settings' Region."""
        place = f" --region {self.region}" if self.region else ""
        return f"aws cloudformation {command} --stack-name {self.names[stack]}{place}"


def make_plan(old: Assembly, new: Assembly, *, between: Assembly | None = None, world: World | None = None) -> Plan:
    """The order of deployments that does least harm, and what it does.

    Args:
        old: What is deployed.
        new: What is to be deployed.
        between: The new one with both kinds of references, for templates whose stacks still import exports.
        world: What stands beside the stacks, from earlier changes; it is left as it is.
    """
    if old.templates and old.region and new.region and old.region != new.region:
        return _begin_elsewhere(old, new)
    start = world or World.of(old)
    candidates = list(_list_candidates(start, old, new, between))
    steps, findings = min(
        ((steps, _walk(start, steps, new, between).close()) for steps in candidates),
        key=lambda candidate: _weigh(*candidate),
    )
    findings = [*_list_leftovers(old, new), *findings]
    going = {stack for step in steps if step.verb is Verb.DELETE for stack in step.stacks}
    emptied = {stack for stack, template in new.templates.items() if not list_resources(template)} - going
    protected = old.protected & (going | emptied)
    steps = [
        replace(step, stacks=tuple(sorted(emptied & old.templates.keys()))) if step.verb is Verb.DEPLOY_ALL else step
        for step in steps
    ]
    names = {**old.stack_names, **new.stack_names}
    return Plan(tuple(steps), tuple(findings), names, protected, new.region, _has_object_lambda(new))


def _begin_elsewhere(old: Assembly, new: Assembly) -> Plan:
    """What `cdk deploy` does in another Region: everything anew, beside what stands."""
    findings = []
    for stack, template in old.templates.items():
        monthly = _estimate_stack(template)
        text = f"stands in {old.region}; `cdk deploy` makes another one in {new.region} and leaves it{_say(monthly)}"
        findings.append(Finding(Effect.ELSEWHERE, stack, "", "", text, monthly))
    names = dict(new.stack_names)
    steps = (Step(Verb.DEPLOY_ALL, ()),)
    return Plan(steps, tuple(findings), names, frozenset(), has_object_lambda=_has_object_lambda(new))


def _has_object_lambda(assembly: Assembly) -> bool:
    return bool(list_resources(assembly.templates.get(contract.OBJECT_LAMBDA_STACK, {})))


def follow(world: World, plan: Plan, new: Assembly, *, between: Assembly | None = None) -> World:
    """What stands after a plan's commands."""
    return _walk(world, plan.steps, new, between)


def _walk(start: World, steps: Iterable[Step], new: Assembly, between: Assembly | None) -> World:
    """Go through the steps until CloudFormation refuses one."""
    world = start.copy()
    world.learn(new)
    for step in steps:
        source = between if step.verb is Verb.DEPLOY_BOTH and between else new
        order = source.deploy_order() if step.verb in (Verb.DEPLOY_ALL, Verb.DEPLOY_BOTH) else step.stacks
        for stack in order:
            if step.verb is Verb.DELETE:
                went_on = world.delete(stack)
            else:
                went_on = world.deploy(stack, source.templates[stack], force=step.verb is Verb.DEPLOY_AGAIN)
            if not went_on:
                return world
    return world


def _list_candidates(start: World, old: Assembly, new: Assembly, between: Assembly | None) -> Iterator[list[Step]]:
    leftovers = _find_leftovers(old, new)
    plain = [Step(Verb.DEPLOY_ALL, ()), *_delete(leftovers)]
    yield plain
    seen = start.copy(is_lenient=True)
    seen.learn(new)
    for stack in new.deploy_order():
        seen.deploy(stack, new.templates[stack])
    findings = seen.close()
    stale = _in_order({f.stack for f in findings if f.effect is Effect.STALE} & new.templates.keys(), new)
    for users in _list_users(findings):
        first = list(_list_first(start, old, new, users))
        early = [stack for step in first if step.verb is Verb.DELETE for stack in step.stacks]
        rest = _delete([stack for stack in leftovers if stack not in early])
        if first:
            yield [*first, Step(Verb.DEPLOY_ALL, ()), *rest]
        if stale:
            yield [*first, Step(Verb.DEPLOY_ALL, ()), Step(Verb.DEPLOY_AGAIN, tuple(stale)), *rest]
    if between:
        yield [Step(Verb.DEPLOY_BOTH, ()), *plain]


def _list_users(findings: Sequence[Finding]) -> Iterator[set[str]]:
    """Which stacks may go first: all that are in the way or feel something, or only those that something fails of."""
    felt = [finding for finding in findings if finding.effect is not Effect.STALE]
    everyone = {user for finding in felt for user in finding.users}
    yield everyone
    if (in_the_way := {user for finding in felt if finding.effect.is_failure for user in finding.users}) < everyone:
        yield in_the_way


def _list_first(start: World, old: Assembly, new: Assembly, users: set[str]) -> Iterator[Step]:
    """Consumers that can go first, because what they are to use stands already, or can be deployed before them."""
    world = start.copy()
    world.learn(new)
    for stack in reversed(old.deploy_order()):
        if stack in users and not list_resources(new.templates.get(stack, {})):
            if world.delete(stack):
                yield Step(Verb.DELETE, (stack,))
        elif stack in users:
            for each in (stacks := _choose_first(world, stack, new)):
                world.deploy(each, new.templates[each])
            if stacks:
                yield Step(Verb.DEPLOY_FIRST, stacks)


def _choose_first(world: World, stack: str, new: Assembly) -> tuple[str, ...]:
    """A stack, after as few as need be of the changed ones that have what it uses; none if it is there or cannot be."""
    if world.templates.get(stack) == new.templates[stack]:
        return ()
    standing = (other for other in new.find_producers(stack) if list_resources(new.templates[other]))
    changed = {other for other in standing if world.templates.get(other) != new.templates[other]}
    before = _in_order(changed, new)
    for producers in chain.from_iterable(combinations(before, count) for count in range(len(before) + 1)):
        stacks, tried = (*producers, stack), world.copy()
        if all(tried.deploy(each, new.templates[each]) for each in stacks):
            return stacks
    return ()


def _find_leftovers(old: Assembly, new: Assembly) -> list[str]:
    """The stacks that no command of CDK's deletes, because the app does not know them any more; consumers first."""
    return [stack for stack in reversed(old.deploy_order()) if stack not in new.templates]


def _list_leftovers(old: Assembly, new: Assembly) -> Iterator[Finding]:
    for stack in _find_leftovers(old, new):
        monthly = _estimate_stack(old.templates[stack])
        text = f"is not in the app any more; `cdk deploy --all` leaves it where it is{_say(monthly)}"
        yield Finding(Effect.LEFT_OVER, stack, "", "", text, monthly)


def _estimate_stack(template: Template) -> float:
    resources = list_resources(template).values()
    return sum(estimate_month(resource["Type"], resource.get("Properties", {})) for resource in resources)


def _say(monthly: float) -> str:
    return f", at about {monthly:.0f} USD a month" if monthly >= 1 else ""


def _delete(stacks: Sequence[str]) -> list[Step]:
    return [Step(Verb.DELETE, (stack,)) for stack in stacks]


def _in_order(stacks: set[str], assembly: Assembly) -> list[str]:
    return [stack for stack in assembly.deploy_order() if stack in stacks]


def _weigh(steps: Sequence[Step], findings: Sequence[Finding]) -> tuple[int, ...]:
    """The worse, the more."""
    effects = [finding.effect for finding in findings]
    refused = sum(effect in (Effect.REFUSED, Effect.NAME_TAKEN) for effect in effects)
    failed = sum(effect.is_failure for effect in effects)
    return refused, failed, len(effects), len(steps)
