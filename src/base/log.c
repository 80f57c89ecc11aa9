/* log.c - builds one JSON object a line and hands it to the kernel in one write().
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log_out.h"

enum {
	PIPE_LINE = 4095,
	FILE_LINE = 512 * 1024,
	SPILL_CAP = 2 * FILE_LINE + 64 * 1024,     /* a doubling buffer leaves its halves */
	EVENT_MAX = 64,                            /* event keys are ours and short */
	MSG_MAX = 1024,
	/* what log_end still has to write: ,"cut":true,"event":"..."} and the newline */
	TAIL = sizeof(",\"cut\":true,\"event\":\"\"}\n") + EVENT_MAX
};

struct log {
	struct log_out out;
	bool spilling;                             /* some line lives in `spill` */
	enum log_level threshold;
	struct arena *spill;
};

static const char *const LEVELS[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error",
};

/* Bytes a value of `key` may still take; 0 when even the key has no place. */
static size_t
room_for(const struct log_line *l, const char *key)
{
	size_t used = l->b.len + TAIL + strlen(key) + sizeof(",\"\":") - 1;

	return used < l->max ? l->max - used : 0;
}

/* In a file a line may outgrow the caller's buffer: the builder then moves into the log's arena,
 * for one line at a time, so that the arena's bound holds. */
static void
set_bounds(struct log_line *l)
{
	l->spills = l->log->out.is_file && !l->log->spilling;
	l->max = l->log->out.is_file ? sizeof(l->text) - 1 : PIPE_LINE;
	if (!l->spills)
		return;
	l->log->spilling = true;
	l->max = FILE_LINE - 1;
	l->b.arena = l->log->spill;
	l->b.max = FILE_LINE;
}

/* A JSON value that cannot be shortened. */
static void
add_raw(struct log_line *l, const char *key, struct str json)
{
	if (json.len <= room_for(l, key))
		jsonw_raw(&l->w, key, json);
	else
		l->cut = true;
}

struct log *
log_open(const char *path, enum log_level threshold)
{
	struct log *l;

	if (path != NULL && path[0] == '\0')
		path = NULL;
	if (path == NULL && log_out_stderr_is_lost())
		path = DEFAULT_LOG_FILE;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->threshold = threshold;
	if (!log_out_open(&l->out, path)) {
		log_close(l);
		return NULL;
	}
	l->spill = arena_new(SPILL_CAP);
	return l;
}

void
log_close(struct log *l)
{
	int saved = errno;                         /* log_open tells why it failed */

	if (l == NULL)
		return;
	log_out_close(&l->out);
	arena_free(l->spill);
	free(l);
	errno = saved;
}

bool
log_reopen(struct log *l)
{
	return log_out_reopen(&l->out);
}

void
log_count_in(struct log *l, struct meter *m)
{
	l->out.meter = m;
	l->out.n_lost = l->out.n_untold = 0;
}

int64_t
log_n_lost(const struct log *l)
{
	return l->out.n_lost;
}

bool
log_writable(struct log *l)
{
	int saved = errno;
	bool ok = log_out_check(&l->out);

	errno = saved;
	return ok;
}

bool
log_on(const struct log *l, enum log_level level)
{
	return l != NULL && level >= l->threshold;
}

bool
log_level_parse(struct str s, enum log_level *out)
{
	if (str_eq_nocase(s, S("warning")))
		s = S("warn");
	for (unsigned i = 0; i < N_ELEMS(LEVELS); i++) {
		if (!str_eq_nocase(s, str_of(LEVELS[i])))
			continue;
		*out = (enum log_level)i;
		return true;
	}
	return false;
}

void
log_begin(struct log_line *l, struct log *log, enum log_level level, const char *msg,
    const char *event, struct str request_id)
{
	char stamp[64];
	struct strbuf t;
	int saved = errno;

	l->on = log_on(log, level);
	if (!l->on)
		return;
	l->log = log;
	l->event = event;
	l->cut = false;
	strbuf_init(&l->b, l->text, sizeof(l->text));
	set_bounds(l);
	jsonw_init(&l->w, &l->b);
	jsonw_obj(&l->w, NULL);
	jsonw_z(&l->w, "level", LEVELS[level]);
	strbuf_init(&t, stamp, sizeof(stamp));
	clock_format_iso(&t, clock_wall_ms());
	jsonw_str(&l->w, "timestamp", strbuf_str(&t));
	jsonw_str(&l->w, "msg", jsonw_fit(str_of(msg), MSG_MAX));
	if (request_id.len > 0)
		log_str(l, "request_id", request_id);
	errno = saved;
}

void
log_str(struct log_line *l, const char *key, struct str v)
{
	struct str part;

	if (!l->on)
		return;
	part = jsonw_fit(v, room_for(l, key));
	if (part.len < v.len)
		l->cut = true;
	/* An empty rest of something would read as "it was empty". */
	if (part.len > 0 || (v.len == 0 && room_for(l, key) >= 2))
		jsonw_str(&l->w, key, part);
	else
		l->cut = true;
}

void
log_z(struct log_line *l, const char *key, const char *v)
{
	log_str(l, key, str_of(v));
}

void
log_i64(struct log_line *l, const char *key, int64_t v)
{
	char text[32];
	struct strbuf b;

	if (!l->on)
		return;
	strbuf_init(&b, text, sizeof(text));
	strbuf_add_i64(&b, v);
	add_raw(l, key, strbuf_str(&b));
}

void
log_ms(struct log_line *l, const char *key, int64_t us)
{
	char text[32];
	struct strbuf b;

	if (!l->on)
		return;
	if (us < 0)
		us = 0;
	strbuf_init(&b, text, sizeof(text));
	strbuf_addf(&b, "%" PRId64 ".%03d", us / 1000, (int)(us % 1000));
	add_raw(l, key, strbuf_str(&b));
}

void
log_strs(struct log_line *l, const char *key, const struct str *v, size_t n)
{
	size_t room, before;

	if (!l->on)
		return;
	room = room_for(l, key);
	if (room < 2 || (n > 0 && jsonw_fit(v[0], room - 2).len < v[0].len)) {
		l->cut = true;
		return;
	}
	jsonw_arr(&l->w, key);
	before = l->b.len - 1;                     /* the brackets count against `room` */
	for (size_t i = 0; i < n; i++) {
		size_t used = l->b.len - before + sizeof(",]") - 1;

		if (used + 2 > room || jsonw_fit(v[i], room - used).len < v[i].len) {
			l->cut = true;
			break;
		}
		jsonw_str(&l->w, NULL, v[i]);
	}
	jsonw_arr_end(&l->w);
}

void
log_end(struct log_line *l)
{
	int saved = errno;

	if (!l->on)
		return;
	if (l->cut)
		jsonw_bool(&l->w, "cut", true);
	if (l->event != NULL)
		jsonw_str(&l->w, "event", jsonw_fit(str_of(l->event), EVENT_MAX + 2));
	jsonw_obj_end(&l->w);
	strbuf_addc(&l->b, '\n');
	if (strbuf_ok(&l->b))
		log_out_write(&l->log->out, strbuf_str(&l->b));
	else
		log_out_lose(&l->log->out, EMSGSIZE);
	if (l->b.at != l->text)
		arena_reset(l->log->spill);
	if (l->spills)
		l->log->spilling = false;
	l->on = false;
	errno = saved;
}

void
log_note(struct log *log, enum log_level level, const char *msg, const char *event,
    const char *detail)
{
	struct log_line l;

	log_begin(&l, log, level, msg, event, S(""));
	if (detail != NULL)
		log_z(&l, "detail", detail);
	log_end(&l);
}
