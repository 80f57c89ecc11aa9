/* top - the whole system at a glance, again and again: calls, nodes, rates, lag, receivers.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/screen.h"
#include "cli/top.h"
#include "conf/conf_parse.h"

enum { TOP_ROUNDS, TOP_INTERVAL, TOP_URL, TOP_TEXT };
const struct flag TOP_FLAGS[] = {
	[TOP_ROUNDS] = { "rounds", 'n', "N", "so many rounds, then the end" },
	[TOP_INTERVAL] = { "interval", 'i', "SECONDS", "between two rounds (2; 0.2 to 3600)" },
	[TOP_URL] = { "url", '\0', "URL", "where nginx serves the API, for its /metrics (LIVEKIT_URL)" },
	[TOP_TEXT] = { "text", '\0', NULL, "text also where it goes into a pipe or file" },
	{ NULL, '\0', NULL, NULL }
};

enum { INTERVAL_MS = 2000, INTERVAL_MIN_MS = 200, INTERVAL_MAX_MS = 3600 * 1000, READING_BYTES = 256 << 20 };

/* A run: two readings that take turns. */
struct watching {
	struct cli *c;
	struct top_where where;
	struct top_reading readings[2];
	struct arena *page;           /* what is shown */
	size_t n;                     /* readings made */
	int64_t interval_ms, rounds;  /* rounds 0: until it is told to end */
	bool text;
};

static struct top_reading *
last(struct watching *w)
{
	return &w->readings[(w->n - 1) % 2];
}

/* NULL until there are two. */
static const struct top_reading *
one_before(const struct watching *w)
{
	return w->n > 1 ? &w->readings[w->n % 2] : NULL;
}

static void
read_once(struct watching *w)
{
	const struct top_reading *before = w->n > 0 ? last(w) : NULL;

	top_read(w->c, &w->where, before, &w->readings[w->n % 2]);
	w->n++;
}

/* Readings begin at even distances, however long one takes. */
static int64_t
pause_ms(struct watching *w)
{
	int64_t ms = w->interval_ms - (clock_mono_us() - last(w)->at_us) / 1000;

	return ms > 0 ? ms : 0;
}

/* ---- one after the other ---- */

static int
print(struct watching *w)
{
	struct op op = w->c->op;
	struct strbuf b;
	struct str text;
	struct jsonw j;

	arena_reset(w->page);
	if (w->text) {
		text = top_text(w->page, one_before(w), last(w), false);
		return fwrite(text.at, 1, text.len, stdout) == text.len && fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
	}
	op.arena = w->page;
	strbuf_init_arena(&b, w->page, 4096, READING_BYTES / 2);
	jsonw_init(&j, &b);
	top_json(&op, &j, one_before(w), last(w));
	return cli_print(&b);
}

/* Rates take two readings: the first is not shown. */
static int
print_rounds(struct watching *w)
{
	int64_t n = w->rounds > 0 ? w->rounds : 1;
	int code = CLI_OK;

	read_once(w);
	for (int64_t i = 0; i < n && code == CLI_OK; i++) {
		(void)usleep((useconds_t)(pause_ms(w) * 1000));
		read_once(w);
		if (i > 0 && w->text)
			(void)putchar('\n');
		code = print(w);
	}
	return code;
}

/* ---- live ---- */

static bool
show(struct watching *w)
{
	static const struct screen_tags TAGS = { TOP_TAG_HEAD, TOP_TAG_BAD };

	arena_reset(w->page);
	return screen_show(w->page, top_text(w->page, one_before(w), last(w), true), TAGS);
}

/* What was shown last stays in the terminal's history. */
static int
live(struct watching *w)
{
	enum screen_word word = SCREEN_TIME;
	struct screen s;
	int64_t n = 0;

	if (!screen_open(&s))
		return cli_fail("this terminal cannot be used: try --text");
	while (word != SCREEN_QUIT && (w->rounds == 0 || n < w->rounds)) {
		if (word == SCREEN_TIME) {
			read_once(w);
			n++;
		}
		if (!show(w))
			break;
		word = screen_wait(&s, pause_ms(w));
	}
	screen_close(&s);
	return print(w);
}

/* NULL: fine; else the flag whose value will not do. */
static const char *
read_flags(struct watching *w, const struct args *a)
{
	if (a->values[TOP_ROUNDS] != NULL && !parse_i64(str_of(a->values[TOP_ROUNDS]), 1, 1000000000, &w->rounds))
		return "rounds";
	if (a->values[TOP_INTERVAL] != NULL && !conf_seconds(str_of(a->values[TOP_INTERVAL]), INTERVAL_MIN_MS,
	    INTERVAL_MAX_MS, &w->interval_ms))
		return "interval";
	return NULL;
}

int
cmd_top(struct cli *c, const struct args *a)
{
	struct watching w = { .c = c, .interval_ms = INTERVAL_MS, .text = !c->json || a->values[TOP_TEXT] != NULL };
	const char *bad = read_flags(&w, a);
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	int code;

	if (bad != NULL)
		return cli_misuse("--%s: a value that cannot be read (see tgo-call top --help)", bad);
	if (!cli_open_services(c))
		return CLI_FAILED;
	w.where = top_where(c, a->values[TOP_URL]);
	for (size_t i = 0; i < N_ELEMS(w.readings); i++)
		w.readings[i].arena = arena_new(READING_BYTES);
	w.page = arena_new(READING_BYTES);
	code = terminal && !c->json && a->values[TOP_TEXT] == NULL ? live(&w) : print_rounds(&w);
	if (code == CLI_OK && !last(&w)->mysql)
		code = CLI_FAILED;
	for (size_t i = 0; i < N_ELEMS(w.readings); i++)
		arena_free(w.readings[i].arena);
	arena_free(w.page);
	return code;
}
