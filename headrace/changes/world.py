"""An account while stacks are deployed to it one after the other, as far as templates say."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from headrace.assemblies.assembly import (
    Assembly,
    Name,
    Template,
    creation_order,
    list_imports,
    list_resources,
    read_property,
)
from headrace.changes import kinds
from headrace.changes.costs import describe_cost, estimate_month
from headrace.changes.findings import Effect, Finding
from headrace.changes.resolving import (
    Identity,
    Made,
    UnresolvedError,
    list_identities,
    overlap,
    resolve,
    show,
)


class World:
    """What stands: the stacks' templates, their resources, and what stays without a stack.

    Args:
        is_lenient: Whether what CloudFormation refuses happens all the same, to see what else would.
    """

    def __init__(self, *, is_lenient: bool = False) -> None:
        self.templates: dict[str, Template] = {}
        self.made: dict[Name, Made] = {}
        self.findings: list[Finding] = []
        self._is_lenient = is_lenient
        self._ids: dict[str, str] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._numbers: Counter[Name] = Counter()
        self._kept: list[Made] = []
        self._gone: list[tuple[Made, list[Made]]] = []

    @classmethod
    def of(cls, assembly: Assembly) -> Self:
        """What stands once an assembly is deployed to an empty account."""
        world = cls()
        world.learn(assembly)
        for stack in assembly.deploy_order():
            world.deploy(stack, assembly.templates[stack])
        world.close()
        return world

    def copy(self, *, is_lenient: bool = False) -> "World":
        """Another one in which the same stands."""
        other = World(is_lenient=is_lenient)
        other.templates, other.made = dict(self.templates), dict(self.made)
        other._ids, other._outputs, other._numbers = dict(self._ids), dict(self._outputs), self._numbers.copy()
        other._kept = list(self._kept)
        return other

    def learn(self, assembly: Assembly) -> None:
        """Know the names that an assembly's stacks have in CloudFormation."""
        self._ids |= {name: stack for stack, name in assembly.stack_names.items()}

    def deploy(self, stack: str, template: Template, *, force: bool = False) -> bool:
        """Deploy a stack as CloudFormation does: all that is new comes first, then what is old goes.

        Args:
            stack: Its id.
            template: What to deploy; one without resources deletes it.
            force: Whether to deploy a template that is there already, which the command line skips.

        Returns:
            Whether CloudFormation takes it; if not, everything is as before.
        """
        if not list_resources(template):
            return stack not in self.templates or self.delete(stack)
        if self.templates.get(stack) == template and not force:
            return True
        try:
            made, outputs = self._make(stack, template)
        except UnresolvedError as error:
            return self._refuse(stack, str(error)) and False
        old = {name: thing for name, thing in self.made.items() if name[0] == stack}
        pairs = [(old[name], made.get(name)) for name in old]
        if not self._accepts(stack, template, outputs, pairs, made) and not self._is_lenient:
            return False
        self.made = {name: thing for name, thing in self.made.items() if name[0] != stack} | made
        self.templates[stack], self._outputs[stack] = template, outputs
        for before, after in reversed(pairs):
            if after is None or after.identity != before.identity:
                self._take_away(before, after)
        return True

    def delete(self, stack: str) -> bool:
        """Delete a stack.

        Returns:
            Whether it does; if not, everything is as before.
        """
        template = self.templates[stack]
        for output in template.get("Outputs", {}).values():
            export = output.get("Export", {}).get("Name")
            users = self._find_importers(stack, export) if export else []
            if users and not self._refuse(stack, f"Export {export} is imported by stack {', '.join(users)}", users):
                return False
        things = [thing for name, thing in self.made.items() if name[0] == stack]
        self.made = {name: thing for name, thing in self.made.items() if name[0] != stack}
        del self.templates[stack], self._outputs[stack]
        for thing in reversed(things):
            self._take_away(thing, None)
        return True

    def close(self) -> list[Finding]:
        """Everything found, once all stacks are deployed."""
        alive = {thing.identity for thing in self.made.values()}
        for thing in self.made.values():
            for identity in sorted(thing.uses - alive):
                text = f"goes on naming {identity}, which is another one now or gone"
                self._note(Effect.STALE, thing, text, users=[thing])
        for thing, users in self._gone:
            for user in users:
                if (now := self.made.get((user.identity.stack, user.identity.logical_id))) is None or (
                    thing.identity not in now.uses
                ):
                    text = f"goes while {user.identity} uses it, until that is deployed, too"
                    self._note(Effect.INTERRUPTED, thing, text, users=[user])
        found = list(dict.fromkeys(self.findings))
        self.findings, self._gone = [], []
        return found

    def _make(self, stack: str, template: Template) -> tuple[dict[Name, Made], dict[str, Any]]:
        """A stack's resources and outputs after a deployment: kept, replaced or new."""
        identities: dict[str, Identity] = {}
        made: dict[Name, Made] = {}
        for logical_id, resource in creation_order(template):
            name = (stack, logical_id)
            resolved = resolve(resource.get("Properties", {}), identities, self._read_output)
            before = self.made.get(name)
            stays = before and before.kind == resource["Type"] and not _list_replacing_changes(before, resolved)
            if before and stays:
                identities[logical_id] = before.identity
            else:
                self._numbers[name] += 1
                identities[logical_id] = Identity(stack, logical_id, self._numbers[name])
            made[name] = Made(identities[logical_id], resource, resolved, frozenset(list_identities(resolved)))
        outputs = {
            output: resolve(content["Value"], identities, self._read_output)
            for output, content in template.get("Outputs", {}).items()
        }
        return made, outputs

    def _read_output(self, function: Mapping[str, Any]) -> Any:
        if "Fn::ImportValue" in function:
            export = function["Fn::ImportValue"]
            for stack, template in self.templates.items():
                for output, content in template.get("Outputs", {}).items():
                    if content.get("Export", {}).get("Name") == export:
                        return self._outputs[stack][output]
            raise UnresolvedError(f"No export named {export} found")
        named = function["Fn::GetStackOutput"]
        stack, output = self._ids.get(named["StackName"], ""), named["OutputName"]
        if output not in self._outputs.get(stack, {}):
            raise UnresolvedError(f"there is no output {output} of stack {named['StackName']} yet")
        return self._outputs[stack][output]

    def _accepts(
        self,
        stack: str,
        template: Template,
        outputs: Mapping[str, Any],
        pairs: list[tuple[Made, Made | None]],
        made: Mapping[Name, Made],
    ) -> bool:
        exports = list(self._list_export_refusals(stack, template, outputs))
        for text, users in exports:
            self._refuse(stack, text, users)
        updates = [
            *((before, text) for before, after in pairs if after for text in _list_update_refusals(before, after)),
            *_list_address_refusals(pairs, made),
        ]
        for thing, text in updates:
            self._note(Effect.REFUSED, thing, text)
        old = {before.identity for before, _ in pairs}
        taken = [
            thing
            for thing in made.values()
            if thing.identity not in old and any(_has_same_name(thing, kept) for kept in self._kept)
        ]
        for thing in taken:
            name = show(_read_name(thing))
            self._note(Effect.NAME_TAKEN, thing, f"cannot be made: what an earlier one left behind is called {name}")
        return not (exports or updates or taken)

    def _list_export_refusals(
        self, stack: str, template: Template, outputs: Mapping[str, Any]
    ) -> Iterator[tuple[str, list[str]]]:
        now = {
            content["Export"]["Name"]: outputs[output]
            for output, content in template.get("Outputs", {}).items()
            if "Export" in content
        }
        for output, content in self.templates.get(stack, {}).get("Outputs", {}).items():
            export = content.get("Export", {}).get("Name")
            users = self._find_importers(stack, export) if export else []
            if users and export not in now:
                yield f"Export {export} cannot be deleted as it is in use by {', '.join(users)}", users
            elif users and now[export] != self._outputs[stack][output]:
                yield f"Export {export} cannot be updated as it is in use by {', '.join(users)}", users

    def _find_importers(self, stack: str, export: str) -> list[str]:
        others = (other for other in self.templates if other != stack)
        return [other for other in others if export in list_imports(self.templates[other])]

    def _take_away(self, thing: Made, after: Made | None) -> None:
        """Delete a resource that was removed, or in whose place another one is; or keep it, as its policy says."""
        policy = after.resource.get("UpdateReplacePolicy") if after else thing.resource.get("DeletionPolicy")
        what = kinds.HOLDS.get(thing.kind) or kinds.ADDRESSES.get(thing.kind)
        if after:
            what = what or kinds.PLACES.get(thing.kind)
        why = f"; {_explain(thing, after)}" if after else ""
        if policy in kinds.RETAINING:
            self._kept.append(thing)
            properties = thing.resource.get("Properties", {})
            cost = describe_cost(thing.kind, properties)
            text = f"stays behind without a stack{f', at {cost}' if cost else ''}{why}"
            self._note(Effect.LEFT_BEHIND, thing, text, estimate_month(thing.kind, properties))
            return
        others = [*self.made.values(), *self._kept]
        users = [other for other in others if thing.identity in other.uses]
        if held := [user for user in users if user.kind in kinds.HELD_BY.get(thing.kind, ())]:
            place = ", ".join(str(user.identity) for user in held)
            text = f"cannot be deleted while {place} uses it, and stays behind{why}"
            self._note(Effect.STUCK, thing, text, users=held)
            return
        if _must_be_empty(thing):
            self._note(Effect.NOT_EMPTY, thing, "cannot be deleted unless it is empty")
        if what:
            effect, text = (Effect.REPLACED, "replaced, without") if after else (Effect.DELETED, "deleted with")
            self._note(effect, thing, f"is {text} {what}{why}")
        needing = [user for user in users if user.kind not in kinds.SHOWING]
        if foreign := [user for user in needing if user.identity.stack != thing.identity.stack]:
            self._gone.append((thing, foreign))

    def _refuse(self, stack: str, text: str, users: Sequence[str] = ()) -> bool:
        """Note that CloudFormation refuses a stack; whether it goes on all the same."""
        self.findings.append(Finding(Effect.REFUSED, stack, "", "", text, users=tuple(users)))
        return self._is_lenient

    def _note(self, effect: Effect, thing: Made, text: str, monthly: float = 0.0, users: Sequence[Made] = ()) -> None:
        stack, logical_id = thing.identity.stack, thing.identity.logical_id
        stacks = tuple(sorted({user.identity.stack for user in users}))
        self.findings.append(Finding(effect, stack, logical_id, thing.kind, text, monthly, stacks))


