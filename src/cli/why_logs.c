/* why_logs - goes through the logs once, rotated files included, and keeps the newest of what matters.
 * SPDX-License-Identifier: MIT */
#include "cli/why.h"

#include <string.h>

#include "base/clock.h"
#include "cli/logs_files.h"
#include "cli/logs_line.h"

/* The members we look at, of a line of either log. */
struct seen {
	struct str event, msg, at, room, uid, error, url, node, request_id, route, told, bad_node;
	struct str timeout, status, uri, upstream, seconds;
};

static struct str
bare(struct str v)
{
	if (v.len >= 2 && v.at[0] == '"')
		return (struct str){ v.at + 1, v.len - 2 };
	return v;
}

static struct str *
place_of(struct seen *s, struct str key)
{
	const struct { struct str key; struct str *value; } PLACES[] = {
		{ S("event"), &s->event }, { S("msg"), &s->msg }, { S("timestamp"), &s->at }, { S("time"), &s->at },
		{ S("room_id"), &s->room }, { S("room"), &s->room }, { S("uid"), &s->uid }, { S("creator"), &s->uid },
		{ S("error"), &s->error }, { S("livekit_url"), &s->url }, { S("livekit_node"), &s->node },
		{ S("request_id"), &s->request_id }, { S("route"), &s->route }, { S("told"), &s->told },
		{ S("bad_node"), &s->bad_node }, { S("timeout"), &s->timeout }, { S("status"), &s->status },
		{ S("uri"), &s->uri }, { S("upstream_addr"), &s->upstream }, { S("request_time"), &s->seconds },
	};

	for (size_t i = 0; i < N_ELEMS(PLACES); i++)
		if (str_eq(PLACES[i].key, key))
			return PLACES[i].value;
	return NULL;
}

/* The first of a key counts: a uid before the call's creator. LiveKit's events have `event` twice; its own comes first. */
static struct seen
read_line(struct str line)
{
	struct seen s = { 0 };
	struct log_member m;

	for (struct str rest = line; log_member_next(&rest, &m); ) {
		struct str *to = place_of(&s, m.key);

		if (to != NULL && to->at == NULL)
			*to = bare(m.value);
	}
	return s;
}

static int64_t
number_of(struct str s)
{
	int64_t n;

	return parse_i64(s, 0, INT64_MAX, &n) ? n : 0;
}

static struct trace *
person(struct sightings *w, struct str uid)
{
	for (size_t i = 0; i < w->n; i++)
		if (str_eq(w->people[i].uid_text, uid))
			return &w->people[i];
	return NULL;
}

static bool
holds(struct str line, struct str text)
{
	return text.len > 0 && memmem(line.at, line.len, text.at, text.len) != NULL;
}

/* ---- the application's log ---- */

static void
keep_token(struct cli *c, struct trace *t, const struct seen *s, int64_t at_ms)
{
	t->token.at_ms = at_ms;
	t->token.timeout_s = number_of(s->timeout);
	t->token.url = arena_str(c->arena, s->url);
	t->token.node = arena_str(c->arena, s->node);
}

static void
keep_routed(struct cli *c, struct trace *t, const struct seen *s, int64_t at_ms)
{
	t->routed.at_ms = at_ms;
	t->routed.status = number_of(s->status);
	t->routed.refused = str_eq(s->event, S("route_refused"));
	t->routed.request_id = arena_str(c->arena, s->request_id);
	t->routed.node = arena_str(c->arena, s->node);
	t->routed.bad_node = arena_str(c->arena, s->bad_node);
	t->routed.told = arena_str(c->arena, s->told);
}

/* Most lines are about others. */
static bool
may_be_ours(const struct sightings *w, struct str line)
{
	bool any = holds(line, w->room_text) || holds(line, S("route_refused"));

	for (size_t i = 0; i < w->n && !any; i++)
		any = holds(line, w->people[i].uid_text);
	return any;
}

