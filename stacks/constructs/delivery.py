"""CloudFront before an API, and how the API knows it."""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from headrace import contract
from stacks.nag import acknowledge
from stacks.settings.front_door import CloudFrontSettings

PROOF_HEADER: Final = "x-headrace-front-door"
_PROOF_LENGTH: Final = 48


class Proof(Construct):
    """A header that only CloudFront sends, with a value that is drawn, and that people need not read.

    CloudFront signs what it asks of S3, Lambda and the media services, and nothing that it asks of API Gateway, and the
    addresses that it calls from are those of everybody's distributions.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        key: What encrypts it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        secret = secretsmanager.Secret(
            self,
            "Resource",
            description="What CloudFront shows to the web ACL of Headrace's API",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                exclude_punctuation=True, password_length=_PROOF_LENGTH
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        # CloudFormation reads it when it deploys; the template has its name only.
        self.value = secret.secret_value.unsafe_unwrap()
        acknowledge(
            secret,
            {
                "AwsSolutions-SMG4": "CloudFormation gives it to CloudFront and to the web ACL at once; rotating it "
                "would change one before the other and refuse requests. It opens nothing: callers need a token besides."
            },
        )


class Delivery(Construct):
    """A distribution that hands every request to an API, and keeps nothing.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: Its name and certificate.
        api_domain: The API's host.
        proof: What it shows to the API.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: CloudFrontSettings, api_domain: str, proof: Proof
    ) -> None:
        super().__init__(scope, construct_id)
        self.distribution = cloudfront.Distribution(
            self,
            "Resource",
            comment="Before Headrace's API",
            domain_names=[settings.domain_name],
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", settings.certificate_arn),
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(
                    api_domain,
                    origin_path=f"/{contract.FRONT_DOOR_STAGE}",
                    protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                    origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                    custom_headers={PROOF_HEADER: proof.value},
                ),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            ),
        )
        acknowledge(
            self.distribution,
            {
                "AwsSolutions-CFR1": "A caller is known by a token, from whichever country; a list of "
                "countries would be another company's in every account.",
                "AwsSolutions-CFR2": "The web ACL stands at the API, which every request reaches as nothing is kept; "
                "one of CloudFront's would have to be in us-east-1, and so in another stack.",
                "AwsSolutions-CFR3": "Every request reaches the API, whose log says who called, when and with which "
                "outcome; logs of CloudFront would need a bucket with access lists.",
            },
        )
