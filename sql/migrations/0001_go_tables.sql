-- The three tables the Go server has, for a database that never saw it. On a taken-over one
-- they are there already and stay.

-- unless table rtc_room
CREATE TABLE rtc_room (
  id               INT AUTO_INCREMENT PRIMARY KEY,
  creator          VARCHAR(40) NOT NULL DEFAULT '',
  room_id          VARCHAR(40) NOT NULL DEFAULT '',
  rtc_type         TINYINT UNSIGNED NOT NULL DEFAULT 0,
  invite_on        TINYINT UNSIGNED NOT NULL DEFAULT 0,
  status           TINYINT UNSIGNED NOT NULL DEFAULT 0,
  max_participants BIGINT NOT NULL DEFAULT 2,
  created_at       DATETIME(3) NULL,
  updated_at       DATETIME(3) NULL,
  UNIQUE KEY uk_room_id (room_id),
  KEY idx_creator (creator),
  KEY idx_status (status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- unless table rtc_participant
CREATE TABLE rtc_participant (
  id          INT AUTO_INCREMENT PRIMARY KEY,
  room_id     VARCHAR(40) NOT NULL DEFAULT '',
  uid         VARCHAR(40) NOT NULL DEFAULT '',
  device_type VARCHAR(20) NOT NULL DEFAULT '',
  status      TINYINT UNSIGNED NOT NULL DEFAULT 0,
  join_time   BIGINT NOT NULL DEFAULT 0,
  leave_time  BIGINT NOT NULL DEFAULT 0,
  created_at  DATETIME(3) NULL,
  updated_at  DATETIME(3) NULL,
  UNIQUE KEY uk_room_uid (room_id, uid),
  KEY idx_room_id (room_id),
  KEY idx_status (status),
  KEY idx_uid (uid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- unless table business_webhook_log
CREATE TABLE business_webhook_log (
  id         BIGINT AUTO_INCREMENT PRIMARY KEY COMMENT 'row number',
  event_type VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'type of the event that could not be delivered',
  event_id   VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'id of the event',
  url        VARCHAR(500) NOT NULL DEFAULT '' COMMENT 'where it was sent, query included',
  status     INT NOT NULL DEFAULT 0 COMMENT 'HTTP status of the answer, 0 = none came',
  request    LONGTEXT NULL COMMENT 'what was sent',
  response   LONGTEXT NULL COMMENT 'what came back',
  error      VARCHAR(500) NULL COMMENT 'why it counts as a failure',
  retry      INT NOT NULL DEFAULT 0 COMMENT 'how often it had been tried',
  created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP COMMENT 'when it was written; read in the time_zone of who asks',
  updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
    COMMENT 'when it was last written; read in the time_zone of who asks',
  KEY idx_event_id (event_id),
  KEY idx_event_type (event_type),
  KEY idx_url (url(191)),
  KEY idx_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
  COMMENT='The Go server''s record of events its business endpoints did not take, one row a failed try';
