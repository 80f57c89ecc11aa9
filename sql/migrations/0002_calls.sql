-- What the call server adds to the Go server's tables. Ids are compared byte for byte from here on
-- (utf8mb4_bin); every column of ours has a default, so the Go server's own statements still work.

-- unless column rtc_room.version
ALTER TABLE rtc_room
  COMMENT='A call, one row for ever; the Go server''s table with our columns after its nine',
  MODIFY id INT NOT NULL AUTO_INCREMENT COMMENT 'row number',
  MODIFY creator VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'uid of who created the call',
  MODIFY room_id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'id of the call, also the LiveKit room name; never reused',
  MODIFY rtc_type TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 voice, 1 video',
  MODIFY invite_on TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1 = only invited people may join',
  MODIFY status TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 ringing, 1 in progress, 2 finished, 3 cancelled, 4 rejected, 5 busy, 6 missed',
  MODIFY max_participants BIGINT NOT NULL DEFAULT 2 COMMENT 'seats; 2 = a 1:1 call',
  MODIFY created_at DATETIME(3) NULL COMMENT 'local time of TZ, as the Go server wrote it',
  MODIFY updated_at DATETIME(3) NULL COMMENT 'local time of TZ, as the Go server wrote it',
  ADD COLUMN source_channel_id VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'the chat channel the call belongs to, free text of the backend',
  ADD COLUMN source_channel_type TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'kind of that channel, free number of the backend',
  ADD COLUMN ring_timeout_s INT NOT NULL DEFAULT 0 COMMENT 'how long an invitation rings, s; 0 = LIVEKIT_TIMEOUT',
  ADD COLUMN metadata TEXT NULL COMMENT 'JSON object of the backend, up to 4 KiB; NULL = none',
  ADD COLUMN version BIGINT NOT NULL DEFAULT 0 COMMENT 'counts transactions on the call; the row lock is its increment',
  ADD COLUMN seq BIGINT NOT NULL DEFAULT 0 COMMENT 'number of the newest event of the call',
  ADD COLUMN created_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'when created, Unix ms UTC; 0 = not yet derived from created_at',
  ADD COLUMN updated_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'last change, Unix ms UTC',
  ADD COLUMN started_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'when the media room began, Unix ms UTC; 0 = not yet',
  ADD COLUMN answered_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'first moment with two people joined, Unix ms UTC; 0 = never',
  ADD COLUMN ended_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'when it became final, Unix ms UTC; 0 = not yet',
  ADD COLUMN end_reason VARCHAR(20) NOT NULL DEFAULT '' COMMENT 'hangup cancelled rejected busy missed ended emptied lost max_duration',
  ADD COLUMN ended_by VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'uid whose act ended it, if somebody did',
  ADD COLUMN next_deadline_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'least of ring, rejoin and MAX_CALL_S deadlines, Unix ms UTC; 0 = none',
  ADD COLUMN livekit_node VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'media node the call is assigned to; empty = the cluster decides',
  ADD COLUMN livekit_url VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'URL given to its clients',
  ADD COLUMN livekit_sid VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'sid of the current media room',
  ADD COLUMN host_since_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'since when its node hosts it, LiveKit clock, Unix ms',
  ADD COLUMN look_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'when the reconciler is asked to look at it, Unix ms; 0 = in its turn',
  ADD KEY idx_next_deadline (next_deadline_ms, status),
  ADD KEY idx_created_at_ms (created_at_ms, id),
  ADD KEY idx_creator_created (creator, created_at_ms, id),
  ADD KEY idx_status_created (status, created_at_ms, id);

