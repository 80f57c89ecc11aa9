/* why - can somebody not connect? The way into a call, step by step, each with its time and its cure: what the database
 * says, the token, its url, nginx, the node. Reads only.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "cli/table.h"
#include "cli/why.h"

enum { WHY_NGINX_LOG };
const struct flag WHY_FLAGS[] = {
	[WHY_NGINX_LOG] = { "nginx-log", '\0', "PATH", "nginx's access log (NGINX_ACCESS_LOG)" },
	{ NULL, '\0', NULL, NULL }
};

#define DEFAULT_LOG "/var/log/tgo-call/tgo-call.log"

/* A call begins before its first line is written, by the clock of another host. */
enum { EARLY_MS = 5000 };

/* ---- who ---- */

/* The active first. uid "": everybody. */
static void
choose_people(struct why *w, struct str uid)
{
	const struct call *call = &w->view.call;

	w->seen.people = arena_array(w->c->arena, WHY_PEOPLE_MAX, sizeof(*w->seen.people));
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < call->n_rows && w->seen.n < WHY_PEOPLE_MAX; i++) {
			const struct participant *p = call->rows[i];
			bool active = p->status == P_JOINED || p->status == P_INVITING;

			if (active == (round == 0) && (uid.len == 0 || str_eq(uid, p->uid)))
				w->seen.people[w->seen.n++].uid = p->uid;
		}
}

/* A call of that id, else the newest call of that person: *uid_out is them, or "". */
static enum err
find_call(struct why *w, struct str what, struct str *uid_out)
{
	const struct access anybody = { .ticket = false };
	struct list_filter f = { .uid = what, .creator = S(""), .limit = 1 };
	struct call *calls;
	size_t n;
	enum err e = op_get(&w->c->op, &w->c->sv, what, &anybody, &w->view);

	*uid_out = S("");
	if (e != ERR_ROOM_NOT_FOUND)
		return e;
	if ((e = op_list(&w->c->op, &w->c->sv, &f, &calls, &n, NULL)) != ERR_OK)
		return e;
	if (n == 0)
		return ERR_ROOM_NOT_FOUND;
	*uid_out = what;
	return op_get(&w->c->op, &w->c->sv, calls[0].room.room_id, &anybody, &w->view);
}

/* ---- the answer ---- */

static void
print_step(struct why *w, const struct step *s)
{
	static const char *const VERDICTS[] = { [WELL] = "ok", [WARNING] = "warn", [FAILURE] = "fail" };

	(void)printf("%-5s %-6s %-19.*s  ", VERDICTS[s->verdict], s->name, STR_ARG(cli_time(w->c, s->at_ms)));
	table_print_text(s->said, stdout);
	if (s->verdict != WELL && s->cure[0] != '\0')
		(void)printf("  -> %s", s->cure);
	(void)printf("\n");
}

static int
print_text(struct why *w)
{
	struct str uid = S("");

	(void)printf("room ");
	table_print_text(w->view.call.room.room_id, stdout);
	(void)printf("\n");
	for (size_t i = 0; i < w->n; i++) {
		if (!str_eq(uid, w->steps[i].uid)) {
			uid = w->steps[i].uid;
			(void)printf("\n");
			table_print_text(uid, stdout);
			(void)printf("\n");
		}
		print_step(w, &w->steps[i]);
	}
	return w->failed ? CLI_FAILED : CLI_OK;
}

static int
print_json(struct why *w)
{
	static const char *const VERDICTS[] = { [WELL] = "ok", [WARNING] = "warn", [FAILURE] = "fail" };
	struct strbuf b;
	struct jsonw j;
	int code;

	cli_document(w->c, &b, &j);
	jsonw_obj(&j, NULL);
	jsonw_bool(&j, "ok", !w->failed);
	jsonw_str(&j, "room_id", w->view.call.room.room_id);
	jsonw_arr(&j, "steps");
	for (size_t i = 0; i < w->n; i++) {
		const struct step *s = &w->steps[i];

		jsonw_obj(&j, NULL);
		jsonw_str(&j, "uid", s->uid);
		jsonw_z(&j, "name", s->name);
		jsonw_z(&j, "status", VERDICTS[s->verdict]);
		jsonw_i64(&j, "at", s->at_ms);
		jsonw_str(&j, "message", s->said);
		jsonw_z(&j, "cure", s->cure);
		jsonw_obj_end(&j);
	}
	jsonw_arr_end(&j);
	jsonw_obj_end(&j);
	code = cli_print(&b);
	return w->failed ? CLI_FAILED : code;
}

static const char *
our_log(const struct conf *c)
{
	if (c->log_file.len > 0)
		return c->log_file.at;
	return access(DEFAULT_LOG, R_OK) == 0 ? DEFAULT_LOG : NULL;
}

int
cmd_why(struct cli *c, const struct args *a)
{
	struct why *w = arena_alloc(c->arena, sizeof(*w));
	const char *nginx = a->values[WHY_NGINX_LOG];
	struct str uid;
	enum err e;

	w->c = c;
	if (!cli_open_services(c))
		return CLI_FAILED;
	e = find_call(w, str_of(a->words[0]), &uid);
	if (e == ERR_ROOM_NOT_FOUND)
		return cli_fail("%s: neither a call, nor somebody who ever was in one", a->words[0]);
	if (e != ERR_OK)
		return cli_failed_with(c, e, a->words[0]);
	w->seen.room_id = w->view.call.room.room_id;
	w->seen.since_ms = w->view.call.room.created_at_ms - EARLY_MS;
	choose_people(w, uid);
	why_read_logs(c, our_log(c->conf), nginx != NULL ? nginx : c->conf->nginx_log.at, &w->seen);
	why_judge_room(w);
	for (size_t i = 0; i < w->seen.n; i++)
		why_judge_person(w, &w->seen.people[i]);
	return c->json ? print_json(w) : print_text(w);
}
