/* events, redeliver, endpoints - what was told to the business backend, once more, and to whom.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/event_views.h"
#include "base/clock.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/when.h"

enum { EVENTS_AFTER, EVENTS_TYPE, EVENTS_ROOM, EVENTS_LIMIT, EVENTS_FOLLOW };
const struct flag EVENTS_FLAGS[] = {
	[EVENTS_AFTER] = { "after", '\0', "POS", "those behind this place in the stream (else the newest)" },
	[EVENTS_TYPE] = { "type", '\0', "TYPE[,TYPE]", "of these types: room.finished, ..." },
	[EVENTS_ROOM] = { "room", '\0', "ID", "of this call, from its beginning" },
	[EVENTS_LIMIT] = { "limit", 'n', "N", "at most so many (20; up to 1000)" },
	[EVENTS_FOLLOW] = { "follow", 'f', NULL, "go on with what happens, one event a line" },
	{ NULL, '\0', NULL, NULL }
};
enum { REDELIVER_SINCE, REDELIVER_UNTIL, REDELIVER_ENDPOINT, REDELIVER_TYPE };
const struct flag REDELIVER_FLAGS[] = {
	[REDELIVER_SINCE] = { "since", '\0', "TIME", "all that happened then or later: 1h (ago), 2026-11-21T08:00:00, ..." },
	[REDELIVER_UNTIL] = { "until", '\0', "TIME", "and before then" },
	[REDELIVER_ENDPOINT] = { "endpoint", '\0', "ID", "only to this receiver (tgo-call endpoints)" },
	[REDELIVER_TYPE] = { "type", '\0', "TYPE[,TYPE]", "only these types" },
	{ NULL, '\0', NULL, NULL }
};
enum { ENDPOINTS_ENABLE };
const struct flag ENDPOINTS_FLAGS[] = {
	[ENDPOINTS_ENABLE] = { "enable", '\0', "ID", "send to it again, and at once what waits for it" },
	{ NULL, '\0', NULL, NULL }
};

enum { LIMIT_DEFAULT = 20, TYPES_MAX = 50, LOOK_US = 300000, PAGE_BYTES = 64 << 20 };

/* "a,b" */
static bool
parse_types(struct cli *c, const char *text, const struct str **types_out, size_t *n_out)
{
	struct str rest = str_of(text), part, *types = arena_array(c->arena, TYPES_MAX, sizeof(*types));

	*n_out = 0;
	while (text != NULL && str_split(&rest, ',', &part)) {
		if (*n_out == TYPES_MAX || str_trim(part).len == 0)
			return false;
		types[(*n_out)++] = str_trim(part);
	}
	*types_out = types;
	return true;
}

/* ---- events ---- */

/* NULL: fine; else the flag whose value will not do. */
static const char *
read_event_filter(struct cli *c, const struct args *a, struct event_filter *f)
{
	f->limit = LIMIT_DEFAULT;
	f->room_id = str_of(a->values[EVENTS_ROOM]);
	if (a->values[EVENTS_AFTER] != NULL &&
	    !parse_i64(str_of(a->values[EVENTS_AFTER]), 0, INT64_MAX, &f->span.after))
		return "after";
	if (!parse_types(c, a->values[EVENTS_TYPE], &f->types, &f->n_types))
		return "type";
	if (a->values[EVENTS_LIMIT] != NULL &&
	    !parse_i64(str_of(a->values[EVENTS_LIMIT]), 1, EVENTS_MAX, &f->limit))
		return "limit";
	return NULL;
}

/* Without a beginning: the last few of the stream, or all of a call. */
static enum err
begin_near_the_end(struct cli *c, struct event_filter *f)
{
	int64_t newest;
	enum err e;

	if (f->room_id.len > 0)
		return ERR_OK;
	if ((e = event_store_newest(&c->op, c->sv.db, &newest)) == ERR_OK)
		f->span.after = newest > f->limit ? newest - f->limit : 0;
	return e;
}

