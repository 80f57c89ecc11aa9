/* multi - calls under way side by side, each in a slot of its own.
 * SPDX-License-Identifier: MIT */
#include "httpc/multi.h"

#include "base/clock.h"
#include "httpc/slot.h"

enum {
	WHOLE_MAX = 4 << 20,          /* of an answer that is wanted whole */
	FDS_MAX = 16,
	WAIT_MS = 1000
};

struct httpc_multi {
	CURLM *curl;
	struct arena *own;            /* this struct lives in it, and the slots */
	struct slot *slots, *free;
	struct slot *answered, **answered_end;
	size_t parallel, n_busy;
	enum reach laxest;            /* of all calls so far */
};

struct httpc_multi *
multi_open(size_t parallel)
{
	struct arena *own;
	struct httpc_multi *m;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	own = arena_new(sizeof(*m) + parallel * sizeof(struct slot));
	m = arena_alloc(own, sizeof(*m));
	m->own = own;
	m->parallel = parallel;
	m->slots = arena_array(own, parallel, sizeof(*m->slots));
	for (size_t i = parallel; i-- > 0;) {
		m->slots[i].next = m->free;
		m->free = &m->slots[i];
	}
	m->answered_end = &m->answered;
	m->laxest = REACH_PUBLIC;
	m->curl = curl_multi_init();
	if (m->curl != NULL &&
	    curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)parallel) == CURLM_OK)
		return m;
	multi_close(m);
	return NULL;
}

void
multi_close(struct httpc_multi *m)
{
	if (m == NULL)
		return;
	for (struct slot *s = m->answered; s != NULL; s = s->next)
		multi_done_free(&s->done);
	for (size_t i = 0; i < m->parallel; i++) {
		struct slot *s = &m->slots[i];

		if (s->own != NULL)
			(void)curl_multi_remove_handle(m->curl, s->easy);
		curl_easy_cleanup(s->easy);
		slot_clear(s);
	}
	(void)curl_multi_cleanup(m->curl);
	curl_global_cleanup();
	arena_free(m->own);
}

static void
release(struct httpc_multi *m, struct slot *s)
{
	slot_clear(s);
	s->next = m->free;
	m->free = s;
	m->n_busy--;
}

static bool
start(struct httpc_multi *m, const struct multi_call *c, bool whole)
{
	struct slot *s = m->free;
	/* A kept connection may lead where this call may not go. */
	bool fresh = c->reach > m->laxest;

	if (s == NULL)
		return false;
	m->free = s->next;
	m->n_busy++;
	if (c->reach < m->laxest)
		m->laxest = c->reach;
	if (slot_begin(s, c, whole, fresh) && curl_multi_add_handle(m->curl, s->easy) == CURLM_OK)
		return true;
	release(m, s);
	return false;
}

bool
multi_start(struct httpc_multi *m, const struct multi_call *c)
{
	return start(m, c, false);
}

size_t
multi_n_under_way(const struct httpc_multi *m)
{
	return m->n_busy;
}

/* Lets libcurl work, and puts what ended among the answered. */
static void
perform(struct httpc_multi *m)
{
	int n = 0;
	CURLMsg *msg;

	(void)curl_multi_perform(m->curl, &n);
	while ((msg = curl_multi_info_read(m->curl, &n)) != NULL) {
		CURLcode rc = msg->data.result;
		CURL *easy = msg->easy_handle;
		void *private = NULL;
		struct slot *s;

		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&private);
		(void)curl_multi_remove_handle(m->curl, easy);
		s = private;
		slot_end(s, rc);
		s->next = NULL;
		*m->answered_end = s;
		m->answered_end = &s->next;
	}
}

/* One sleep in libcurl; true when a descriptor of the caller's has something. */
static bool
sleep_once(struct httpc_multi *m, struct pollfd *fds, size_t n_fds, int ms)
{
	struct curl_waitfd extra[FDS_MAX] = { 0 };
	unsigned n = 0;

	for (size_t i = 0; i < n_fds && n < FDS_MAX; i++) {
		if (fds[i].fd < 0)
			continue;
		extra[n].fd = fds[i].fd;
		extra[n].events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
		    (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0));
		n++;
	}
	(void)curl_multi_poll(m->curl, extra, n, ms, NULL);
	/* libcurl does not tell of a hang-up. */
	return n_fds > 0 && poll(fds, n_fds, 0) > 0;
}

void
multi_wait(struct httpc_multi *m, struct pollfd *fds, size_t n_fds, int timeout_ms)
{
	int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000, left_us;
	bool woken = n_fds > 0 && poll(fds, n_fds, 0) > 0;

	perform(m);
	while (m->answered == NULL && !woken && (left_us = until_us - clock_mono_us()) > 0) {
		woken = sleep_once(m, fds, n_fds, (int)((left_us + 999) / 1000));
		perform(m);
	}
}

bool
multi_take(struct httpc_multi *m, struct multi_done *out)
{
	struct slot *s = m->answered;

	if (s == NULL)
		return false;
	m->answered = s->next;
	if (m->answered == NULL)
		m->answered_end = &m->answered;
	*out = s->done;
	release(m, s);
	return true;
}

void
multi_done_free(struct multi_done *d)
{
	arena_free(d->memory);
	*d = (struct multi_done){ 0 };
}

static void
keep_answer(struct op *op, struct multi_done *d)
{
	struct many_answer *to = d->tag;

	to->e = d->answered ? ERR_OK : ERR_UNAVAILABLE;
	to->answer = (struct http_answer){ .status = d->status, .refused = d->refused, .us = d->us };
	if (d->answered)
		to->answer.body = arena_str(op->arena, d->body);
	else
		to->answer.why = arena_str(op->arena, str_of(d->why));
	multi_done_free(d);
}

void
multi_all(struct op *op, struct httpc_multi *m, const struct http_call *calls, size_t n, size_t parallel,
    struct many_answer *answers_out)
{
	struct multi_done d;
	size_t next = 0;

	while (next < n || m->n_busy > 0) {
		while (next < n && m->n_busy < parallel && m->free != NULL) {
			const struct multi_call c = { .call = calls[next], .reach = REACH_ALL,
			    .answer_max = WHOLE_MAX, .tag = &answers_out[next] };

			answers_out[next] = (struct many_answer){ .e = ERR_UNAVAILABLE,
			    .answer = { .why = S("out of memory") } };
			next++;
			(void)start(m, &c, true);
		}
		multi_wait(m, NULL, 0, WAIT_MS);
		while (multi_take(m, &d))
			keep_answer(op, &d);
	}
}
