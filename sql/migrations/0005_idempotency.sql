-- Answers kept for their Idempotency-Key.

-- unless table idempotency
CREATE TABLE idempotency (
  id            CHAR(64) NOT NULL PRIMARY KEY COMMENT 'SHA-256 in hex of who asked, method, path and key',
  body_sha256   CHAR(64) NOT NULL COMMENT 'of the request''s body, in hex: another body under the same key is refused',
  caller        VARCHAR(80) NOT NULL DEFAULT '' COMMENT 'who asked: key:name, ticket:uid or open:address',
  route         VARCHAR(120) NOT NULL DEFAULT '' COMMENT 'what was asked for: method and pattern of the path',
  room_id       VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'the call it was about; empty = none',
  status        SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'the answer''s HTTP status',
  answer        MEDIUMTEXT NOT NULL COMMENT 'the answer''s body, with an empty token where it had one',
  access_at     INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'byte of the answer where token and url begin',
  access_len    INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'how many bytes they take; 0 = it has no token',
  created_at_ms BIGINT NOT NULL COMMENT 'when it was answered, Unix ms UTC; kept for IDEMPOTENCY_TTL',
  KEY idx_created (created_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='answers of requests with an Idempotency-Key, written by the transaction that changed something';
