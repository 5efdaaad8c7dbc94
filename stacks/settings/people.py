"""The settings of the policies for people."""

from typing import Annotated

from pydantic import Field, StringConstraints

from stacks.settings.section import IN_PLACE, NOTHING, Change, Section, Setting

_RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$")]


class PeopleSettings(Section):
    """Policies for people, to attach to roles or to permission sets of Identity Center."""

    enabled: Annotated[
        bool,
        Setting(
            "whether there are such policies",
            cost=NOTHING,
            change=Change(
                "off removes them; detach them everywhere before, as IAM keeps what is attached",
                loses=("AWS::IAM::ManagedPolicy",),
            ),
        ),
    ] = False
    mfa: Annotated[
        bool,
        Setting(
            "whether deleting, approving and deploying need a session with MFA; false where Identity Center demands it "
            "at sign-in, because its sessions do not say so",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ] = True
    promotion_roles: Annotated[
        tuple[
            Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$")],
            ...,
        ],
        Field(max_length=10, strict=False),
        Setting(
            "roles of other environments that engineers may assume to "
            "[promote versions](registry.md#to-the-next-environment) there, by their ARNs",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ] = ()
    separate_approval: Annotated[
        bool,
        Setting(
            "whether who approves versions of models is not who starts executions: a fourth policy approves, and those "
            "of scientist and engineer forbid it",
            cost=NOTHING,
            change=Change(
                "off removes the fourth policy; detach it everywhere before, as IAM keeps what is attached",
                loses=("AWS::IAM::ManagedPolicy",),
            ),
        ),
    ] = False
