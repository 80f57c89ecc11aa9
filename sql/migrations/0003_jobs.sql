-- What tgo-call-jobs needs: numbered events and their deliveries, leases, heartbeats, and where the
-- reconciler stands with each call.

-- unless column event.pos
ALTER TABLE event
  ADD COLUMN pos BIGINT NOT NULL DEFAULT 0 COMMENT 'place in the stream of all events, given after commit; 0 = not yet',
  ADD KEY idx_pos (pos);

-- unless column rtc_room.listed_at_ms
ALTER TABLE rtc_room
  ADD COLUMN listed_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'when LiveKit was last asked who is in it, Unix ms UTC',
  ADD KEY idx_look (status, look_at_ms);

-- unless column rtc_participant.missing_at_ms
ALTER TABLE rtc_participant
  ADD COLUMN missing_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'joined, and LiveKit did not list the person at this look, Unix ms UTC; 0 = seen since';

-- unless table webhook_endpoint
CREATE TABLE webhook_endpoint (
  id               CHAR(16) NOT NULL PRIMARY KEY COMMENT 'first 16 hex digits of the SHA-256 of the address',
  url              VARCHAR(500) NOT NULL COMMENT 'the address, as configured',
  state            VARCHAR(10) NOT NULL DEFAULT 'active' COMMENT 'active; disabled = it answered 410; removed = no longer configured',
  added_at_ms      BIGINT NOT NULL DEFAULT 0 COMMENT 'gets events from then on, Unix ms UTC',
  down_since_ms    BIGINT NOT NULL DEFAULT 0 COMMENT 'held to be down since, Unix ms UTC; 0 = healthy',
  probe_at_ms      BIGINT NOT NULL DEFAULT 0 COMMENT 'next single try while it is down, Unix ms UTC',
  last_ok_at_ms    BIGINT NOT NULL DEFAULT 0 COMMENT 'last accepted event, Unix ms UTC',
  last_failed_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'last failed try, Unix ms UTC',
  last_status      INT NOT NULL DEFAULT 0 COMMENT 'HTTP status of the last try; 0 = no answer',
  last_error       VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'what was wrong with the last failed try'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='Receivers of events, one row for each address ever configured';

-- unless table event_delivery
CREATE TABLE event_delivery (
  endpoint_id    CHAR(16) NOT NULL COMMENT 'webhook_endpoint.id',
  pos            BIGINT NOT NULL COMMENT 'event.pos',
  event_no       BIGINT NOT NULL COMMENT 'event.id',
  room_id        VARCHAR(40) NOT NULL COMMENT 'the call: its deliveries wait for each other',
  type           VARCHAR(40) NOT NULL COMMENT 'the event''s type',
  state          TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 queued, 1 is tried again and holds nobody, 2 delivered, 3 exhausted',
  due_at_ms      BIGINT NOT NULL DEFAULT 0 COMMENT 'state 1: not before, Unix ms UTC; else 0',
  attempts       INT NOT NULL DEFAULT 0 COMMENT 'tries that count',
  first_try_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'since when its call waits for it, Unix ms UTC; 0 = not tried',
  next_try_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'state 0: not before, Unix ms UTC; 0 = at once',
  last_try_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'Unix ms UTC',
  last_status    INT NOT NULL DEFAULT 0 COMMENT 'HTTP status of the last try; 0 = no answer',
  last_answer    VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'beginning of the last answer, or why there was none',
  created_at_ms  BIGINT NOT NULL DEFAULT 0 COMMENT 'when it was queued, Unix ms UTC',
  PRIMARY KEY (endpoint_id, pos),
  KEY idx_queue (endpoint_id, state, due_at_ms),
  KEY idx_event_no (event_no),
  KEY idx_room (room_id, pos)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='One row for each event and receiver: what became of it';

-- unless table jobs_lease
CREATE TABLE jobs_lease (
  name     VARCHAR(40) NOT NULL PRIMARY KEY COMMENT 'what only one process may do at a time: sequence, endpoint:ID, keeper',
  holder   VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'jobs_process.id',
  until_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'free from then on, Unix ms UTC',
  value    BIGINT NOT NULL DEFAULT 0 COMMENT 'sequence: the last event.pos given'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='Work that one process of tgo-call-jobs does for all';

-- unless table jobs_process
CREATE TABLE jobs_process (
  id            VARCHAR(40) NOT NULL PRIMARY KEY COMMENT 'made at its start',
  instance      VARCHAR(40) NOT NULL COMMENT 'the same for all processes of one tgo-call-jobs',
  task          VARCHAR(16) NOT NULL COMMENT 'deadlines, sequence, deliver, actions, reconcile, keeper',
  host          VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'where it runs',
  pid           INT NOT NULL DEFAULT 0 COMMENT 'its process id there',
  version       VARCHAR(32) NOT NULL DEFAULT '' COMMENT 'its program''s version',
  started_at_ms BIGINT NOT NULL DEFAULT 0 COMMENT 'Unix ms UTC',
  beat_at_ms    BIGINT NOT NULL DEFAULT 0 COMMENT 'last sign of life, Unix ms UTC',
  KEY idx_beat_at_ms (beat_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='The processes of tgo-call-jobs that live, or died lately';
