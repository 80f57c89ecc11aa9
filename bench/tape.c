/* tape - reads a recording and fills its holes.
 * SPDX-License-Identifier: MIT */
#include "tape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };

static char *
unescaped(const char *from)
{
	char *out = malloc(strlen(from) + 1), *to = out;

	while (out != NULL && *from != '\0') {
		if (*from == '\\' && from[1] != '\0') {
			from++;
			*to++ = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from;
			from++;
		} else {
			*to++ = *from++;
		}
	}
	if (out != NULL)
		*to = '\0';
	return out;
}

static bool
set_text(struct tape_op *op, struct tape_text *t, enum tape_kind kind, const char *from)
{
	t->kind = kind;
	t->text = unescaped(from);
	if (t->text == NULL)
		return false;
	t->has_holes = strstr(t->text, "${") != NULL;
	op->tells_time = op->tells_time || strstr(t->text, "${d}") != NULL;
	for (const char *at = t->text; (at = strstr(at, "${u")) != NULL; at += 3) {
		size_t n = strtoul(at + 3, NULL, 10) + 1;

		op->n_uuids = n > op->n_uuids ? n : op->n_uuids;
	}
	return op->n_uuids <= OP_UUIDS;
}

static bool
add_stmt(struct tape *t, enum tape_kind kind, const char *text)
{
	struct tape_op *op = t->n_ops == 0 ? NULL : &t->ops[t->n_ops - 1];
	struct tape_stmt *s;

	if (op == NULL || op->n_stmts == OP_STMTS)
		return false;
	s = &op->stmts[op->n_stmts++];
	s->begins = strncmp(text, "START TRANSACTION", 17) == 0 || strncmp(text, "BEGIN", 5) == 0;
	return set_text(op, &s->text, kind, text);
}

static bool
add_arg(struct tape *t, enum tape_kind kind, const char *text)
{
	struct tape_op *op = t->n_ops == 0 ? NULL : &t->ops[t->n_ops - 1];
	struct tape_stmt *s = op == NULL || op->n_stmts == 0 ? NULL : &op->stmts[op->n_stmts - 1];
	struct tape_text *more;

	if (s == NULL || s->text.kind != TAPE_STMT)
		return false;
	more = realloc(s->args, (s->n_args + 1) * sizeof(*more));
	if (more == NULL)
		return false;
	s->args = more;
	return set_text(op, &s->args[s->n_args++], kind, text);
}

static bool
add_op(struct tape *t, const char *name)
{
	if (t->n_ops == TAPE_OPS)
		return false;
	t->ops[t->n_ops].name = unescaped(name);
	return t->ops[t->n_ops++].name != NULL;
}

static bool
take_line(struct tape *t, char *line)
{
	char *text = strchr(line, '\t');

	line[strcspn(line, "\n")] = '\0';
	if (text == NULL)
		return false;
	*text++ = '\0';
	if (strcmp(line, "op") == 0)
		return add_op(t, text);
	if (strcmp(line, "query") == 0 || strcmp(line, "stmt") == 0)
		return add_stmt(t, line[0] == 'q' ? TAPE_QUERY : TAPE_STMT, text);
	if (strcmp(line, "int") == 0 || strcmp(line, "str") == 0)
		return add_arg(t, line[0] == 'i' ? TAPE_INT : TAPE_STR, text);
	return false;
}

bool
tape_read(const char *path, struct tape *out)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t n_max = 0, number = 0;
	bool good = f != NULL;

	*out = (struct tape){ 0 };
	while (good && getline(&line, &n_max, f) > 0) {
		number++;
		good = take_line(out, line);
	}
	if (!good)
		fprintf(stderr, "%s, line %zu: no tape\n", path, number);
	free(line);
	if (f != NULL)
		(void)fclose(f);
	return good;
}

void
tape_free(struct tape *t)
{
	for (size_t i = 0; i < t->n_ops; i++) {
		for (size_t k = 0; k < t->ops[i].n_stmts; k++) {
			struct tape_stmt *s = &t->ops[i].stmts[k];

			for (size_t a = 0; a < s->n_args; a++)
				free(s->args[a].text);
			free(s->args);
			free(s->text.text);
		}
		free(t->ops[i].name);
	}
	*t = (struct tape){ 0 };
}