def _list_replacing_changes(before: Made, resolved: Any) -> list[str]:
    """The properties that changed and of which CloudFormation says that they replace the resource."""
    after = {"Properties": resolved}
    then = {"Properties": before.resolved}
    return [
        path for path in kinds.list_replacing(before.kind) if read_property(then, path) != read_property(after, path)
    ]


def _explain(before: Made, after: Made) -> str:
    """Why one resource is in the place of another, by the properties that say most."""
    if changed := _list_replacing_changes(before, after.resolved):
        path = changed[-1]
        old, new = (show(read_property({"Properties": thing.resolved}, path)) for thing in (before, after))
        return f"{path.removeprefix('/properties/').replace('/', '.')} was {old}, is {new}"
    return f"it was {before.kind}, is {after.kind}"


def _list_update_refusals(before: Made, after: Made) -> Iterator[str]:
    """Why CloudFormation cannot put one resource in the place of another, if it is to."""
    if before.kind != after.kind:
        yield f"cannot become {after.kind}: CloudFormation changes no resource's type"
    elif before.identity != after.identity:
        if _has_same_name(before, after):
            yield f"cannot be replaced, because its name is fixed: {_explain(before, after)}"
        system = "/properties/FileSystemId"
        if before.kind == kinds.MOUNT_TARGET and _reads_same(before, after, system):
            yield "cannot be replaced: a zone takes one, and the new one comes first"


