"""Amazon S3: buckets, objects, multipart uploads.

Operations are methods of the parts, one subject each. Bodies are streamed and never whole in memory; an answer comes
after the durable commit. Not carried out yet, and refused by name: versioning, policies, ACLs that grant something,
customer and KMS keys, object lock, lifecycle, notifications, replication, website hosting, archives.
"""

from cumulet.services.s3.buckets import Buckets
from cumulet.services.s3.completing import Completing
from cumulet.services.s3.configuration import Configuration
from cumulet.services.s3.lists import Lists
from cumulet.services.s3.reading import Reading
from cumulet.services.s3.tagging import Tagging
from cumulet.services.s3.upload_parts import UploadParts
from cumulet.services.s3.writing import Writing


class S3(Buckets, Configuration, Reading, Writing, Lists, Tagging, UploadParts, Completing):
    """S3."""

    model = "s3"