const struct tape_op *
tape_find(const struct tape *t, const char *name)
{
	for (size_t i = 0; i < t->n_ops; i++)
		if (strcmp(t->ops[i].name, name) == 0)
			return &t->ops[i];
	return NULL;
}

/* RFC 9562 version 7, as the product's: the newest at the end of the index. */
static void
make_uuid(char *out, size_t room, uint64_t at_ms, uint64_t seed)
{
	uint64_t v = ids_mix(seed);

	(void)snprintf(out, room, "%08" PRIx64 "-%04" PRIx64 "-7%03" PRIx64 "-8%03" PRIx64 "-%012" PRIx64, at_ms >> 16,
	    at_ms & 0xffff, v & 0xfff, v >> 12 & 0xfff, ids_mix(v) & 0xffffffffffff);
}

void
fill_begin(struct fill *f, const struct tape_op *op, const struct ids *ids, uint64_t seed)
{
	struct timespec t;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	f->ids = *ids;
	f->now_ms = (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / NS_PER_MS;
	for (size_t i = 0; i < op->n_uuids; i++)
		make_uuid(f->uuids[i], sizeof(f->uuids[i]), (uint64_t)f->now_ms, seed * OP_UUIDS + i);
	if (!op->tells_time)
		return;
	(void)gmtime_r(&t.tv_sec, &tm);
	n = strftime(f->now, sizeof(f->now), "%Y-%m-%d %H:%M:%S", &tm);
	(void)snprintf(f->now + n, sizeof(f->now) - n, ".%03d", (int)(f->now_ms % MS_PER_S));
}

/* What a hole stands for; its end is at the brace. */
static int
fill_hole(const char *hole, const struct fill *f, char *out, size_t room)
{
	char *after;
	unsigned long i = strtoul(hole + 1, &after, 10), row, col;
	long delta = strtol(hole + 1, NULL, 10);

	switch (hole[0]) {
	case 'r':
		return snprintf(out, room, "%s", f->ids.room);
	case 'a':
		return snprintf(out, room, "%s", f->ids.a);
	case 'b':
		return snprintf(out, room, "%s", f->ids.b);
	case 'd':
		return snprintf(out, room, "%s", f->now);
	case 'n':
		return snprintf(out, room, "%" PRId64, f->now_ms + delta);
	case 's':
		return snprintf(out, room, "%" PRId64, f->now_ms / MS_PER_S + delta);
	case 'u':
		return i < OP_UUIDS ? snprintf(out, room, "%s", f->uuids[i]) : -1;
	case 'i':
		row = *after == '.' ? strtoul(after + 1, NULL, 10) : 0;
		return i < OP_STMTS ? snprintf(out, room, "%" PRId64, f->made[i] + (int64_t)row) : -1;
	case 'c':
		row = *after == '.' ? strtoul(after + 1, &after, 10) : CAPTURE_ROWS;
		col = *after == '.' ? strtoul(after + 1, NULL, 10) : CAPTURE_COLS;
		return i < OP_STMTS && row < CAPTURE_ROWS && col < CAPTURE_COLS ?
		    snprintf(out, room, "%" PRId64, f->got[i][row][col]) : -1;
	default:
		return -1;
	}
}

size_t
tape_fill(const struct tape_text *t, const struct fill *f, char *out)
{
	const char *from = t->text, *hole, *end;
	size_t n = 0;

	while ((hole = strstr(from, "${")) != NULL && (end = strchr(hole, '}')) != NULL) {
		size_t n_before = (size_t)(hole - from);
		int k;

		if (n + n_before >= TEXT_MAX)
			return 0;
		memcpy(out + n, from, n_before);
		n += n_before;
		k = fill_hole(hole + 2, f, out + n, TEXT_MAX - n);
		if (k < 0 || (size_t)k >= TEXT_MAX - n)
			return 0;
		n += (size_t)k;
		from = end + 1;
	}
	if (n + strlen(from) >= TEXT_MAX)
		return 0;
	memcpy(out + n, from, strlen(from) + 1);
	return n + strlen(from);
}
