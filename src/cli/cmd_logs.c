/* logs - the application's log with the options of `docker logs`, rotated files included.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/logs_files.h"
#include "cli/logs_line.h"
#include "cli/logs_tail.h"
#include "cli/when.h"

enum { LOGS_FOLLOW, LOGS_TAIL, LOGS_SINCE, LOGS_UNTIL, LOGS_ROOM, LOGS_UID, LOGS_NODE, LOGS_LEVEL,
	LOGS_REQUEST };
const struct flag LOGS_FLAGS[] = {
	[LOGS_FOLLOW] = { "follow", 'f', NULL, "go on with what is written, also over a rotation" },
	[LOGS_TAIL] = { "tail", 'n', "N", "only the last N of the lines asked for (all)" },
	[LOGS_SINCE] = { "since", '\0', "TIME", "from then on" },
	[LOGS_UNTIL] = { "until", '\0', "TIME", "before then" },
	[LOGS_ROOM] = { "room", '\0', "ID", "of this call" },
	[LOGS_UID] = { "uid", '\0', "UID", "of this person: uid, creator, or among uids" },
	[LOGS_NODE] = { "node", '\0', "NODE", "of this LiveKit node" },
	[LOGS_LEVEL] = { "level", '\0', "LEVEL", "debug, info, warn, error: this one and worse" },
	[LOGS_REQUEST] = { "request", '\0', "ID", "of this request (X-Request-Id)" },
	{ NULL, '\0', NULL, NULL }
};

enum {
	TAIL_MAX = 1000000,
	LINE_ARENA = 64 << 20,
	LOOK_MS = 200,
	/* After a rotation writers go on in the old file until they were told: it must have been quiet for
	 * so long, or rotated for so long, before the new one is read. */
	QUIET_MS = 1000, STRAGGLE_MS = 5000
};

struct logs {
	bool pretty;
	struct arena *line_arena;
	struct log_wish wish;
	bool wishes_nothing;
	bool follow, has_tail;
	size_t tail;
	const char *path;
	struct log_file *rotated;
	size_t n_rotated;
	bool closed;                  /* nobody reads our output any more */
};

static void
emit(struct logs *l, struct str line)
{
	struct strbuf b;

	if (l->pretty) {
		arena_reset(l->line_arena);
		strbuf_init_arena(&b, l->line_arena, line.len + 64, LINE_ARENA / 2);
		log_for_people(line, &b);
		line = strbuf_ok(&b) ? strbuf_str(&b) : S("(a line that is too long to be shown)");
	}
	if (fwrite(line.at, 1, line.len, stdout) != line.len || putchar('\n') == EOF)
		l->closed = true;
}

static struct log_last
first_state(const struct logs *l)
{
	return (struct log_last){ .wanted = l->wishes_nothing };
}

/* All there is in the reader now: to stdout, or into the ring. */
static void
drain(struct logs *l, struct log_reader *r, bool rest_too, struct log_last *last, struct tail *ring)
{
	struct str line;

	while (!l->closed && log_reader_next(r, rest_too, &line)) {
		if (!log_wanted(&l->wish, line, last))
			continue;
		if (ring != NULL)
			tail_add(ring, line);
		else
			emit(l, line);
	}
}

/* A rotated file, unless it is the one that is open as the current (it was rotated just now), or too
 * old to hold anything asked for. */
static void
drain_rotated(struct logs *l, const struct log_file *f, const struct log_reader *current,
    struct tail *ring)
{
	struct log_last last = first_state(l);
	struct log_reader *r;

	if (current != NULL && f->inode == log_reader_inode(current))
		return;
	if (l->wish.since_ms > 0 && f->changed_ms < l->wish.since_ms)
		return;
	if ((r = log_reader_open(f->path)) == NULL) {
		(void)cli_fail("%s: %s", f->path, strerror(errno));
		return;
	}
	drain(l, r, true, &last, ring);
	if (log_reader_is_broken(r))
		(void)cli_fail("%s: damaged: it ends too early", f->path);
	log_reader_close(r);
}

/* From the newest file back, only as far as lines are needed. */
static void
print_tail(struct logs *l, struct log_reader *current, struct log_last *last, struct arena *a)
{
	struct tail *rings = arena_array(a, l->n_rotated + 1, sizeof(*rings));
	size_t wanted = l->tail, n = 0;

	tail_init(&rings[n], wanted);
	if (current != NULL)
		drain(l, current, !l->follow, last, &rings[n]);
	for (size_t i = l->n_rotated; i > 0 && rings[n].n < wanted; i--) {
		wanted -= rings[n].n;
		tail_init(&rings[++n], wanted);
		drain_rotated(l, &l->rotated[i - 1], current, &rings[n]);
	}
	for (size_t i = n + 1; i > 0; i--) {
		for (size_t k = 0; k < rings[i - 1].n && !l->closed; k++)
			emit(l, tail_at(&rings[i - 1], k));
		tail_free(&rings[i - 1]);
	}
}

static void
print_all(struct logs *l, struct log_reader *current, struct log_last *last)
{
	for (size_t i = 0; i < l->n_rotated && !l->closed; i++)
		drain_rotated(l, &l->rotated[i], current, NULL);
	if (current != NULL)
		drain(l, current, !l->follow, last, NULL);
}

