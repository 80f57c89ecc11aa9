/* takeover - checks, plans and drives the take-over of the Go server's rows.
 * SPDX-License-Identifier: MIT */
#include "schema/takeover_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "schema/local_time.h"
#include "schema/schema_private.h"

enum {
	LINE_BYTES = 512, STEP_ARENA = 16 << 20,
	FUTURE_MS = 60 * 1000,                        /* clocks of hosts differ */
	STALE_MS = 15 * 60 * 1000,
	MINUTE_MS = 60 * 1000,
	SAY_EVERY = 100000,
};

struct newest_row { int64_t n, created_civil_ms, updated_civil_ms, now_ms; };
static const struct sql_col NEWEST_COLS[] = {
	SQL_COL(struct newest_row, n),
	SQL_COL(struct newest_row, created_civil_ms),
	SQL_COL(struct newest_row, updated_civil_ms),
	SQL_COL(struct newest_row, now_ms),
};
/* Ids ascend with time: the last thousand hold the newest. */
#define NEWEST(n, from)                                                                          \
	{ .name = (n), .text = "SELECT COUNT(*), MAX(" CIVIL_MS("c") "), MAX(" CIVIL_MS("u") "), "   \
	  SQL_NOW_MS " FROM (SELECT created_at AS c, updated_at AS u FROM " from                  \
	  " ORDER BY id DESC LIMIT 1000) newest", .cols = NEWEST_COLS, .n_cols = N_ELEMS(NEWEST_COLS) }

struct count_row { int64_t n; };
static const struct sql_col COUNT_COLS[] = { SQL_COL(struct count_row, n) };
#define COUNT(n, from)                                                                           \
	{ .name = (n), .text = "SELECT COUNT(*) FROM " from, .cols = COUNT_COLS, .n_cols = 1 }

#define RINGING_ROWS "rtc_participant p JOIN rtc_room r ON r.room_id = p.room_id"                \
	" WHERE r.status IN (0, 1) AND p.status = 0"

/* What waits to be taken over; each question twice: before our columns are there, and after. */
enum { BEFORE, AFTER };
static const struct sql_stmt NEWEST_ROOM[] = {
	[BEFORE] = NEWEST("takeover_newest_room_before", "rtc_room"),
	[AFTER] = NEWEST("takeover_newest_room", "rtc_room WHERE created_at_ms = 0"),
};
static const struct sql_stmt NEWEST_ROW[] = {
	[BEFORE] = NEWEST("takeover_newest_row_before", "rtc_participant"),
	[AFTER] = NEWEST("takeover_newest_row", "rtc_participant p WHERE p.status = 0 AND p.deadline_ms = 0"
	    " AND EXISTS (SELECT 1 FROM rtc_room r WHERE r.room_id = p.room_id AND r.status IN (0, 1))"),
};
static const struct sql_stmt COUNT_UNDATED[] = {
	[BEFORE] = COUNT("takeover_count_undated_before", "rtc_room"),
	[AFTER] = COUNT("takeover_count_undated", "rtc_room WHERE created_at_ms = 0"),
};
static const struct sql_stmt COUNT_RINGING[] = {
	[BEFORE] = COUNT("takeover_count_ringing_before", RINGING_ROWS),
	[AFTER] = COUNT("takeover_count_ringing", RINGING_ROWS " AND p.deadline_ms = 0"),
};
static const struct sql_stmt COUNT_ACTIVE[] = {
	[BEFORE] = COUNT("takeover_count_active_before", "rtc_room WHERE status IN (0, 1)"),
	[AFTER] = COUNT("takeover_count_active", "rtc_room WHERE status IN (0, 1) AND next_deadline_ms = 0"),
};
const struct sql_stmt *const TAKEOVER_STMTS[] = { &NEWEST_ROOM[AFTER], &NEWEST_ROW[AFTER],
	&COUNT_UNDATED[AFTER], &COUNT_RINGING[AFTER], &COUNT_ACTIVE[AFTER], NULL };

void
takeover_say(const struct takeover *t, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= LINE_BYTES)
		n = LINE_BYTES - 1;
	if (n > 0)
		t->print(t->arg, (struct str){ line, (size_t)n });
}