def _list_address_refusals(
    pairs: list[tuple[Made, Made | None]], made: Mapping[Name, Made]
) -> Iterator[tuple[Made, str]]:
    """Subnets whose addresses are taken by those that they replace, which go only afterwards."""
    known = {before.identity for before, _ in pairs}
    going = [b for b, a in pairs if b.kind == kinds.SUBNET and (a is None or a.identity != b.identity)]
    for new in made.values():
        if new.kind != kinds.SUBNET or new.identity in known:
            continue
        for old in going:
            ranges = [read_property({"Properties": thing.resolved}, "/properties/CidrBlock") for thing in (new, old)]
            if _reads_same(new, old, "/properties/VpcId") and overlap(*ranges):
                yield new, f"cannot have {ranges[0]} while {old.identity.logical_id} has {ranges[1]}"


def _reads_same(one: Made, other: Made, path: str) -> bool:
    return bool(
        read_property({"Properties": one.resolved}, path) == read_property({"Properties": other.resolved}, path)
    )


def _has_same_name(one: Made, other: Made) -> bool:
    return one.kind == other.kind and _read_name(one) is not None and _read_name(one) == _read_name(other)


def _read_name(thing: Made) -> Any:
    """The name that its template gives it, None where AWS does; one made of another resource goes with that."""
    return thing.resolved.get(kinds.NAMES.get(thing.kind, ""))


def _must_be_empty(thing: Made) -> bool:
    properties = thing.resource.get("Properties", {})
    return thing.kind == kinds.BUCKET or (thing.kind == kinds.REPOSITORY and not properties.get("EmptyOnDelete"))
