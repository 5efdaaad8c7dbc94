"""A user pool whose users may call an API."""

from aws_cdk import Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from stacks.constructs.removal import choose_removal_policy
from stacks.nag import acknowledge


class Callers(Construct):
    """People whom an administrator adds, who sign in with a password and a code, and get tokens.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        retain_data: Whether the users outlive the stack.
    """

    def __init__(self, scope: Construct, construct_id: str, *, retain_data: bool) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
                temp_password_validity=Duration.days(3),
            ),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            deletion_protection=retain_data,
            removal_policy=choose_removal_policy(retain_data=retain_data),
        )
        self.client = self.pool.add_client(
            "Client",
            auth_flows=cognito.AuthFlow(user_srp=True),
            # Passwords are never sent, and there are no pages of Cognito's for them.
            disable_o_auth=True,
            generate_secret=False,
            prevent_user_existence_errors=True,
            id_token_validity=Duration.hours(1),
            access_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(1),
        )
        acknowledge(
            self.pool,
            {
                "AwsSolutions-COG8": "The plan that watches for stolen passwords costs 0.02 per user and month; every "
                "user has a second factor instead, and an administrator signs everybody up."
            },
        )
