"""What becomes of what holds data when its stack is deleted."""

from aws_cdk import RemovalPolicy


def choose_removal_policy(*, retain_data: bool) -> RemovalPolicy:
    """Keep what has held data, but not what a deployment makes that then fails and is rolled back."""
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retain_data else RemovalPolicy.DESTROY
