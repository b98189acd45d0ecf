-- name: bucket
SELECT name, account, region, location, created_at, tags FROM s3_buckets WHERE name = :name;

-- name: add_bucket
INSERT INTO s3_buckets (name, account, region, location, created_at, tags)
VALUES (:name, :account, :region, :location, :created_at, :tags)
ON CONFLICT (name) DO NOTHING;

-- name: drop_bucket
DELETE FROM s3_buckets WHERE name = :name;

-- name: tag_bucket
UPDATE s3_buckets SET tags = :tags WHERE name = :name;

-- name: buckets
SELECT name, account, region, location, created_at, tags FROM s3_buckets
WHERE account = :account AND name > :after AND name LIKE :pattern ESCAPE '!'
AND (:region = '' OR region = :region)
ORDER BY name LIMIT :limit;

-- name: any_object
SELECT 1 AS found FROM s3_objects WHERE bucket = :bucket LIMIT 1;

-- name: uploads_of
SELECT id FROM s3_uploads WHERE bucket = :bucket;

-- name: object
SELECT key, content, size, etag, modified_at, storage_class, checksum, parts, facts FROM s3_objects
WHERE bucket = :bucket AND key = :key;

-- name: add_object
INSERT INTO s3_objects (bucket, key, content, size, etag, modified_at, storage_class, checksum, parts, facts)
VALUES (:bucket, :key, :content, :size, :etag, :modified_at, :storage_class, :checksum, :parts, :facts)
ON CONFLICT (bucket, key) DO NOTHING;

-- name: lock_object
UPDATE s3_objects SET size = size WHERE bucket = :bucket AND key = :key
RETURNING key, content, size, etag, modified_at, storage_class, checksum, parts, facts;

-- name: replace_object
UPDATE s3_objects SET content = :content, size = :size, etag = :etag, modified_at = :modified_at,
storage_class = :storage_class, checksum = :checksum, parts = :parts, facts = :facts
WHERE bucket = :bucket AND key = :key;

-- name: drop_object
DELETE FROM s3_objects WHERE bucket = :bucket AND key = :key RETURNING content, parts;

-- name: set_facts
UPDATE s3_objects SET facts = :facts WHERE bucket = :bucket AND key = :key;

-- name: list_objects
SELECT key, content, size, etag, modified_at, storage_class, checksum, parts FROM s3_objects
WHERE bucket = :bucket AND key >= :first AND key < :end
ORDER BY key LIMIT :limit;

-- name: pieces
SELECT size, blob, start, body FROM s3_pieces WHERE content = :content ORDER BY part, number;

-- name: add_piece
INSERT INTO s3_pieces (content, part, number, size, blob, start, body)
VALUES (:content, :part, :number, :size, :blob, :start, :body);

-- name: drop_pieces
DELETE FROM s3_pieces WHERE content = :content RETURNING blob;

-- name: drop_pieces_of_part
DELETE FROM s3_pieces WHERE content = :content AND part = :part RETURNING blob;

-- name: any_piece_of
SELECT 1 AS found FROM s3_pieces WHERE blob = :blob LIMIT 1;

-- name: blobs
SELECT DISTINCT blob FROM s3_pieces WHERE blob IS NOT NULL;

-- name: add_upload
INSERT INTO s3_uploads
(id, bucket, key, initiated_at, storage_class, checksum_algorithm, checksum_type, facts, answer)
VALUES
(:id, :bucket, :key, :initiated_at, :storage_class, :checksum_algorithm, :checksum_type, :facts, '');

-- name: upload
SELECT id, bucket, key, initiated_at, storage_class, checksum_algorithm, checksum_type, facts, answer
FROM s3_uploads WHERE id = :id AND bucket = :bucket AND key = :key;

-- name: lock_upload
UPDATE s3_uploads SET answer = answer WHERE id = :id AND bucket = :bucket AND key = :key
RETURNING id, bucket, key, initiated_at, storage_class, checksum_algorithm, checksum_type, facts, answer;

-- name: finish_upload
UPDATE s3_uploads SET answer = :answer WHERE id = :id;

-- name: drop_upload
DELETE FROM s3_uploads WHERE id = :id;

-- name: list_uploads
SELECT id, bucket, key, initiated_at, storage_class, checksum_algorithm, checksum_type, facts, answer
FROM s3_uploads
WHERE bucket = :bucket AND answer = '' AND key >= :first AND key < :end
AND (key > :first OR initiated_at > :since OR (initiated_at = :since AND id > :after))
ORDER BY key, initiated_at, id LIMIT :limit;

-- name: put_part
INSERT INTO s3_parts (content, number, size, etag, modified_at, checksums)
VALUES (:content, :number, :size, :etag, :modified_at, :checksums)
ON CONFLICT (content, number) DO UPDATE SET size = excluded.size, etag = excluded.etag,
modified_at = excluded.modified_at, checksums = excluded.checksums;

-- name: parts
SELECT number, size, etag, modified_at, checksums FROM s3_parts
WHERE content = :content AND number > :after ORDER BY number LIMIT :limit;

-- name: drop_part
DELETE FROM s3_parts WHERE content = :content AND number = :number;

-- name: drop_parts
DELETE FROM s3_parts WHERE content = :content;
