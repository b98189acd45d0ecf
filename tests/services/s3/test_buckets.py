"""Buckets: names, locations, owners, lists, tags."""

import pytest

from cumulet.services.s3.errors import InvalidBucketName
from cumulet.services.s3.naming import check_new_bucket


async def test_a_bucket_is_created_headed_listed_and_deleted(cloud):
    s3 = cloud.client()
    made = await s3.create_bucket(Bucket="one")
    assert made["Location"] == "/one"
    assert (await s3.head_bucket(Bucket="one"))["BucketRegion"] == "us-east-1"
    listed = await s3.list_buckets()
    assert [bucket["Name"] for bucket in listed["Buckets"]] == ["one"]
    assert len(listed["Owner"]["ID"]) == 64
    assert (await s3.delete_bucket(Bucket="one"))["status"] == 204
    assert (await s3.refused("head_bucket", Bucket="one")).status == 404
    assert (await s3.refused("delete_bucket", Bucket="one")).code == "NoSuchBucket"


@pytest.mark.parametrize(
    "region, constraint, told",
    [
        ("us-east-1", None, None),
        ("us-east-1", "eu-central-1", "eu-central-1"),
        ("eu-west-1", "EU", "EU"),
        ("ap-south-1", "ap-south-1", "ap-south-1"),
    ],
)
async def test_location(quick_cloud, region, constraint, told):
    s3 = quick_cloud.client(region_name=region)
    more = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    await s3.create_bucket(Bucket="here", **more)
    assert (await s3.get_bucket_location(Bucket="here")).get("LocationConstraint") == told


@pytest.mark.parametrize(
    "region, constraint, code",
    [
        ("eu-west-1", None, "IllegalLocationConstraintException"),
        ("eu-west-1", "eu-central-1", "IllegalLocationConstraintException"),
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
    ],
)
async def test_location_that_does_not_fit(quick_cloud, region, constraint, code):
    s3 = quick_cloud.client(region_name=region)
    more = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    refusal = await s3.refused("create_bucket", Bucket="here", **more)
    assert (refusal.code, refusal.status) == (code, 400)
    assert (await s3.list_buckets()).get("Buckets", []) == []


async def test_creating_again(cloud):
    east, west = cloud.client(), cloud.client(region_name="us-west-2")
    stranger = cloud.client(aws_access_key_id="111122223333")
    await east.create_bucket(Bucket="mine")
    await east.create_bucket(Bucket="mine")
    await west.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    again = {"Bucket": "far", "CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    assert (await west.refused("create_bucket", **again)).code == "BucketAlreadyOwnedByYou"
    refusal = await stranger.refused("create_bucket", Bucket="mine")
    assert (refusal.code, refusal.status) == ("BucketAlreadyExists", 409)


async def test_a_bucket_of_another_account_is_closed(cloud, s3):
    stranger = cloud.client(aws_access_key_id="111122223333")
    await s3.put_object(Bucket="bucket", Key="key", Body=b"secret")
    refusal = await stranger.refused("get_object", Bucket="bucket", Key="key")
    assert (refusal.code, refusal.status) == ("AccessDenied", 403)
    assert (await stranger.refused("put_object", Bucket="bucket", Key="key", Body=b"mine now")).status == 403
    assert (await stranger.list_buckets()).get("Buckets", []) == []
    owner = {"Bucket": "bucket", "ExpectedBucketOwner": "111122223333"}
    assert (await s3.refused("list_objects_v2", **owner)).code == "AccessDenied"


async def test_a_bucket_with_objects_is_not_deleted(s3):
    await s3.put_object(Bucket="bucket", Key="key", Body=b"")
    refusal = await s3.refused("delete_bucket", Bucket="bucket")
    assert (refusal.code, refusal.status, refusal.extra["BucketName"]) == ("BucketNotEmpty", 409, "bucket")
    await s3.delete_object(Bucket="bucket", Key="key")
    await s3.delete_bucket(Bucket="bucket")


async def test_pages_of_buckets(cloud):
    s3 = cloud.client()
    for name in ("alpha", "beta-1", "beta-2", "beta_3".replace("_", "."), "gamma"):
        await s3.create_bucket(Bucket=name)
    west = {"LocationConstraint": "us-west-2"}
    await s3.create_bucket(Bucket="beta-west", CreateBucketConfiguration=west)
    first = await s3.list_buckets(MaxBuckets=2, Prefix="beta")
    assert [bucket["Name"] for bucket in first["Buckets"]] == ["beta-1", "beta-2"]
    assert first["Prefix"] == "beta"
    rest = await s3.list_buckets(MaxBuckets=9, Prefix="beta", ContinuationToken=first["ContinuationToken"])
    assert [(bucket["Name"], bucket["BucketRegion"]) for bucket in rest["Buckets"]] == [
        ("beta-west", "us-west-2"),
        ("beta.3", "us-east-1"),
    ]
    assert "ContinuationToken" not in rest
    assert [b["Name"] for b in (await s3.list_buckets(BucketRegion="us-west-2"))["Buckets"]] == ["beta-west"]
    assert (await s3.refused("list_buckets", ContinuationToken="nonsense")).code == "InvalidArgument"


@pytest.mark.parametrize("name", ["abc", "a.b.c", "my-bucket-1", "1bucket", "a" * 63])
def test_good_names(name):
    check_new_bucket(name)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Upper",
        "under_score",
        "-lead",
        "trail-",
        "two..dots",
        ".dot",
        "192.168.5.4",
        "xn--b",
        "b-s3alias",
    ],
)
def test_bad_names(name):
    with pytest.raises(InvalidBucketName):
        check_new_bucket(name)


