/* pulse - asks, and remembers for a moment.
 * SPDX-License-Identifier: MIT */
#include "livekit/pulse.h"

#include "base/clock.h"

/* Addresses come and go with the machines: beyond so many all are forgotten. */
enum { ADDRS_MAX = 1024, OWN_CAP_BYTES = 1 << 20 };
/* Two silences further apart are two, not one that went on. */
static const int64_t GAP_US = 10000000;

struct beat {
	struct beat *next;
	struct str addr;
	enum pulse_state state;
	int64_t asked_us;             /* 0: never */
	int64_t silent_since_us;      /* 0: it is not */
};
struct pulse {
	const struct conf *conf;
	struct arena *own;            /* this struct lives in it */
	struct arena *beats_own;
	struct beat *beats;
	size_t n;
};

struct pulse *
pulse_open(const struct conf *c)
{
	struct arena *own = arena_new(4096);
	struct pulse *p = arena_alloc(own, sizeof(*p));

	*p = (struct pulse){ .conf = c, .own = own, .beats_own = arena_new(OWN_CAP_BYTES) };
	return p;
}

void
pulse_close(struct pulse *p)
{
	if (p == NULL)
		return;
	arena_free(p->beats_own);
	arena_free(p->own);
}

static struct beat *
beat_of(struct pulse *p, struct str addr)
{
	struct beat *b;

	for (b = p->beats; b != NULL; b = b->next)
		if (str_eq(b->addr, addr))
			return b;
	if (p->n == ADDRS_MAX) {
		arena_reset(p->beats_own);
		p->beats = NULL;
		p->n = 0;
	}
	b = arena_alloc(p->beats_own, sizeof(*b));
	*b = (struct beat){ .next = p->beats, .addr = arena_str(p->beats_own, addr) };
	p->beats = b;
	p->n++;
	return b;
}

static bool
is_remembered(const struct beat *b, int64_t now_us, bool doubted)
{
	int64_t age_us = now_us - b->asked_us;

	if (b->asked_us == 0 || (doubted && b->state == PULSE_ALIVE))
		return false;
	return age_us < (b->state == PULSE_SILENT ? PULSE_SILENT_MS : PULSE_MS) * 1000;
}

static enum pulse_state
ask(struct op *op, const struct pulse *p, struct httpc *h, struct str addr)
{
	const struct http_call call = { .method = "GET", .timeout_ms = p->conf->probe_timeout_ms,
	    .url = arena_printf(op->arena, "http://%.*s/", STR_ARG(addr)) };
	struct http_answer a;

	if (httpc_call(op, h, &call, &a) == ERR_OK)
		return a.status == 200 ? PULSE_ALIVE : PULSE_SILENT;
	return a.refused ? PULSE_REFUSES : PULSE_SILENT;
}

struct pulse_found
pulse_ask(struct op *op, struct pulse *p, struct httpc *h, struct str addr, bool doubted)
{
	struct beat *b = beat_of(p, addr);
	int64_t now_us = clock_mono_us();
	struct pulse_found found = { 0 };

	if (!is_remembered(b, now_us, doubted)) {
		enum pulse_state was = b->state;
		bool went_on = b->silent_since_us > 0 && now_us - b->asked_us < GAP_US;

		found.asked = true;
		b->state = ask(op, p, h, addr);
		found.awoke = was != PULSE_ALIVE && b->state == PULSE_ALIVE;
		if (b->state != PULSE_SILENT)
			b->silent_since_us = 0;
		else if (!went_on)
			b->silent_since_us = now_us;
		b->asked_us = clock_mono_us();
	}
	found.state = b->state;
	if (b->silent_since_us > 0)
		found.silent_ms = (b->asked_us - b->silent_since_us) / 1000;
	return found;
}
