-- S3: buckets, objects, the pieces that their bytes are made of, multipart uploads.
-- Keys are BYTEA (UTF-8), so that both databases sort them by their bytes and take every character.

CREATE TABLE s3_buckets (
    name TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    location TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    tags TEXT NOT NULL
);

CREATE INDEX s3_buckets_by_account ON s3_buckets (account, name);

-- One row for each object. `content` leads to its pieces; `parts` is 0 unless it came by a multipart upload.
CREATE TABLE s3_objects (
    bucket TEXT NOT NULL REFERENCES s3_buckets (name),
    key BYTEA NOT NULL,
    content TEXT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    storage_class TEXT NOT NULL,
    checksum TEXT NOT NULL,
    parts BIGINT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
);

-- Bytes in order: a small body stands in the row, a big one is a range of a blob. Copies share blobs.
CREATE TABLE s3_pieces (
    content TEXT NOT NULL,
    part BIGINT NOT NULL,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    blob TEXT,
    start BIGINT NOT NULL,
    body BYTEA,
    PRIMARY KEY (content, part, number)
);

CREATE INDEX s3_pieces_by_blob ON s3_pieces (blob) WHERE blob IS NOT NULL;

-- `answer` is what completing it told, as long as the object that it made is there; empty while it is open.
CREATE TABLE s3_uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES s3_buckets (name),
    key BYTEA NOT NULL,
    initiated_at BIGINT NOT NULL,
    storage_class TEXT NOT NULL,
    checksum_algorithm TEXT NOT NULL,
    checksum_type TEXT NOT NULL,
    facts TEXT NOT NULL,
    answer TEXT NOT NULL
);

CREATE INDEX s3_uploads_by_key ON s3_uploads (bucket, key, initiated_at, id);

-- The parts of an upload, and later of the object that it made: its `content` is the upload's id.
CREATE TABLE s3_parts (
    content TEXT NOT NULL,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    checksums TEXT NOT NULL,
    PRIMARY KEY (content, number)
);
