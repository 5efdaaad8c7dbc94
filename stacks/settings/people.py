"""The settings of the policies for people."""

from typing import Annotated

from stacks.settings.section import IN_PLACE, NOTHING, Change, Section, Setting


class PeopleSettings(Section):
    """Policies for viewers, scientists and engineers, to attach to roles or to permission sets of Identity Center."""

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
