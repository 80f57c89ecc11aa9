/* rooms, room, end - calls as the API shows them, and the end of one.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "api/views.h"
#include "base/clock.h"
#include "call/ops.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/when.h"

enum { ROOMS_UID, ROOMS_CREATOR, ROOMS_STATUS, ROOMS_SINCE, ROOMS_UNTIL, ROOMS_LIMIT };
const struct flag ROOMS_FLAGS[] = {
	[ROOMS_UID] = { "uid", '\0', "UID", "calls this person is or was in" },
	[ROOMS_CREATOR] = { "creator", '\0', "UID", "calls this person made" },
	[ROOMS_STATUS] = { "status", '\0', "N[,N]", "0 ringing, 1 in progress, 2 finished, 3 cancelled, "
	                   "4 rejected, 5 busy, 6 missed" },
	[ROOMS_SINCE] = { "since", '\0', "TIME", "made at or after: 1h (ago), 2026-11-21T08:00:00, ..." },
	[ROOMS_UNTIL] = { "until", '\0', "TIME", "made before" },
	[ROOMS_LIMIT] = { "limit", 'n', "N", "at most so many (20; up to 1000)" },
	{ NULL, '\0', NULL, NULL }
};

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 1000 };

static const char *const ROOM_WORDS[ROOM_STATUS_COUNT] = {
	[ROOM_RINGING] = "ringing", [ROOM_IN_PROGRESS] = "in progress", [ROOM_FINISHED] = "finished",
	[ROOM_CANCELLED] = "cancelled", [ROOM_REJECTED] = "rejected", [ROOM_BUSY] = "busy",
	[ROOM_MISSED] = "missed",
};
static const char *const PERSON_WORDS[P_STATUS_COUNT] = {
	[P_INVITING] = "inviting", [P_JOINED] = "joined", [P_REJECTED] = "rejected", [P_LEFT] = "hung up",
	[P_MISSED] = "missed", [P_BUSY] = "busy", [P_CANCELLED] = "cancelled",
};

/* "1 in progress"; a number the Go server may have left is shown as it is. */
static struct str
status_text(struct cli *c, int status, const char *const *words, int n)
{
	return arena_printf(c->arena, "%d%s%s", status, status >= 0 && status < n ? " " : "",
	    status >= 0 && status < n ? words[status] : "");
}

static struct str
number(struct cli *c, int64_t n)
{
	return arena_printf(c->arena, "%lld", (long long)n);
}

/* ---- the filter ---- */

static bool
parse_statuses(const char *text, unsigned *bits_out)
{
	struct str rest = str_of(text), one;
	unsigned bits = 0;

	while (str_split(&rest, ',', &one)) {
		int64_t n;

		if (!parse_i64(str_trim(one), 0, ROOM_STATUS_COUNT - 1, &n))
			return false;
		bits |= 1U << n;
	}
	*bits_out = bits;
	return true;
}

/* NULL: fine; else the flag whose value will not do. */
static const char *
read_filter(const struct args *a, struct list_filter *f)
{
	int64_t now_ms = clock_wall_ms();

	f->uid = str_of(a->values[ROOMS_UID]);
	f->creator = str_of(a->values[ROOMS_CREATOR]);
	f->limit = LIMIT_DEFAULT;
	if (a->values[ROOMS_STATUS] != NULL && !parse_statuses(a->values[ROOMS_STATUS], &f->statuses))
		return "status";
	if (a->values[ROOMS_SINCE] != NULL &&
	    !when_parse(str_of(a->values[ROOMS_SINCE]), now_ms, &f->since_ms))
		return "since";
	if (a->values[ROOMS_UNTIL] != NULL &&
	    !when_parse(str_of(a->values[ROOMS_UNTIL]), now_ms, &f->until_ms))
		return "until";
	if (a->values[ROOMS_LIMIT] != NULL &&
	    !parse_i64(str_of(a->values[ROOMS_LIMIT]), 1, LIMIT_MAX, &f->limit))
		return "limit";
	return NULL;
}

/* ---- the answers ---- */

static int
print_rooms_json(struct cli *c, const struct call *calls, size_t n, int64_t total)
{
	struct strbuf b;
	struct jsonw w;

	cli_document(c, &b, &w);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "rooms");
	for (size_t i = 0; i < n; i++) {
		jsonw_obj(&w, NULL);
		view_room_fields(&w, &calls[i], calls[i].room.livekit_url);
		jsonw_obj_end(&w);
	}
	jsonw_arr_end(&w);
	jsonw_i64(&w, "total", total);
	jsonw_obj_end(&w);
	return cli_print(&b);
}

static int
print_rooms(struct cli *c, const struct call *calls, size_t n, int64_t total)
{
	static const char *const HEADS[] = { "ROOM", "STATUS", "CREATOR", "PEOPLE", "CREATED", "SECONDS",
		"REASON", "NODE" };
	struct table t;

	table_init(&t, c->arena, HEADS, N_ELEMS(HEADS));
	for (size_t i = 0; i < n; i++) {
		const struct room *r = &calls[i].room;

		table_add(&t, r->room_id);
		table_add(&t, status_text(c, r->status, ROOM_WORDS, ROOM_STATUS_COUNT));
		table_add(&t, r->creator);
		table_add(&t, arena_printf(c->arena, "%zu/%lld", call_count_active(&calls[i]),
		    (long long)r->max_participants));
		table_add(&t, cli_time(c, r->created_at_ms));
		table_add(&t, number(c, call_duration_s(&calls[i])));
		table_add(&t, cli_or_dash(r->end_reason));
		table_add(&t, cli_or_dash(r->livekit_node));
	}
	table_print(&t, stdout);
	(void)printf("%zu of %s%lld\n", n, total > LIST_TOTAL_MAX ? "more than " : "",
	    (long long)(total > LIST_TOTAL_MAX ? LIST_TOTAL_MAX : total));
	return CLI_OK;
}

