"""What a deployment finds in the account: CDK's bootstrap stack, stacks that stand, what others keep."""

from collections.abc import Callable, Iterator
from typing import Final

from headrace import contract
from headrace.doctor.account import Account
from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Check, Finding, Severity, not_seen
from headrace.doctor.needs import Needs
from headrace.regions import OBJECT_LAMBDA, OBJECT_LAMBDA_CLOSED

# Nothing but deleting the stack, or help from AWS, leads out of these.
_STUCK: Final = frozenset({"CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"})


def check_bootstrap(account: Account, needs: Needs) -> Iterator[Finding]:
    """Whether `cdk bootstrap` has been run, with a CDK that is new enough."""
    if needs.bootstrap is None:
        return
    place = str(account.identity)
    if isinstance(account.bootstrap, NotSeen):
        yield not_seen(Check.BOOTSTRAP, place, account.bootstrap.reason)
    elif account.bootstrap < needs.bootstrap.version:
        found = f"is version {account.bootstrap}" if account.bootstrap else "is missing"
        yield Finding(
            check=Check.BOOTSTRAP,
            severity=Severity.ERROR,
            place=place,
            problem=f"what `cdk bootstrap` makes {found}; the app needs version {needs.bootstrap.version} or newer",
            cure=f"cdk bootstrap aws://{account.identity.number}/{account.identity.region}",
        )


def check_stacks(account: Account, diagnose: Callable[[str], str]) -> Iterator[Finding]:
    """The environment's stacks that no deployment can change as they are.

    Args:
        account: What the account has.
        diagnose: Says why a stack failed, by its name; empty where that is not known.
    """
    place = str(account.identity)
    if isinstance(account.stacks, NotSeen):
        yield not_seen(Check.STACKS, place, account.stacks.reason)
        return
    for name, stack in account.stacks.items():
        if stack.status in _STUCK:
            delete = f"aws cloudformation delete-stack --stack-name {name} --region {account.identity.region}"
            roll_back = delete.replace("delete-stack", "continue-update-rollback")
            yield Finding(
                check=Check.STACKS,
                severity=Severity.ERROR,
                place=f"{place}: {name}",
                problem=f"{stack.status}. {diagnose(name)}".rstrip(". "),
                cure=roll_back if stack.status == "UPDATE_ROLLBACK_FAILED" else delete,
            )
        elif stack.status.endswith("_IN_PROGRESS"):
            yield Finding(
                check=Check.STACKS,
                severity=Severity.WARNING,
                place=f"{place}: {name}",
                problem=f"{stack.status}: another deployment is under way, and refuses a second one",
                cure=f"aws cloudformation describe-stack-events --stack-name {name} --region {account.identity.region}",
            )


def check_object_lambda(account: Account, needs: Needs) -> Iterator[Finding]:
    """Whether the account has S3 Object Lambda, which AWS refuses most, where the settings turn it on."""
    users = needs.list_stacks_with(OBJECT_LAMBDA)
    if not users:
        return
    stacks = {} if isinstance(account.stacks, NotSeen) else account.stacks
    stack = stacks.get(needs.assembly.stack_names[users[0]])
    place, cure = str(account.identity), "set normalizer.object_lambda to false"
    if (stack and stack.stands) or account.has_object_lambda is True:
        return
    if isinstance(account.has_object_lambda, NotSeen):
        yield not_seen(Check.OBJECT_LAMBDA, place, account.has_object_lambda.reason, cure)
        return
    yield Finding(
        check=Check.OBJECT_LAMBDA,
        severity=Severity.WARNING,
        place=place,
        problem="normalizer.object_lambda is on, and the account has no access point for S3 Object Lambda. AWS refuses "
        f"it to accounts that had not used it by {OBJECT_LAMBDA_CLOSED}: `make deploy` then leaves out the stack "
        f"{contract.OBJECT_LAMBDA_STACK} and deploys everything else",
        cure=cure,
    )


def check_api_logs(account: Account, needs: Needs) -> Iterator[Finding]:
    """Whether API Gateway may write logs, where an API is to have some: AWS refuses its stage otherwise.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    users = needs.list_logging_stacks()
    place, cure = str(account.identity), "set account.api_gateway_logs to true, and run `make deploy-account`"
    if not users or account.writes_api_logs is True:
        return
    if isinstance(account.writes_api_logs, NotSeen):
        yield not_seen(Check.API_LOGS, place, account.writes_api_logs.reason, cure)
        return
    yield Finding(
        check=Check.API_LOGS,
        # A local cloud makes the stage all the same.
        severity=Severity.WARNING if account.identity.is_local else Severity.ERROR,
        place=place,
        problem=f"API Gateway has no role by which it writes logs; without one, AWS refuses the API of {users[0]}",
        cure=cure,
    )


def check_existing(account: Account) -> Iterator[Finding]:
    """Whether the buckets, keys, subnets and policies of others that the settings name can be used."""
    for name, answer in account.existing.items():
        if isinstance(answer, NotSeen):
            yield not_seen(Check.EXISTING, name, answer.reason)
        elif answer:
            yield Finding(
                check=Check.EXISTING,
                severity=Severity.ERROR,
                place=name,
                problem=f"cdk.json names it, and {answer}",
                cure="make it, or name another in cdk.json",
            )
