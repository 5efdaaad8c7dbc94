"""Checks of a state machine and of those inside it: names, transitions, variables, and each state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.local.engine.asl.definition.expressions import check_number, check_variables, list_variables
from headrace.local.engine.asl.definition.fields import MACHINE, ONLY_DISTRIBUTED, PROCESSOR, TYPES
from headrace.local.engine.asl.definition.findings import Code, Findings
from headrace.local.engine.asl.definition.states import check_state
from headrace.local.engine.asl.languages import JSONATA, JSONPATH
from headrace.local.engine.asl.plain_states import MOST_SECONDS

_LONGEST_NAME: Final = 80
_LANGUAGES: Final = (JSONATA, JSONPATH)

Object = Mapping[str, Any]


@dataclass
class MachineChecker:
    """Checks a whole definition.

    Attributes:
        findings: Takes the faults.
        language: The query language of states that name none.
        names: All names of states so far.
    """

    findings: Findings
    language: str = JSONPATH
    names: set[str] = field(default_factory=set)

    def check(self, machine: Any) -> None:
        """Check the outermost state machine."""
        if not isinstance(machine, Mapping):
            self.findings.add("Expected value of type Object", "/")
            return
        language = machine.get("QueryLanguage", JSONPATH)
        if language in _LANGUAGES:
            self.language = language
        if "TimeoutSeconds" in machine:
            limit = machine["TimeoutSeconds"]
            check_number(limit, "/TimeoutSeconds", self.findings, least=1, most=MOST_SECONDS)
        self._check_machine(machine, "", MACHINE, frozenset())

    def _check_machine(self, machine: Object, place: str, supported: frozenset[str], outer: frozenset[str]) -> None:
        for name in sorted(machine.keys() - supported):
            self.findings.add("Field is not supported", f"{place}/{name}")
        self._check_language(machine, place)
        states = machine.get("States")
        if not isinstance(states, Mapping) or not states:
            self.findings.add("Expected a non-empty object of states", f"{place}/States")
            return
        if "StartAt" not in machine:
            self.findings.add("Missing 'StartAt'", place)
        known = {name: state for name, state in states.items() if self._check_name(name, state, f"{place}/States")}
        self._check_transitions(machine, known, states, place)
        inner = outer | {variable for state in known.values() for variable in _list_assigned(state)}
        for name, state in known.items():
            self._check_state(state, f"{place}/States/{name}", outer, inner)

    def _check_language(self, owner: Object, place: str) -> None:
        language = owner.get("QueryLanguage", self.language)
        if language not in _LANGUAGES:
            self.findings.add("Expected JSONPath or JSONata", f"{place}/QueryLanguage")
        elif self.language == JSONATA and language == JSONPATH:
            self.findings.add("A JSONata state machine cannot have JSONPath states", f"{place}/QueryLanguage")

    def _check_name(self, name: str, state: Any, place: str) -> bool:
        """Whether the state is one that can be checked further."""
        here = f"{place}/{name}"
        if not 1 <= len(name) <= _LONGEST_NAME:
            self.findings.add(f"A state's name has 1 to {_LONGEST_NAME} characters", here)
        if name in self.names:
            self.findings.add("The name is used by another state", here, Code.DUPLICATE)
        self.names.add(name)
        if not isinstance(state, Mapping):
            self.findings.add("Expected value of type Object", here)
            return False
        if not isinstance(kind := state.get("Type"), str) or kind not in TYPES:
            self.findings.add(f"Expected one of {', '.join(sorted(TYPES))}", f"{here}/Type")
            return False
        return True

    def _check_transitions(self, machine: Object, known: Object, states: Object, place: str) -> None:
        reached: set[Any] = set()
        waiting = [(f"{place}/StartAt", machine["StartAt"])] if "StartAt" in machine else []
        targets = [pair for name, state in known.items() for pair in list_targets(state, f"{place}/States/{name}")]
        for at, target in [*waiting, *targets]:
            if not isinstance(target, str) or target not in states:
                self.findings.add(f"Missing 'Next' target: {target}", at, Code.TARGET)
        while waiting:
            _, name = waiting.pop()
            if isinstance(name, str) and name not in reached:
                reached.add(name)
                waiting += list_targets(known.get(name, {}), "")
        for name in states.keys() - reached:
            self.findings.add(f'State "{name}" is not reachable.', f"{place}/States/{name}", Code.TARGET)

    def _check_state(self, state: Object, place: str, outer: frozenset[str], inner: frozenset[str]) -> None:
        self._check_language(state, place)
        language = state.get("QueryLanguage", self.language)
        check_state(state, place, language if language in _LANGUAGES else self.language, self.findings)
        for owner, here in _list_assigning(state, place):
            check_variables(owner["Assign"], f"{here}/Assign", self.findings, outer)
        if state["Type"] == "Parallel":
            self._check_branches(state.get("Branches"), f"{place}/Branches", inner)
        if state["Type"] == "Map":
            self._check_processor(state, place, inner)

    def _check_branches(self, branches: Any, place: str, outer: frozenset[str]) -> None:
        if not isinstance(branches, list) or not branches:
            self.findings.add("Expected a non-empty array of branches", place)
            return
        for at, branch in enumerate(branches):
            here = f"{place}[{at}]"
            if isinstance(branch, Mapping):
                self._check_machine(branch, here, PROCESSOR - {"ProcessorConfig"}, outer)
            else:
                self.findings.add("Expected value of type Object", here)

    def _check_processor(self, state: Object, place: str, outer: frozenset[str]) -> None:
        name = "Iterator" if "Iterator" in state else "ItemProcessor"
        processor = state.get(name)
        if not isinstance(processor, Mapping):
            self.findings.add(f"Missing '{name}'", place)
            return
        config = processor.get("ProcessorConfig", {})
        is_distributed = self._check_config(config, f"{place}/{name}/ProcessorConfig")
        if not is_distributed:
            for field_name in sorted(state.keys() & ONLY_DISTRIBUTED):
                self.findings.add("Field is only supported in DISTRIBUTED mode", f"{place}/{field_name}")
        # Those of a distributed Map are executions of their own, which see no variables around them.
        self._check_machine(processor, f"{place}/{name}", PROCESSOR, frozenset() if is_distributed else outer)

    def _check_config(self, config: Any, place: str) -> bool:
        """Whether it asks for the distributed mode."""
        if not isinstance(config, Mapping):
            self.findings.add("Expected value of type Object", place)
            return False
        for name in sorted(config.keys() - {"Mode", "ExecutionType"}):
            self.findings.add("Field is not supported", f"{place}/{name}")
        mode, kind = config.get("Mode", "INLINE"), config.get("ExecutionType")
        if mode not in ("INLINE", "DISTRIBUTED"):
            self.findings.add("Expected INLINE or DISTRIBUTED", f"{place}/Mode")
        if mode == "DISTRIBUTED" and kind not in ("STANDARD", "EXPRESS"):
            self.findings.add("Expected STANDARD or EXPRESS", f"{place}/ExecutionType")
        if mode == "INLINE" and kind is not None:
            self.findings.add("Field is only supported in DISTRIBUTED mode", f"{place}/ExecutionType")
        return bool(mode == "DISTRIBUTED")


def _list_objects(state: Object, *names: str) -> Iterator[tuple[Object, str]]:
    """The objects in the arrays of a state, and where they are."""
    for name in names:
        members = state.get(name)
        for at, member in enumerate(members if isinstance(members, list) else ()):
            if isinstance(member, Mapping):
                yield member, f"{name}[{at}]"


def list_targets(state: Object, place: str) -> list[tuple[str, Any]]:
    """Where a state leads, and where it says so."""
    owners = [(state, place), *((rule, f"{place}/{at}") for rule, at in _list_objects(state, "Choices", "Catch"))]
    return [(f"{at}/{name}", owner[name]) for owner, at in owners for name in ("Next", "Default") if name in owner]


def _list_assigning(state: Object, place: str) -> list[tuple[Object, str]]:
    """The state, its rules and its catchers, as far as they assign."""
    owners = [(state, place), *((rule, f"{place}/{at}") for rule, at in _list_objects(state, "Choices", "Catch"))]
    return [(owner, at) for owner, at in owners if "Assign" in owner]


def _list_assigned(state: Object) -> Iterator[str]:
    for owner, _ in _list_assigning(state, ""):
        yield from list_variables(owner["Assign"])