static int
print_room_json(struct cli *c, const struct view *v)
{
	struct strbuf b;
	struct jsonw w;

	cli_document(c, &b, &w);
	jsonw_obj(&w, NULL);
	view_room_fields(&w, &v->call, v->url);
	jsonw_obj_end(&w);
	return cli_print(&b);
}

static void
print_people(struct cli *c, const struct call *call)
{
	static const char *const HEADS[] = { "UID", "STATUS", "DEVICE", "JOINED", "LEFT", "DEADLINE",
		"SESSION" };
	struct table t;

	table_init(&t, c->arena, HEADS, N_ELEMS(HEADS));
	for (size_t i = 0; i < call->n_rows; i++) {
		const struct participant *p = call->rows[i];

		table_add(&t, p->uid);
		table_add(&t, status_text(c, p->status, PERSON_WORDS, P_STATUS_COUNT));
		table_add(&t, cli_or_dash(p->device_type));
		table_add(&t, cli_time(c, p->join_time * 1000));
		table_add(&t, cli_time(c, p->leave_time * 1000));
		table_add(&t, cli_time(c, p->deadline_ms));
		table_add(&t, cli_or_dash(p->sid));
	}
	table_print(&t, stdout);
}

static void
print_line(const char *name, struct str value)
{
	(void)printf("%-12s", name);
	table_print_text(value, stdout);
	(void)printf("\n");
}

static int
print_room(struct cli *c, const struct view *v)
{
	const struct room *r = &v->call.room;

	print_line("room", r->room_id);
	print_line("status", status_text(c, r->status, ROOM_WORDS, ROOM_STATUS_COUNT));
	print_line("creator", r->creator);
	print_line("kind", arena_printf(c->arena, "%s, %lld seats, %s", r->rtc_type == 1 ? "video" : "voice",
	    (long long)r->max_participants, r->invite_on == 1 ? "by invitation" : "open"));
	print_line("created", cli_time(c, r->created_at_ms));
	print_line("answered", cli_time(c, r->answered_at_ms));
	print_line("ended", cli_time(c, r->ended_at_ms));
	print_line("end reason", cli_or_dash(r->end_reason));
	print_line("seconds", number(c, call_duration_s(&v->call)));
	print_line("deadline", cli_time(c, r->next_deadline_ms));
	print_line("livekit", arena_printf(c->arena, "%.*s node %.*s", STR_ARG(cli_or_dash(v->url)),
	    STR_ARG(cli_or_dash(r->livekit_node))));
	print_line("events", number(c, r->seq));
	(void)printf("\n");
	print_people(c, &v->call);
	return CLI_OK;
}

int
cmd_rooms(struct cli *c, const struct args *a)
{
	struct list_filter f = { .uid = S(""), .creator = S("") };
	const char *bad = read_filter(a, &f);
	struct call *calls = NULL;
	int64_t total = 0;
	size_t n = 0;
	enum err e;

	if (bad != NULL)
		return cli_misuse("--%s: a value that cannot be read (see tgo-call rooms --help)", bad);
	if (!cli_open_services(c))
		return CLI_FAILED;
	if ((e = op_list(&c->op, &c->sv, &f, &calls, &n, &total)) != ERR_OK)
		return cli_failed_with(c, e, "rooms");
	return c->json ? print_rooms_json(c, calls, n, total) : print_rooms(c, calls, n, total);
}

int
cmd_room(struct cli *c, const struct args *a)
{
	const struct access anybody = { .ticket = false };
	struct view v = { 0 };
	enum err e;

	if (!cli_open_services(c))
		return CLI_FAILED;
	if ((e = op_get(&c->op, &c->sv, str_of(a->words[0]), &anybody, &v)) != ERR_OK)
		return cli_failed_with(c, e, a->words[0]);
	return c->json ? print_room_json(c, &v) : print_room(c, &v);
}

int
cmd_end(struct cli *c, const struct args *a)
{
	const struct access anybody = { .ticket = false };
	struct view v = { 0 };
	struct log_line l;
	enum err e;

	if (!cli_open_services(c))
		return CLI_FAILED;
	e = op_end(&c->op, &c->sv, str_of(a->words[0]), &anybody, &v);
	log_begin(&l, c->log, LOG_INFO, "命令行结束通话", "cli_end", c->op.request_id);
	log_z(&l, "room_id", a->words[0]);
	log_z(&l, "error", e == ERR_OK ? "" : err_key(e));
	log_end(&l);
	if (e != ERR_OK)
		return cli_failed_with(c, e, a->words[0]);
	return c->json ? print_room_json(c, &v) : print_room(c, &v);
}
