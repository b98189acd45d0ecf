"""AWS managed policies that Cumulet knows by name, with what they allow.

Source: the AWS Managed Policy Reference Guide. A row is (path, name, statements); the others are not known, and
attaching one answers NoSuchEntity as for any policy that is not there.
"""

from typing import Any

type Statements = tuple[dict[str, Any], ...]


def _allow(*actions: str, resource: str | list[str] = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions) if len(actions) > 1 else actions[0], "Resource": resource}


_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_S3 = ("s3:*", "s3-object-lambda:*")
_S3_READ = ("s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*")
_STEP_READ = ("states:ListStateMachines", "states:ListActivities", "states:DescribeStateMachine",
              "states:DescribeStateMachineForExecution", "states:ListExecutions", "states:DescribeExecution",
              "states:GetExecutionHistory", "states:DescribeActivity")  # fmt: skip

_TABLE: tuple[tuple[str, str, Statements], ...] = (
    ("/", "AdministratorAccess", (_allow("*"),)),
    ("/", "PowerUserAccess", (
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
        _allow("account:GetAccountInformation", "account:GetPrimaryEmail", "account:ListRegions",
               "iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
               "organizations:DescribeEffectivePolicy", "organizations:DescribeOrganization"),
    )),
    ("/", "AmazonS3FullAccess", (_allow(*_S3),)),
    ("/", "AmazonS3ReadOnlyAccess", (_allow(*_S3_READ),)),
    ("/", "AWSLambda_FullAccess", (
        _allow("cloudformation:DescribeStacks", "cloudformation:ListStackResources", "cloudwatch:ListMetrics",
               "cloudwatch:GetMetricData", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
               "kms:ListAliases", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy",
               "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles", "lambda:*",
               "logs:DescribeLogGroups", "states:DescribeStateMachine", "states:ListStateMachines",
               "tag:GetResources", "xray:GetTraceSummaries", "xray:BatchGetTraces"),
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
         "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
        _allow("logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents",
               resource="arn:aws:logs:*:*:log-group:/aws/lambda/*"),
    )),
    ("/", "AWSStepFunctionsFullAccess", (
        _allow("states:*"),
        _allow("iam:PassRole", resource="arn:aws:iam::*:role/service-role/StatesExecutionRole*"),
        _allow("lambda:ListFunctions"),
    )),
    ("/", "AWSStepFunctionsReadOnlyAccess", (_allow(*_STEP_READ),)),
    ("/", "CloudWatchLogsFullAccess", (_allow("logs:*", "cloudwatch:GenerateQuery"),)),
    ("/", "CloudWatchLogsReadOnlyAccess", (
        _allow("logs:Describe*", "logs:Get*", "logs:List*", "logs:StartQuery", "logs:StopQuery",
               "logs:TestMetricFilter", "logs:FilterLogEvents", "logs:StartLiveTail", "logs:StopLiveTail",
               "cloudwatch:GenerateQuery"),
    )),
    ("/", "IAMFullAccess", (
        _allow("iam:*", "organizations:DescribeAccount", "organizations:DescribeOrganization",
               "organizations:DescribeOrganizationalUnit", "organizations:DescribePolicy",
               "organizations:ListChildren", "organizations:ListParents", "organizations:ListPoliciesForTarget",
               "organizations:ListRoots", "organizations:ListPolicies", "organizations:ListTargetsForPolicy"),
    )),
    ("/", "IAMReadOnlyAccess", (
        _allow("iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", "iam:List*",
               "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"),
    )),
    ("/service-role/", "AWSLambdaBasicExecutionRole", (_allow(*_LOGS),)),
    ("/service-role/", "AWSLambdaRole", (_allow("lambda:InvokeFunction"),)),
    ("/", "AWSLambdaExecute", (
        _allow("logs:*", resource="arn:aws:logs:*:*:*"),
        _allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::*"),
    )),
    ("/", "AWSLambdaInvocation-DynamoDB", (
        _allow("lambda:InvokeFunction"),
        _allow("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
    )),
)  # fmt: skip

MANAGED = {f"arn:aws:iam::aws:policy{path}{name}": (path, name, statements) for path, name, statements in _TABLE}


def document(arn: str) -> dict[str, Any] | None:
    """The policy document of an AWS managed policy that we know."""
    found = MANAGED.get(arn)
    return {"Version": "2012-10-17", "Statement": list(found[2])} if found else None