static void
print_event_line(struct cli *c, const struct event_row *r)
{
	(void)printf("%lld  ", (long long)r->pos);
	table_print_text(cli_time(c, r->created_at_ms), stdout);
	(void)printf("  %-24.*s ", STR_ARG(r->type));
	table_print_text(r->room_id, stdout);
	(void)printf("  %lld  ", (long long)r->seq);
	table_print_text(r->uid, stdout);
	(void)printf("\n");
}

static bool
print_event(struct cli *c, struct arena *a, const struct event_row *r)
{
	struct strbuf b;
	struct jsonw w;

	if (!c->json) {
		print_event_line(c, r);
		return fflush(stdout) == 0;
	}
	strbuf_init_arena(&b, a, r->data.len + 1024, PAGE_BYTES);
	jsonw_init(&w, &b);
	view_event(&w, r);
	return cli_print(&b) == CLI_OK;
}

/* Until nobody reads any more, or it is interrupted. A page's memory is free again after it. */
static int
follow(struct cli *c, struct event_filter *f)
{
	struct op op = c->op;
	struct event_page page;
	bool read = true;
	enum err e = ERR_OK;

	op.arena = arena_new(PAGE_BYTES);
	while (read && e == ERR_OK) {
		int64_t before = f->span.after;

		arena_reset(op.arena);
		if ((e = op_events(&op, &c->sv, f, &page)) != ERR_OK)
			break;
		for (size_t i = 0; i < page.n && read; i++)
			read = print_event(c, op.arena, &page.rows[i]);
		f->span.after = page.next;
		if (page.next == before)
			(void)usleep(LOOK_US);
	}
	arena_free(op.arena);
	return e == ERR_OK ? CLI_FAILED : cli_failed_with(c, e, "events");
}

static int
print_events(struct cli *c, const struct event_page *p)
{
	struct strbuf b;
	struct jsonw w;

	for (size_t i = 0; i < p->n && !c->json; i++)
		print_event_line(c, &p->rows[i]);
	if (!c->json)
		return CLI_OK;
	cli_document(c, &b, &w);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "events");
	for (size_t i = 0; i < p->n; i++)
		view_event(&w, &p->rows[i]);
	jsonw_arr_end(&w);
	jsonw_i64(&w, "next", p->next);
	jsonw_obj_end(&w);
	return cli_print(&b);
}

int
cmd_events(struct cli *c, const struct args *a)
{
	struct event_filter f = { .room_id = S("") };
	const char *bad = read_event_filter(c, a, &f);
	struct event_page page = { 0 };
	enum err e;

	if (bad != NULL)
		return cli_misuse("--%s: a value that cannot be read (see tgo-call events --help)", bad);
	if (!cli_open_services(c))
		return CLI_FAILED;
	if (a->values[EVENTS_AFTER] == NULL && (e = begin_near_the_end(c, &f)) != ERR_OK)
		return cli_failed_with(c, e, "events");
	if (a->values[EVENTS_FOLLOW] != NULL)
		return follow(c, &f);
	if ((e = op_events(&c->op, &c->sv, &f, &page)) != ERR_OK)
		return cli_failed_with(c, e, "events");
	return print_events(c, &page);
}

/* ---- redeliver ---- */

/* NULL: fine; else the flag whose value will not do. */
static const char *
read_redeliver(struct cli *c, const struct args *a, struct redeliver_req *rq)
{
	int64_t now_ms = clock_wall_ms();

	*rq = (struct redeliver_req){ .until_ms = INT64_MAX, .endpoint_id = str_of(a->values[REDELIVER_ENDPOINT]) };
	if (a->values[REDELIVER_SINCE] != NULL &&
	    !when_parse(str_of(a->values[REDELIVER_SINCE]), now_ms, &rq->since_ms))
		return "since";
	if (a->values[REDELIVER_UNTIL] != NULL &&
	    !when_parse(str_of(a->values[REDELIVER_UNTIL]), now_ms, &rq->until_ms))
		return "until";
	return parse_types(c, a->values[REDELIVER_TYPE], &rq->types, &rq->n_types) ? NULL : "type";
}

