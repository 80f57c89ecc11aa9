/* check_receivers - each receiver of events is sent a signed test event: does it take it?
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/doctor.h"
#include "httpc/multi.h"
#include "jobs/letter.h"
#include "model/event.h"

#define TEST_TYPE S("tgo.test")

enum { PARALLEL = 16, LONGEST_MS = 10000, SHOWN_BYTES = 200, FULL_MS = 1000 };

/* A room event's body, of no call. */
static struct item
test_event(struct doctor *d)
{
	struct call *c = arena_alloc(d->c->arena, sizeof(*c));

	call_init(c, d->c->arena, (struct call_policy){ 0 });
	c->now_ms = clock_wall_ms();
	event_tell(c, EVENT_ROOM_STARTED, NULL);
	return (struct item){ .type = TEST_TYPE, .event_id = c->events[0].event_id, .data = c->events[0].data,
	    .event_at_ms = c->now_ms };
}

static const char *
name_of(struct doctor *d, const struct letter *t, const struct letter *all)
{
	return arena_printf(d->c->arena, "receiver %zu", (size_t)(t - all) + 1).at;
}

/* "http://host:1/path", without what stands before an @ and without the query. */
static struct str
place_of(struct doctor *d, struct str url)
{
	struct str rest = url, whole, scheme, host;

	(void)str_split(&rest, '?', &whole);
	rest = whole;
	(void)str_split(&rest, '/', &scheme);
	(void)str_split(&rest, '/', &host);
	(void)str_split(&rest, '/', &host);
	for (size_t i = host.len; i > 0; i--)
		if (host.at[i - 1] == '@') {
			host = (struct str){ host.at + i, host.len - i };
			break;
		}
	return arena_printf(d->c->arena, "%.*s//%.*s/%.*s", STR_ARG(scheme), STR_ARG(host), STR_ARG(rest));
}

static void
tell(struct doctor *d, const struct multi_done *done, const struct letter *all)
{
	const struct letter *t = done->tag;
	struct str place = place_of(d, d->c->conf->endpoints[t - all].url);
	struct str body = { done->body.at, done->body.len < SHOWN_BYTES ? done->body.len : SHOWN_BYTES };
	bool taken = done->answered && done->status / 100 == 2;

	if (taken)
		doctor_finds(d, name_of(d, t, all), WELL, "", arena_printf(d->c->arena,
		    "%.*s took a test event: %d after %lld ms", STR_ARG(place), done->status,
		    (long long)(done->us / 1000)));
	else if (done->answered)
		doctor_finds(d, name_of(d, t, all), WARNING,
		    "let it check our signature and answer 2xx, also to types it does not know",
		    arena_printf(d->c->arena, "%.*s answers a test event with %d: %.*s", STR_ARG(place), done->status,
		    STR_ARG(body)));
	else
		doctor_finds(d, name_of(d, t, all), WARNING, done->refused_address ?
		    "see WEBHOOK_ALLOW_PRIVATE; link-local addresses are never called" :
		    "start it, or see BUSINESS_WEBHOOK_ENDPOINTS", arena_printf(d->c->arena, "%.*s: %s",
		    STR_ARG(place), done->why));
}

static void
take_answers(struct doctor *d, struct httpc_multi *m, const struct letter *all)
{
	struct multi_done done;

	multi_wait(m, NULL, 0, FULL_MS);
	while (multi_take(m, &done)) {
		tell(d, &done, all);
		multi_done_free(&done);
	}
}

static void
send_all(struct doctor *d, struct httpc_multi *m)
{
	const struct conf *c = d->c->conf;
	struct letter *letters = arena_array(d->c->arena, c->n_endpoints, sizeof(*letters));
	struct item item = test_event(d);

	for (size_t i = 0; i < c->n_endpoints; i++) {
		struct letter *t = &letters[i];

		t->item = &item;
		t->sent_at_s = clock_wall_ms() / 1000;
		if (!letter_write(t, &c->endpoints[i],
		    c->webhook_allow_private ? REACH_NOT_LINK_LOCAL : REACH_PUBLIC))
			continue;
		if (t->call.call.timeout_ms > LONGEST_MS)
			t->call.call.timeout_ms = LONGEST_MS;
		while (!multi_start(m, &t->call) && multi_n_under_way(m) > 0)
			take_answers(d, m, letters);
	}
	while (multi_n_under_way(m) > 0)
		take_answers(d, m, letters);
}

void
check_receivers(struct doctor *d)
{
	struct httpc_multi *m;

	if (d->c->conf->n_endpoints == 0) {
		doctor_finds(d, "receivers", WELL, "", S("no receiver of events is configured"));
		return;
	}
	if ((m = multi_open(PARALLEL)) == NULL)
		return;
	send_all(d, m);
	multi_close(m);
}