/* Waits a moment; false when our reader has gone. */
static bool
wait_a_moment(struct logs *l)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	if (fflush(stdout) != 0)
		l->closed = true;
	if (poll(&p, 1, LOOK_MS) > 0 && (p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		l->closed = true;
	return !l->closed;
}

static bool
is_replaced(const struct logs *l, const struct log_reader *r)
{
	struct stat st;

	return stat(l->path, &st) == 0 && (r == NULL || st.st_ino != log_reader_inode(r));
}

/* Whether those who write have had time to leave the old file. */
static bool
is_left(int64_t replaced_us, int64_t line_at_us, int64_t now_us)
{
	int64_t since_us = now_us - replaced_us;

	return since_us >= STRAGGLE_MS * 1000 ||
	    (since_us >= QUIET_MS * 1000 && now_us - line_at_us >= QUIET_MS * 1000);
}

/* Returns the reader that is open at the end. */
static struct log_reader *
follow(struct logs *l, struct log_reader *r, struct log_last *last)
{
	int64_t line_at_us = clock_mono_us(), replaced_us = 0;

	while (wait_a_moment(l) && (l->wish.until_ms == 0 || clock_wall_ms() < l->wish.until_ms)) {
		int64_t now_us = clock_mono_us();
		struct str line;

		for (; r != NULL && !l->closed && log_reader_next(r, false, &line); line_at_us = now_us)
			if (log_wanted(&l->wish, line, last))
				emit(l, line);
		if (r != NULL)
			log_reader_mind_truncation(r);
		if (!is_replaced(l, r))
			continue;
		replaced_us = replaced_us == 0 ? now_us : replaced_us;
		if (r != NULL && !is_left(replaced_us, line_at_us, now_us))
			continue;
		if (r != NULL)
			drain(l, r, true, last, NULL);
		log_reader_close(r);
		r = log_reader_open(l->path);
		replaced_us = 0;
	}
	return r;
}

static int
print_logs(struct logs *l, struct arena *a)
{
	/* First: what is rotated from now on is found as its file, and known by its inode. */
	struct log_reader *r = log_reader_open(l->path);
	struct log_last last = first_state(l);
	int why = errno;

	if (!log_files_find(a, l->path, &l->rotated, &l->n_rotated))
		return cli_fail("%s: %s", l->path, strerror(errno));
	if (r == NULL && (why != ENOENT || (l->n_rotated == 0 && !l->follow)))
		return cli_fail("%s: %s", l->path, strerror(why));
	if (l->has_tail)
		print_tail(l, r, &last, a);
	else
		print_all(l, r, &last);
	if (l->follow)
		r = follow(l, r, &last);
	log_reader_close(r);
	return l->closed ? CLI_FAILED : CLI_OK;
}

/* NULL: fine; else the flag whose value will not do. */
static const char *
read_wish(struct cli *c, const struct args *a, struct logs *l)
{
	int64_t now_ms = clock_wall_ms(), n = 0;
	struct log_wish *w = &l->wish;
	const char *tail = a->values[LOGS_TAIL];

	if (a->values[LOGS_SINCE] != NULL &&
	    !when_parse(str_of(a->values[LOGS_SINCE]), now_ms, &w->since_ms))
		return "since";
	if (a->values[LOGS_UNTIL] != NULL &&
	    !when_parse(str_of(a->values[LOGS_UNTIL]), now_ms, &w->until_ms))
		return "until";
	w->any_level = a->values[LOGS_LEVEL] == NULL;
	if (!w->any_level && !log_level_parse(str_of(a->values[LOGS_LEVEL]), &w->least))
		return "level";
	l->has_tail = tail != NULL && strcmp(tail, "all") != 0;
	if (l->has_tail && !parse_i64(str_of(tail), 0, TAIL_MAX, &n))
		return "tail";
	l->tail = (size_t)n;
	w->room = log_quoted(c->arena, a->values[LOGS_ROOM]);
	w->uid = log_quoted(c->arena, a->values[LOGS_UID]);
	w->node = log_quoted(c->arena, a->values[LOGS_NODE]);
	w->request = log_quoted(c->arena, a->values[LOGS_REQUEST]);
	l->wishes_nothing = w->any_level && w->since_ms == 0 && w->until_ms == 0 &&
	    w->room.len + w->uid.len + w->node.len + w->request.len == 0;
	return NULL;
}

int
cmd_logs(struct cli *c, const struct args *a)
{
	struct logs l = { .pretty = !c->json, .follow = a->values[LOGS_FOLLOW] != NULL };
	const char *bad = read_wish(c, a, &l);
	int code;

	if (bad != NULL)
		return cli_misuse("--%s: a value that cannot be read (see tgo-call logs --help)", bad);
	l.path = c->conf->log_file.len > 0 ? c->conf->log_file.at : DEFAULT_LOG_FILE;
	if (c->conf->log_file.len == 0 && access(l.path, F_OK) != 0)
		return cli_fail("LOG_FILE is not set and %s is not there: the log goes to the worker's "
		    "stderr (journalctl -u tgo-call)", l.path);
	l.line_arena = arena_new(LINE_ARENA);
	code = print_logs(&l, c->arena);
	arena_free(l.line_arena);
	return code;
}
