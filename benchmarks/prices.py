"""List prices of us-east-1 in USD, without free tiers, read on 2026-11-22."""

DYNAMODB_WRITE = 0.625 / 1e6  # a write request unit, on demand
DYNAMODB_READ = 0.125 / 1e6
SQS_REQUEST = 0.40 / 1e6
LAMBDA_REQUEST = 0.20 / 1e6
LAMBDA_GB_SECOND = 0.0000133334  # arm64
EVENTBRIDGE_INVOCATION = 1.00 / 1e6
DYNAMODB_GB_MONTH = 0.25

ROUTE53_CHECK_MONTH = 0.75  # an endpoint outside AWS
ROUTE53_FEATURE_MONTH = 2.00  # HTTPS and string matching each, outside AWS
SYNTHETICS_RUN = 0.0012  # CloudWatch Synthetics, a canary's run, without its Lambda and S3
UPTIMEROBOT_100_MONTH = 29.00  # Team plan: 100 monitors at 60 s

MINUTES_A_MONTH = 30 * 24 * 60
POLLS_A_MINUTE = 5 * 3
"""Long polls of 20 s by the five pollers that Lambda keeps on each queue, busy or not."""
