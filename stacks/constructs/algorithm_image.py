"""The container image of a built-in algorithm, which AWS keeps in another account in each Region."""

from aws_cdk import Aws, CfnMapping
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from headrace.algorithms import Algorithm

_ACCOUNT = "Account"


class AlgorithmImage(Construct):
    """A version of a built-in algorithm, wherever the template is deployed.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        algorithm: Which.
        version: Its tag.
    """

    def __init__(self, scope: Construct, construct_id: str, *, algorithm: Algorithm, version: str) -> None:
        super().__init__(scope, construct_id)

        accounts = {region: {_ACCOUNT: account} for region, account in sorted(algorithm.accounts.items())}
        account = CfnMapping(self, "Accounts", mapping=accounts).find_in_map(Aws.REGION, _ACCOUNT)
        self.repository: ecr.IRepository = ecr.Repository.from_repository_attributes(
            self,
            "Repository",
            repository_arn=f"arn:{Aws.PARTITION}:ecr:{Aws.REGION}:{account}:repository/{algorithm.repository}",
            repository_name=algorithm.repository,
        )
        self.uri = f"{account}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/{algorithm.repository}:{version}"
