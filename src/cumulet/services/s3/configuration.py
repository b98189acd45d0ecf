"""What tools ask of a bucket's configuration: the truth, which is AWS's default, for nothing of it can be set here yet.

Setting any of it has no operation and is refused with 501.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulet.services.s3 import errors
from cumulet.services.s3.headers import ENCRYPTION
from cumulet.services.s3.naming import canonical_id, check_version, key_bytes
from cumulet.services.s3.parts import Parts

if TYPE_CHECKING:
    from cumulet.services.s3.records import Bucket
    from cumulet.wire.service import Call, Reply


class Configuration(Parts):
    """Operations that tell how a bucket is set up."""

    async def _told(self, call: Call, input: dict[str, Any], reply: Reply) -> Reply:
        await self._asked(call, input)
        return reply

    async def _asked(self, call: Call, input: dict[str, Any]) -> Bucket:
        return await self._database.read(lambda tx: self._bucket(tx, call, input))

    async def _absent(self, call: Call, input: dict[str, Any], error: type[errors.Absent]) -> Reply:
        raise error(BucketName=(await self._asked(call, input)).name)

    async def get_bucket_versioning(self, call: Call, **input: Any) -> Reply:
        return await self._told(call, input, {})

    async def get_bucket_acl(self, call: Call, **input: Any) -> Reply:
        return await self._told(call, input, _owner_only(call.account))

    async def get_object_acl(self, call: Call, **input: Any) -> Reply:
        check_version(input.get("VersionId"))
        key = key_bytes(input["Key"])
        await self._database.read(lambda tx: self._object(tx, self._bucket(tx, call, input).name, key))
        return _owner_only(call.account)

    async def get_bucket_encryption(self, call: Call, **input: Any) -> Reply:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": ENCRYPTION}, "BucketKeyEnabled": False}
        return await self._told(call, input, {"ServerSideEncryptionConfiguration": {"Rules": [rule]}})

    async def get_bucket_ownership_controls(self, call: Call, **input: Any) -> Reply:
        rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        return await self._told(call, input, {"OwnershipControls": rules})

    async def get_bucket_request_payment(self, call: Call, **input: Any) -> Reply:
        return await self._told(call, input, {"Payer": "BucketOwner"})

    async def get_bucket_logging(self, call: Call, **input: Any) -> Reply:
        return await self._told(call, input, {})

    async def get_bucket_accelerate_configuration(self, call: Call, **input: Any) -> Reply:
        return await self._told(call, input, {})

    async def get_bucket_notification_configuration(self, call: Call, **input: Any) -> Reply:
        return await self._told(call, input, {})

    async def get_public_access_block(self, call: Call, **input: Any) -> Reply:
        blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        return await self._told(call, input, {"PublicAccessBlockConfiguration": dict.fromkeys(blocks, True)})

    async def get_bucket_policy(self, call: Call, **input: Any) -> Reply:
        return await self._absent(call, input, errors.NoSuchBucketPolicy)

    async def get_bucket_policy_status(self, call: Call, **input: Any) -> Reply:
        return await self._absent(call, input, errors.NoSuchBucketPolicy)

    async def get_bucket_cors(self, call: Call, **input: Any) -> Reply:
        return await self._absent(call, input, errors.NoSuchCORSConfiguration)

    async def get_bucket_website(self, call: Call, **input: Any) -> Reply:
        return await self._absent(call, input, errors.NoSuchWebsiteConfiguration)

    async def get_bucket_lifecycle_configuration(self, call: Call, **input: Any) -> Reply:
        return await self._absent(call, input, errors.NoSuchLifecycleConfiguration)

    async def get_bucket_replication(self, call: Call, **input: Any) -> Reply:
        return await self._absent(call, input, errors.ReplicationConfigurationNotFoundError)

    async def get_object_lock_configuration(self, call: Call, **input: Any) -> Reply:
        return await self._absent(call, input, errors.ObjectLockConfigurationNotFoundError)


def _owner_only(account: str) -> Reply:
    """The ACL of everything here: its owner may all, nobody else anything."""
    person = {"ID": canonical_id(account)}
    return {
        "Owner": person,
        "Grants": [{"Grantee": {**person, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}],
    }