static int
redeliver(struct cli *c, const char *event_id, const struct redeliver_req *rq)
{
	int64_t queued = 0, next_ms;
	enum err e;

	if (event_id != NULL)
		e = op_redeliver(&c->op, &c->sv, str_of(event_id), &queued);
	else
		e = op_redeliver_many(&c->op, &c->sv, rq, &queued, &next_ms);
	if (e == ERR_NOT_FOUND)
		return cli_fail("%s: no such event", event_id);
	if (e == ERR_INVALID_PARAMETERS)
		return cli_fail("no such receiver (see tgo-call endpoints)");
	if (e != ERR_OK)
		return cli_failed_with(c, e, "redeliver");
	(void)printf(c->json ? "{\"queued\":%lld}\n" : "%lld queued\n", (long long)queued);
	return CLI_OK;
}

int
cmd_redeliver(struct cli *c, const struct args *a)
{
	const char *event_id = a->n_words > 0 ? a->words[0] : NULL;
	struct redeliver_req rq;
	const char *bad = read_redeliver(c, a, &rq);
	bool span = false;

	for (size_t i = 0; REDELIVER_FLAGS[i].name != NULL; i++)
		span = span || a->values[i] != NULL;
	if (bad != NULL)
		return cli_misuse("--%s: a value that cannot be read (see tgo-call redeliver --help)", bad);
	if ((event_id != NULL) == span || (event_id == NULL && a->values[REDELIVER_SINCE] == NULL))
		return cli_misuse("redeliver takes an EVENT_ID, or --since (see tgo-call redeliver --help)");
	if (!cli_open_services(c))
		return CLI_FAILED;
	return redeliver(c, event_id, &rq);
}

/* ---- endpoints ---- */

static int
print_endpoints_json(struct cli *c, const struct endpoint_view *views, size_t n)
{
	struct strbuf b;
	struct jsonw w;

	cli_document(c, &b, &w);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "endpoints");
	for (size_t i = 0; i < n; i++)
		view_endpoint(&c->op, &w, &views[i]);
	jsonw_arr_end(&w);
	jsonw_obj_end(&w);
	return cli_print(&b);
}

static int
print_endpoints(struct cli *c, const struct endpoint_view *views, size_t n)
{
	static const char *const HEADS[] = { "ID", "STATE", "PENDING", "OLDEST", "LAST OK", "LAST FAILED", "STATUS",
		"URL" };
	struct table t;

	table_init(&t, c->arena, HEADS, N_ELEMS(HEADS));
	for (size_t i = 0; i < n; i++) {
		const struct endpoint_row *r = &views[i].row;
		bool down = r->down_since_ms > 0 && str_eq(r->state, S("active"));

		table_add(&t, r->id);
		table_add(&t, down ? S("down") : r->state);
		table_add(&t, arena_printf(c->arena, "%lld", (long long)views[i].waiting.n));
		table_add(&t, arena_printf(c->arena, "%lld s", (long long)waiting_age_s(&views[i])));
		table_add(&t, cli_time(c, r->last_ok_at_ms));
		table_add(&t, cli_time(c, r->last_failed_at_ms));
		table_add(&t, arena_printf(c->arena, "%lld", (long long)r->last_status));
		table_add(&t, view_url(&c->op, r->url));
	}
	table_print(&t, stdout);
	return CLI_OK;
}

int
cmd_endpoints(struct cli *c, const struct args *a)
{
	const char *id = a->values[ENDPOINTS_ENABLE];
	struct endpoint_view *views;
	size_t n;
	enum err e;

	if (!cli_open_services(c))
		return CLI_FAILED;
	if (id != NULL && (e = op_endpoint_enable(&c->op, &c->sv, str_of(id))) != ERR_OK)
		return e == ERR_NOT_FOUND ? cli_fail("%s: no such receiver", id) : cli_failed_with(c, e, id);
	if ((e = op_endpoints(&c->op, &c->sv, &views, &n)) != ERR_OK)
		return cli_failed_with(c, e, "endpoints");
	return c->json ? print_endpoints_json(c, views, n) : print_endpoints(c, views, n);
}