-- unless column rtc_participant.deadline_ms
ALTER TABLE rtc_participant
  COMMENT='Who is, was or is wanted in a call, one row a person and call; the Go server''s table with our columns after its nine',
  MODIFY id INT NOT NULL AUTO_INCREMENT COMMENT 'row number, the order of inviting',
  MODIFY room_id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'the call',
  MODIFY uid VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'the person, also the LiveKit identity',
  MODIFY device_type VARCHAR(20) NOT NULL DEFAULT '' COMMENT 'kind of the device joined from; empty = not known',
  MODIFY status TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 inviting, 1 joined, 2 rejected, 3 hung up, 4 missed, 5 busy, 6 cancelled',
  MODIFY join_time BIGINT NOT NULL DEFAULT 0 COMMENT 'last joined, Unix s; 0 = never',
  MODIFY leave_time BIGINT NOT NULL DEFAULT 0 COMMENT 'last hung up, Unix s; 0 = not',
  MODIFY created_at DATETIME(3) NULL COMMENT 'local time of TZ, as the Go server wrote it; set anew by an invitation',
  MODIFY updated_at DATETIME(3) NULL COMMENT 'local time of TZ, as the Go server wrote it',
  ADD COLUMN name VARCHAR(128) NOT NULL DEFAULT '' COMMENT 'display name given at create or join',
  ADD COLUMN device_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'the device joined from, where it names itself',
  ADD COLUMN deadline_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'inviting: rings until; joined: must be back until; Unix ms UTC; 0 = none',
  ADD COLUMN claimed TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1 = active by create or invite: at most one such row a person',
  ADD COLUMN removed TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1 = put out by a moderator, may not come back uninvited',
  ADD COLUMN left_how VARCHAR(16) NOT NULL DEFAULT '' COMMENT 'how it left active: leave reject removed cancelled missed lost busy ended',
  ADD COLUMN left_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'when it left active, Unix ms UTC',
  ADD COLUMN sid VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'LiveKit session seen; empty = no media session',
  ADD COLUMN sid_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'joined_at of the newest session ever seen, LiveKit clock, Unix ms',
  ADD COLUMN session_from_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'since when this membership counts, Unix ms UTC',
  ADD COLUMN last_left_sid VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'LiveKit session that is known to be over',
  ADD KEY idx_uid_status (uid, status, room_id),
  ADD KEY idx_uid_id (uid, id);

-- unless table rtc_user
CREATE TABLE rtc_user (
  uid     VARCHAR(40) NOT NULL PRIMARY KEY COMMENT 'the person',
  version BIGINT NOT NULL DEFAULT 0 COMMENT 'counts creates and invites that named the person; the row lock is its increment'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='One row a person ever named; its lock lets one create or invite at a time name somebody';

-- unless table event
CREATE TABLE event (
  id            BIGINT AUTO_INCREMENT PRIMARY KEY COMMENT 'row number, not the order of delivery',
  event_id      CHAR(36) NOT NULL COMMENT 'UUIDv7, the same in every delivery',
  room_id       VARCHAR(40) NOT NULL COMMENT 'the call',
  seq           BIGINT NOT NULL COMMENT 'number within the call, from 1 without a gap',
  type          VARCHAR(40) NOT NULL COMMENT 'participant.joined, room.finished, ...',
  uid           VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'the person it is about, if it is one',
  data          MEDIUMTEXT NOT NULL COMMENT 'the JSON body as it is delivered',
  created_at_ms BIGINT NOT NULL COMMENT 'when it happened, Unix ms UTC',
  UNIQUE KEY uk_event_id (event_id),
  UNIQUE KEY uk_room_seq (room_id, seq),
  KEY idx_created_at_ms (created_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='What happened in calls, written in the same transaction as the change itself';

-- unless table livekit_event
CREATE TABLE livekit_event (
  id             VARCHAR(64) NOT NULL PRIMARY KEY COMMENT 'LiveKit''s id of the webhook: applied once',
  event          VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'participant_joined, room_finished, ...',
  room_id        VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'the call',
  uid            VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'the person, if it is about one',
  received_at_ms BIGINT NOT NULL COMMENT 'when it was applied, Unix ms UTC',
  KEY idx_received_at_ms (received_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='Ids of LiveKit''s webhooks that were applied, so that a repeated one changes nothing';

-- unless table livekit_action
CREATE TABLE livekit_action (
  id            BIGINT AUTO_INCREMENT PRIMARY KEY COMMENT 'row number',
  kind          VARCHAR(20) NOT NULL COMMENT 'delete_room, remove_participant',
  room_id       VARCHAR(40) NOT NULL COMMENT 'the call',
  uid           VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'remove_participant: whom',
  sid           VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'remove_participant: the session meant; empty = whichever',
  state         VARCHAR(10) NOT NULL DEFAULT 'open' COMMENT 'open, done, failed',
  attempts      INT NOT NULL DEFAULT 0 COMMENT 'how often it was tried',
  due_at_ms     BIGINT NOT NULL DEFAULT 0 COMMENT 'not before, Unix ms UTC',
  created_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'when it was asked for, Unix ms UTC',
  last_error    VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'what the last try was answered',
  KEY idx_room (room_id, kind, state),
  KEY idx_due (state, due_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='What LiveKit is still to be asked for: close a room, put a person out';
