-- The cluster: what is known of LiveKit's nodes beyond what they say themselves.

-- unless column rtc_room.cluster
ALTER TABLE rtc_room
  ADD COLUMN cluster VARCHAR(20) NOT NULL DEFAULT '' COMMENT 'which cluster of media nodes; empty = the only one';

-- unless table livekit_node
CREATE TABLE livekit_node (
  addr          VARCHAR(64) NOT NULL PRIMARY KEY COMMENT 'ip:port, as calls are assigned to it',
  host          VARCHAR(253) NOT NULL DEFAULT '' COMMENT 'its name in LIVEKIT_NODES; empty = known from LiveKit''s Redis only',
  livekit_id    VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'LiveKit''s id of its newest start',
  drained       TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '1 = gets no new call',
  drained_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'since when, Unix ms UTC',
  drained_by    VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'name of the key that asked for it; cli = the operator''s command',
  seen_at_ms    BIGINT NOT NULL DEFAULT 0 COMMENT 'last answered a probe, Unix ms UTC',
  down_since_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'does not answer since, Unix ms UTC; 0 = answers'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='LiveKit''s nodes as our processes met them';