static enum err
failed(const struct takeover *t, const struct sql_link *l, enum err e)
{
	takeover_say(t, "take-over: failed: %s", e == ERR_UNAVAILABLE && sql_why_down(l)[0] != '\0'
	    ? sql_why_down(l) : "a statement was refused or not finished; see the line on stderr");
	return e;
}

enum err
takeover_look(struct op *op, struct sql_link *l, struct takeover_look *out)
{
	const struct schema_guard dated = { .kind = GUARD_COLUMN, .table = S("rtc_room"),
	    .item = S("created_at_ms") };
	const struct schema_guard ringing = { .kind = GUARD_COLUMN, .table = S("rtc_participant"),
	    .item = S("deadline_ms") };
	bool room = false, row = false, room_column = false, row_column = false;
	enum err e;

	if ((e = catalogue_has_table(op, l, S("rtc_room"), &room)) != ERR_OK)
		return e;
	if ((e = catalogue_has_table(op, l, S("rtc_participant"), &row)) != ERR_OK)
		return e;
	if ((e = catalogue_guard(op, l, &dated, &room_column)) != ERR_OK)
		return e;
	if ((e = catalogue_guard(op, l, &ringing, &row_column)) != ERR_OK)
		return e;
	*out = (struct takeover_look){ .tables = room && row, .columns = room_column && row_column };
	return ERR_OK;
}

static void
say_age(const struct takeover *t, struct op *op, int64_t offset_ms, int64_t age_ms)
{
	int64_t minutes = (offset_ms < 0 ? -offset_ms : offset_ms) / MINUTE_MS;
	struct strbuf age;

	strbuf_init_arena(&age, op->arena, 32, 64);
	if (age_ms < 2 * MINUTE_MS)
		strbuf_addf(&age, "%lld s", (long long)(age_ms < 0 ? 0 : age_ms / 1000));
	else if (age_ms < 120 * MINUTE_MS)
		strbuf_addf(&age, "%lld min", (long long)(age_ms / MINUTE_MS));
	else
		strbuf_addf(&age, "%lld h %lld min", (long long)(age_ms / MINUTE_MS / 60),
		    (long long)(age_ms / MINUTE_MS % 60));
	takeover_say(t, "take-over: times of the Go server are read as local time of %.*s "
	    "(UTC%c%02lld:%02lld); its newest row is %s old",
	    STR_ARG(t->zone.len > 0 ? t->zone : S("this system")),
	    offset_ms < 0 ? '-' : '+', (long long)(minutes / 60), (long long)(minutes % 60), age.at);
	if (age_ms > STALE_MS)
		takeover_say(t, "take-over: if calls were made since then, this is not the Go server's time "
		    "zone: name it with --tz, as --tz Asia/Shanghai or --tz UTC");
}

