"""Everything that is asked of an account, side by side and with a time limit."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from headrace.doctor.account import Account, Identity
from headrace.doctor.asking import ask_all
from headrace.doctor.container_images import list_container_images
from headrace.doctor.needs import Needs
from headrace.doctor.requests import (
    Clients,
    check_boundary,
    check_bucket,
    check_key,
    check_subnet,
    has_container_image,
    has_object_lambda,
    read_bootstrap,
    read_concurrency,
    read_default_zones,
    read_offers,
    read_quotas,
    read_stacks,
    read_zones,
    writes_api_logs,
)

# SageMaker has thousands of quotas, a hundred a page.
_SECONDS: Final = 40.0
_REQUEST_SECONDS: Final = 15.0

Questions = Mapping[str, Callable[[], Any]]


def read_account(clients: Clients, identity: Identity, environment: str, needs: Needs) -> Account:
    """What the account has of what is needed.

    Args:
        clients: The clients to ask.
        identity: Whose account it is.
        environment: The environment that is to be deployed.
        needs: What it needs.
    """
    facts = _list_questions(clients, identity, environment, needs)
    existing = _list_existing(clients, identity, needs)
    answers = ask_all({**facts, **existing}, _SECONDS)
    images = {image.uri: image for image in list_container_images(needs, answers["stacks"])}
    seen = ask_all(
        {uri: partial(has_container_image, clients, image) for uri, image in images.items()}, _REQUEST_SECONDS
    )
    return Account(
        identity=identity,
        existing={name: answers[name] for name in existing},
        container_images={image: seen[uri] for uri, image in images.items()},
        **{name: answers[name] for name in facts},
    )


def _list_questions(clients: Clients, identity: Identity, environment: str, needs: Needs) -> Questions:
    """The questions that every app has, by the names of the facts."""
    types = [use.instance_type.removeprefix("ml.") for use in needs.uses]
    return {
        "stacks": partial(read_stacks, clients, environment),
        "quotas": partial(read_quotas, clients, needs.list_quotas()),
        "bootstrap": partial(read_bootstrap, clients, needs.bootstrap) if needs.bootstrap else lambda: 0,
        "concurrency": partial(read_concurrency, clients),
        "zones": partial(read_zones, clients),
        "default_zones": partial(read_default_zones, clients),
        "offers": partial(read_offers, clients, types),
        "has_object_lambda": partial(has_object_lambda, clients, identity),
        "writes_api_logs": partial(writes_api_logs, clients),
    }


def _list_existing(clients: Clients, identity: Identity, needs: Needs) -> Questions:
    """A question for everything of others that the app uses, by what it is."""
    policies = f"arn:{identity.partition}:iam::{identity.number}:policy/"
    return {
        **{f"bucket {name}": partial(check_bucket, clients, name) for name in needs.list_existing_buckets()},
        **{f"key {arn}": partial(check_key, clients, arn) for arn in needs.list_existing_keys()},
        **{f"subnet {name}": partial(check_subnet, clients, name) for name in needs.list_existing_subnets()},
        **{f"policy {name}": partial(check_boundary, clients, policies + name) for name in needs.list_boundaries()},
    }