async def test_a_bad_name_is_refused(quick):
    refusal = await quick.refused("create_bucket", Bucket="Not_A_Bucket")
    assert (refusal.code, refusal.status) == ("InvalidBucketName", 400)
    assert refusal.message == "The specified bucket is not valid."


async def test_tags(s3):
    refusal = await s3.refused("get_bucket_tagging", Bucket="bucket")
    assert (refusal.code, refusal.status) == ("NoSuchTagSet", 404)
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "größe", "Value": ""}]
    await s3.put_bucket_tagging(Bucket="bucket", Tagging={"TagSet": tags})
    assert (await s3.get_bucket_tagging(Bucket="bucket"))["TagSet"] == tags
    await s3.delete_bucket_tagging(Bucket="bucket")
    assert (await s3.refused("get_bucket_tagging", Bucket="bucket")).code == "NoSuchTagSet"


async def test_tags_at_birth(quick):
    tags = [{"Key": "team", "Value": "blue"}]
    await quick.create_bucket(Bucket="tagged", CreateBucketConfiguration={"Tags": tags})
    assert (await quick.get_bucket_tagging(Bucket="tagged"))["TagSet"] == tags


@pytest.mark.parametrize(
    "option, code",
    [
        ({"ObjectLockEnabledForBucket": True}, "NotImplemented"),
        ({"ACL": "public-read"}, "AccessControlListNotSupported"),
        ({"GrantRead": "id=1"}, "AccessControlListNotSupported"),
        ({"ObjectOwnership": "ObjectWriter"}, "NotImplemented"),
        ({"CreateBucketConfiguration": {"Bucket": {"Type": "Directory"}}}, "NotImplemented"),
    ],
)
async def test_options_not_carried_out(quick, option, code):
    assert (await quick.refused("create_bucket", Bucket="other", **option)).code == code
    assert (await quick.refused("head_bucket", Bucket="other")).status == 404


async def test_what_tools_ask(quick):
    assert "Status" not in await quick.get_bucket_versioning(Bucket="bucket")
    assert (await quick.get_bucket_acl(Bucket="bucket"))["Grants"][0]["Permission"] == "FULL_CONTROL"
    rules = (await quick.get_bucket_encryption(Bucket="bucket"))["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    owned = (await quick.get_bucket_ownership_controls(Bucket="bucket"))["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert (await quick.get_bucket_request_payment(Bucket="bucket"))["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in await quick.get_bucket_logging(Bucket="bucket")
    assert "Status" not in await quick.get_bucket_accelerate_configuration(Bucket="bucket")
    assert "QueueConfigurations" not in await quick.get_bucket_notification_configuration(Bucket="bucket")
    blocks = (await quick.get_public_access_block(Bucket="bucket"))["PublicAccessBlockConfiguration"]
    assert all(blocks.values())


@pytest.mark.parametrize(
    "operation, code",
    [
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
async def test_what_a_bucket_does_not_have(quick, operation, code):
    refusal = await quick.refused(operation, Bucket="bucket")
    assert (refusal.code, refusal.status) == (code, 404)
    assert (await quick.refused(operation, Bucket="nowhere")).code == "NoSuchBucket"


async def test_setting_what_we_do_not_have_is_refused(quick):
    versioning = {"Status": "Enabled"}
    refusal = await quick.refused("put_bucket_versioning", Bucket="bucket", VersioningConfiguration=versioning)
    assert (refusal.code, refusal.status) == ("NotImplemented", 501)
