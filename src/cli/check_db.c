/* check_db - the database: version, connections, schema, clocks and time zone, and what LiveKit told it.
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/doctor.h"
#include "schema/local_time.h"
#include "schema/schema.h"
#include "store/room_columns.h"

enum {
	LEFT_TO_OTHERS = 20, WORKERS_MOST = 48, PER_PROCESSOR = 8,
	SKEW_WARN_MS = 1000, SKEW_FAIL_MS = 30000, TZ_SLACK_MS = 2000,
	MINUTE_MS = 60 * 1000
};

struct number_row { int64_t n; };
static const struct sql_col NUMBER_COLS[] = { SQL_COL(struct number_row, n) };
static const struct sql_stmt MAX_CONNECTIONS = {
	.name = "check_max_connections", .text = "SELECT @@GLOBAL.max_connections",
	.cols = NUMBER_COLS, .n_cols = 1,
};
static const struct sql_stmt NOW = {
	.name = "check_now", .text = "SELECT " SQL_NOW_MS, .cols = NUMBER_COLS, .n_cols = 1,
};

struct newest_row { int64_t civil_ms, at_ms; };
static const struct sql_col NEWEST_COLS[] = {
	SQL_COL(struct newest_row, civil_ms),
	SQL_COL(struct newest_row, at_ms),
};
static const struct sql_stmt NEWEST_ROOM = {
	.name = "check_newest_room",
	.text = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', created_at) DIV 1000, created_at_ms"
	    " FROM rtc_room WHERE created_at_ms > 0 AND created_at IS NOT NULL"
	    " ORDER BY created_at_ms DESC LIMIT 1",
	.cols = NEWEST_COLS, .n_cols = N_ELEMS(NEWEST_COLS),
};
static const struct sql_stmt NEWEST_WEBHOOK = {
	.name = "check_newest_webhook",
	.text = "SELECT received_at_ms, " SQL_NOW_MS " FROM livekit_event"
	    " ORDER BY received_at_ms DESC LIMIT 1",
	.cols = NEWEST_COLS, .n_cols = N_ELEMS(NEWEST_COLS),
};

static enum err
ask(struct doctor *d, const struct sql_stmt *s, void *row, bool *found)
{
	return sql_one(&d->c->op, d->c->sv.db, s, NULL, 0, row, found);
}

/* "10.11.14-MariaDB-...", "8.0.39" */
static bool
version_is_known(struct str version)
{
	struct str rest = version, part;
	int64_t major = 0, minor = 0;
	bool maria = strstr(version.at, "MariaDB") != NULL;

	if (!str_split(&rest, '.', &part) || !parse_i64(part, 0, 1000, &major))
		return false;
	if (!str_split(&rest, '.', &part) || !parse_i64(part, 0, 1000, &minor))
		return false;
	return maria ? major > 10 || (major == 10 && minor >= 6) : major >= 8;
}

static void
check_version(struct doctor *d)
{
	struct str version = str_of(sql_server_version(d->c->sv.db));

	doctor_finds(d, "mysql", version_is_known(version) ? WELL : WARNING,
	    "use MySQL 8 or MariaDB 10.6 or later",
	    arena_printf(d->c->arena, "%.*s answers", STR_ARG(version)));
}

/* The worker takes as many as leave some to others; fewer than wished is worth knowing. */
static void
check_connections(struct doctor *d)
{
	int64_t wanted = d->c->conf->workers;
	struct number_row row = { 0 };
	bool found;

	if (wanted == 0) {
		wanted = PER_PROCESSOR * sysconf(_SC_NPROCESSORS_ONLN);
		wanted = wanted < WORKERS_MOST ? wanted : WORKERS_MOST;
	}
	if (ask(d, &MAX_CONNECTIONS, &row, &found) != ERR_OK || !found)
		return;
	doctor_finds(d, "connections", wanted + LEFT_TO_OTHERS <= row.n ? WELL : WARNING,
	    "raise max_connections of the database, or lower WORKERS",
	    arena_printf(d->c->arena, "max_connections %lld for %lld workers", (long long)row.n,
	    (long long)wanted));
}

