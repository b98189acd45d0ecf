"""Amazon S3: buckets and objects. The service is `service.S3`."""