static void
take_ours(struct cli *c, struct sightings *w, const struct seen *s, int64_t at_ms)
{
	bool routing = str_eq(s->event, S("routed")) || str_eq(s->event, S("route_refused"));
	bool here = str_eq(s->room, w->room_text);
	struct trace *t = person(w, s->uid);

	if (t == NULL) {
		/* One without any token is a probe, ours among them. */
		w->n_nameless += routing && s->uid.len == 0 && str_eq(s->error, S("invalid_token"));
		return;
	}
	if (routing && here)
		keep_routed(c, t, s, at_ms);
	else if (str_eq(s->event, S("token_minted")) && here)
		keep_token(c, t, s, at_ms);
	else if (str_eq(s->msg, S("LiveKit 事件")) && here) {
		t->hook.at_ms = at_ms;
		t->hook.event = arena_str(c->arena, s->event);
	} else if (str_eq(s->event, S("request_done")) && s->error.len > 0) {
		t->refused.at_ms = at_ms;
		t->refused.error = arena_str(c->arena, s->error);
		t->refused.route = arena_str(c->arena, s->route);
	}
}

/* ---- nginx's log ---- */

static bool
may_be_nginx(const struct sightings *w, struct str line)
{
	bool any = false;

	for (size_t i = 0; i < w->n && !any; i++)
		any = holds(line, w->people[i].routed.request_id);
	return any;
}

static void
take_nginx(struct cli *c, struct sightings *w, const struct seen *s, int64_t at_ms)
{
	for (size_t i = 0; i < w->n; i++) {
		struct trace *t = &w->people[i];

		if (t->routed.at_ms == 0 || s->request_id.len == 0 || !str_eq(t->routed.request_id, s->request_id))
			continue;
		t->nginx.at_ms = at_ms;
		t->nginx.status = number_of(s->status);
		t->nginx.upstream = arena_str(c->arena, s->upstream);
		t->nginx.node = arena_str(c->arena, s->node);
		t->nginx.seconds = arena_str(c->arena, s->seconds);
	}
}

/* ---- both ---- */

struct kind {
	bool (*may_be)(const struct sightings *w, struct str line);
	void (*take)(struct cli *c, struct sightings *w, const struct seen *s, int64_t at_ms);
};
static const struct kind APP = { may_be_ours, take_ours }, NGINX = { may_be_nginx, take_nginx };

/* False: it could not be opened. */
static bool
read_file(struct cli *c, const char *path, struct sightings *w, const struct kind *k)
{
	struct log_reader *r = log_reader_open(path);
	struct str line;

	if (r == NULL)
		return false;
	while (log_reader_next(r, true, &line)) {
		struct seen s;
		int64_t at_ms;

		if (!k->may_be(w, line))
			continue;
		s = read_line(line);
		if (s.at.len > 0 && clock_parse(s.at, &at_ms) && at_ms >= w->since_ms)
			k->take(c, w, &s, at_ms);
	}
	log_reader_close(r);
	return true;
}

static bool
read_log(struct cli *c, const char *path, struct sightings *w, const struct kind *k)
{
	struct log_file *rotated = NULL;
	size_t n = 0;
	bool any = false;

	(void)!log_files_find(c->arena, path, &rotated, &n);
	for (size_t i = 0; i < n; i++)
		if (rotated[i].changed_ms >= w->since_ms)
			any = read_file(c, rotated[i].path, w, k) || any;
	return read_file(c, path, w, k) || any;
}

void
why_read_logs(struct cli *c, const char *app_log, const char *nginx_log, struct sightings *s)
{
	s->room_text = bare(log_quoted(c->arena, arena_z(c->arena, s->room_id)));
	for (size_t i = 0; i < s->n; i++)
		s->people[i].uid_text = bare(log_quoted(c->arena, arena_z(c->arena, s->people[i].uid)));
	s->no_app_log = app_log == NULL || !read_log(c, app_log, s, &APP);
	s->no_nginx_log = !read_log(c, nginx_log, s, &NGINX);
}