static void
check_schema(struct doctor *d)
{
	struct schema_status st = { 0 };
	enum err e = schema_status(&d->c->op, d->c->sv.db, &SCHEMA, &st);

	if (e != ERR_OK)
		doctor_finds(d, "schema", FAILURE, "see the rights of DB_USER on DB_NAME",
		    S("cannot be read"));
	else if (st.state == SCHEMA_NEWER)
		doctor_finds(d, "schema", FAILURE, "install the release that made it", arena_printf(d->c->arena,
		    "version %d; this program knows %d", st.applied, st.newest));
	else if (st.state != SCHEMA_OK)
		doctor_finds(d, "schema", FAILURE, "run tgo-call migrate", arena_printf(d->c->arena,
		    "version %d; this program needs %d", st.applied, st.newest));
	else
		doctor_finds(d, "schema", WELL, "", arena_printf(d->c->arena, "version %d", st.applied));
}

bool
check_database(struct doctor *d)
{
	struct sql_link *l = d->c->sv.db;

	if (sql_ping(&d->c->op, l)) {
		check_version(d);
		check_connections(d);
		check_schema(d);
		return true;
	}
	if (sql_no_database(l))
		doctor_finds(d, "mysql", FAILURE, "run tgo-call migrate", arena_printf(d->c->arena,
		    "the database %.*s does not exist", STR_ARG(sql_database_name(l))));
	else
		doctor_finds(d, "mysql", FAILURE, "see DB_HOST, DB_PORT, DB_SOCKET, DB_USER, DB_PASSWORD",
		    str_of(sql_why_down(l)));
	return false;
}

static void
check_skew(struct doctor *d)
{
	int64_t before_ms = clock_wall_ms(), skew_ms, size_ms;
	struct number_row row = { 0 };
	bool found;

	if (ask(d, &NOW, &row, &found) != ERR_OK || !found)
		return;
	skew_ms = row.n - (before_ms + clock_wall_ms()) / 2;
	size_ms = skew_ms < 0 ? -skew_ms : skew_ms;
	doctor_finds(d, "clock",
	    size_ms >= SKEW_FAIL_MS ? FAILURE : size_ms >= SKEW_WARN_MS ? WARNING : WELL,
	    "let NTP set the clocks of this host and of the database's", arena_printf(d->c->arena,
	    "the database's clock is %lld ms %s this host's", (long long)size_ms,
	    skew_ms < 0 ? "behind" : "ahead of"));
}

/* Local times in the DATETIME columns must be of one zone: the newest row shows which was used. */
static void
check_zone(struct doctor *d)
{
	int64_t offset_ms = local_time_offset_ms(clock_wall_ms());
	int64_t minutes = (offset_ms < 0 ? -offset_ms : offset_ms) / MINUTE_MS;
	struct str zone = d->c->conf->tz;
	struct newest_row row = { 0 };
	bool found = false;
	int64_t off_ms = 0;

	if (ask(d, &NEWEST_ROOM, &row, &found) == ERR_OK && found)
		off_ms = row.civil_ms - local_time_offset_ms(row.civil_ms) - row.at_ms;
	if (off_ms > TZ_SLACK_MS || off_ms < -TZ_SLACK_MS) {
		doctor_finds(d, "time zone", WARNING, "set the same TZ for everything that writes there",
		    arena_printf(d->c->arena, "the newest call's local time is %lld minutes off that of TZ",
		    (long long)(off_ms / MINUTE_MS)));
		return;
	}
	doctor_finds(d, "time zone", WELL, "", arena_printf(d->c->arena, "%.*s, now UTC%c%02lld:%02lld",
	    STR_ARG(zone.len > 0 ? zone : S("the system's")), offset_ms < 0 ? '-' : '+',
	    (long long)(minutes / 60), (long long)(minutes % 60)));
}

void
check_clocks(struct doctor *d)
{
	check_skew(d);
	check_zone(d);
}

void
check_webhooks(struct doctor *d)
{
	static const char CURE[] = "in LiveKit's configuration: webhook: {api_key: <LIVEKIT_API_KEY>, urls: "
	    "[https://<this server>/api/v1/webhooks/livekit]}";
	struct newest_row row = { 0 };
	bool found = false;

	/* Without its table the schema's line has said what to do. */
	if (ask(d, &NEWEST_WEBHOOK, &row, &found) != ERR_OK)
		return;
	if (!found)
		doctor_finds(d, "webhooks", WARNING, CURE, S("nothing has arrived from LiveKit yet"));
	else
		doctor_finds(d, "webhooks", WELL, "", arena_printf(d->c->arena,
		    "LiveKit's newest came %lld s ago", (long long)((row.at_ms - row.civil_ms) / 1000)));
}