static enum err
judge(const struct takeover *t, struct op *op, int64_t civil_ms, int64_t now_ms)
{
	int64_t offset_ms = local_time_offset_ms(civil_ms);
	int64_t age_ms = now_ms - (civil_ms - offset_ms);

	if (age_ms >= -FUTURE_MS) {
		say_age(t, op, offset_ms, age_ms);
		return ERR_OK;
	}
	takeover_say(t, "take-over: refused: read as local time of %.*s, the newest row of the Go server "
	    "lies %lld minutes in the future. That server wrote in another time zone: name it with --tz, as "
	    "--tz Asia/Shanghai or --tz UTC (or set TZ, so that what we write fits)",
	    STR_ARG(t->zone.len > 0 ? t->zone : S("this system")), (long long)(-age_ms / MINUTE_MS));
	return ERR_INTERNAL;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

enum err
takeover_check(struct op *op, struct sql_link *l, const struct takeover *t)
{
	struct newest_row room = { 0 }, row = { 0 };
	struct takeover_look look;
	int64_t newest;
	bool found;
	int when;
	enum err e;

	sql_be_patient(l);
	if (!sql_ping(op, l)) {
		if (sql_no_database(l))
			return ERR_OK;
		takeover_say(t, "the database cannot be reached: %s", sql_why_down(l));
		return ERR_UNAVAILABLE;
	}
	if ((e = takeover_look(op, l, &look)) != ERR_OK)
		return failed(t, l, e);
	if (!look.tables)
		return ERR_OK;
	when = look.columns ? AFTER : BEFORE;
	if ((e = sql_one(op, l, &NEWEST_ROOM[when], NULL, 0, &room, &found)) != ERR_OK)
		return failed(t, l, e);
	if ((e = sql_one(op, l, &NEWEST_ROW[when], NULL, 0, &row, &found)) != ERR_OK)
		return failed(t, l, e);
	newest = later(later(room.created_civil_ms, room.updated_civil_ms),
	    later(row.created_civil_ms, row.updated_civil_ms));
	if (room.n + row.n == 0 || newest == 0)
		return ERR_OK;
	return judge(t, op, newest, room.now_ms);
}

/* All steps of one kind. */
static enum err
drive(const struct op *op, struct sql_link *l, tx_body body, struct takeover_step *sum)
{
	struct arena *arena = arena_new(STEP_ARENA);
	struct op step_op = *op;
	struct takeover_step step = { .t = sum->t };
	int64_t said = 0;
	enum err e;

	step_op.arena = arena;
	while ((e = tx_run(&step_op, l, body, &step)) == ERR_OK && step.n_seen > 0) {
		step.last_id = step.end_id;
		sum->n_rooms += step.n_rooms;
		sum->n_rows += step.n_rows;
		if (sum->n_rooms - said >= SAY_EVERY) {
			takeover_say(sum->t, "take-over: rtc_room: %lld rows so far", (long long)sum->n_rooms);
			said = sum->n_rooms;
		}
		arena_reset(arena);
	}
	arena_free(arena);
	return e;
}

enum err
takeover_run(struct op *op, struct sql_link *l, const struct takeover *t)
{
	struct takeover_step times = { .t = t }, deadlines = { .t = t };
	enum err e;

	if ((e = drive(op, l, takeover_step_times, &times)) != ERR_OK)
		return failed(t, l, e);
	if (times.n_rooms > 0)
		takeover_say(t, "take-over: rtc_room: %lld rows got their times in UTC",
		    (long long)times.n_rooms);
	if ((e = drive(op, l, takeover_step_deadlines, &deadlines)) != ERR_OK)
		return failed(t, l, e);
	if (deadlines.n_rows > 0)
		takeover_say(t, "take-over: rtc_participant: %lld ringing rows got a deadline",
		    (long long)deadlines.n_rows);
	if (deadlines.n_rooms > 0)
		takeover_say(t, "take-over: rtc_room: %lld active calls got their next deadline",
		    (long long)deadlines.n_rooms);
	return ERR_OK;
}

enum err
takeover_plan(struct op *op, struct sql_link *l, const struct takeover *t)
{
	static const struct {
		const struct sql_stmt *count;
		const char *table, *what;
		int step;
	} LINES[] = {
		{ COUNT_UNDATED, "rtc_room", "rows would get their times in UTC", TAKEOVER_ROOMS },
		{ COUNT_RINGING, "rtc_participant", "ringing rows would get a deadline", TAKEOVER_CALLS },
		{ COUNT_ACTIVE, "rtc_room", "active calls would get their next deadline", TAKEOVER_CALLS },
	};
	struct takeover_look look = { 0 };
	enum err e;

	if (sql_no_database(l))
		return ERR_OK;
	if ((e = takeover_look(op, l, &look)) != ERR_OK)
		return failed(t, l, e);
	for (size_t i = 0; look.tables && i < N_ELEMS(LINES); i++) {
		struct count_row row = { 0 };
		bool found;

		e = sql_one(op, l, &LINES[i].count[look.columns ? AFTER : BEFORE], NULL, 0, &row, &found);
		if (e != ERR_OK)
			return failed(t, l, e);
		if (row.n > 0)
			takeover_say(t, "take-over: %s: %lld %s; %d at a time, locked for milliseconds",
			    LINES[i].table, (long long)row.n, LINES[i].what, LINES[i].step);
	}
	return ERR_OK;
}
