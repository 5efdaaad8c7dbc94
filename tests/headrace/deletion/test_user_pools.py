"""Pools of users that outlive their stack: found, counted, and deleted though they are protected."""

from typing import Any

import pytest

from headrace.deletion import data
from headrace.deletion.data import HOLDERS, USER_POOL, is_there
from tests.headrace.deletion.accounts import refuse

POOL = "eu-west-1_Abc123"


class Cognito:
    """An account with one pool, which is protected."""

    def __init__(self) -> None:
        self.pools = {POOL: {"DeletionProtection": "ACTIVE", "EstimatedNumberOfUsers": 1_200}}

    def describe_user_pool(self, *, UserPoolId: str) -> dict[str, Any]:  # noqa: N803 (Cognito's spelling)
        if UserPoolId not in self.pools:
            refuse("ResourceNotFoundException")()
        return {"UserPool": self.pools[UserPoolId]}

    def update_user_pool(self, *, UserPoolId: str, DeletionProtection: str) -> None:  # noqa: N803
        self.pools[UserPoolId]["DeletionProtection"] = DeletionProtection

    def delete_user_pool(self, *, UserPoolId: str) -> None:  # noqa: N803
        if self.pools[UserPoolId]["DeletionProtection"] == "ACTIVE":
            refuse("InvalidParameterException", "deletion protection is activated")()
        del self.pools[UserPoolId]


@pytest.fixture
def cognito(monkeypatch: pytest.MonkeyPatch) -> Cognito:
    account = Cognito()
    monkeypatch.setattr(data, "make_client", {"cognito-idp": account}.__getitem__)
    return account


def test_counts_the_users_of_a_pool(cognito: Cognito) -> None:
    assert HOLDERS[USER_POOL].measure(POOL) == "1,200 users"


def test_deletes_a_pool_that_is_protected(cognito: Cognito) -> None:
    assert is_there(USER_POOL, POOL)

    HOLDERS[USER_POOL].delete(POOL)

    assert cognito.pools == {}
    assert not is_there(USER_POOL, POOL)
