/* event_read - the stream of events, and the list of deliveries.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "call/event_ops.h"

enum {
	DATA_BYTES_MAX = 4 << 20,     /* of one page */
	LOOK_US = 1000000             /* what is rare is looked for so long */
};

const char *const OUTCOME_WORDS[OUTCOME_COUNT] = {
	[OUTCOME_PENDING] = "pending", [OUTCOME_RETRYING] = "retrying", [OUTCOME_DELIVERED] = "delivered",
	[OUTCOME_EXHAUSTED] = "exhausted",
};

/* ---- the stream ---- */

/* A page under construction: where its events are, before their data is read. */
struct gather {
	struct event_filter f;        /* span.after moves on */
	int64_t wanted, n_bytes;
	bool full;
};

/* Takes what fits; one event always does. */
static void
take_sizes(struct gather *g, const struct event_size *sizes, size_t n)
{
	for (size_t i = 0; i < n && !g->full; i++) {
		if (g->n_bytes > 0 && g->n_bytes + sizes[i].n_bytes > DATA_BYTES_MAX) {
			g->full = true;
			return;
		}
		g->n_bytes += sizes[i].n_bytes;
		g->f.span.after = sizes[i].pos;
		g->f.limit--;
		g->full = g->f.limit == 0;
	}
}

static enum err
gather_window(struct op *op, struct services *sv, struct gather *g, bool *end_out)
{
	struct event_size *sizes;
	int64_t last;
	size_t n;
	enum err e;

	if ((e = event_store_window(op, sv->db, g->f.span.after, &last)) != ERR_OK)
		return e;
	*end_out = last == g->f.span.after;
	g->f.span.upto = last;
	if ((e = event_store_sizes(op, sv->db, &g->f, &sizes, &n)) != ERR_OK)
		return e;
	take_sizes(g, sizes, n);
	if (!g->full)
		g->f.span.after = last;
	return ERR_OK;
}

/* One call's events are few: no window, its index finds them all. */
static enum err
gather_room(struct op *op, struct services *sv, struct gather *g)
{
	struct event_size *sizes;
	size_t n;
	enum err e;

	g->f.span.upto = INT64_MAX;
	if ((e = event_store_sizes(op, sv->db, &g->f, &sizes, &n)) == ERR_OK)
		take_sizes(g, sizes, n);
	return e;
}

enum err
op_events(struct op *op, struct services *sv, const struct event_filter *f, struct event_page *out)
{
	int64_t start_us = clock_mono_us();
	struct event_filter whole = *f;
	struct gather g = { .f = *f };
	bool end = false;
	enum err e = ERR_OK;

	op->room_id = f->room_id;
	if (f->room_id.len > 0)
		e = gather_room(op, sv, &g);
	else
		while (e == ERR_OK && !g.full && !end && clock_mono_us() - start_us < LOOK_US)
			e = gather_window(op, sv, &g, &end);
	if (e != ERR_OK)
		return e;
	whole.span.upto = out->next = g.f.span.after;
	return event_store_list(op, sv->db, &whole, &out->rows, &out->n);
}

/* ---- deliveries ---- */

/* Fills the page from one window; the next one begins where it ends. */
static enum err
add_window(struct op *op, struct services *sv, struct delivery_log_filter *f, struct delivery_log_page *p,
    int64_t *left)
{
	struct delivery_log_row *rows;
	size_t n;
	enum err e;

	f->limit = *left;
	if ((e = delivery_log_store_list(op, sv->db, f, &rows, &n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		p->rows[p->n++] = rows[i];
	*left -= (int64_t)n;
	p->more = *left == 0 || f->from_pos > 0;
	p->next_pos = *left == 0 ? rows[n - 1].pos : f->from_pos - 1;
	p->next_endpoint = *left == 0 ? rows[n - 1].endpoint_id : BEFORE_ALL_ENDPOINTS;
	return ERR_OK;
}

enum err
op_deliveries(struct op *op, struct services *sv, const struct delivery_log_filter *f, struct delivery_log_page *out)
{
	int64_t start_us = clock_mono_us(), left = f->limit;
	struct delivery_log_filter window = *f;
	enum err e;

	op->room_id = f->room_id;
	*out = (struct delivery_log_page){ .rows = arena_array(op->arena, (size_t)f->limit + 1, sizeof(*out->rows)) };
	do {
		window.from_pos = 0;
		if (f->room_id.len == 0 && (e = delivery_log_store_window(op, sv->db, window.before_pos,
		    &window.from_pos)) != ERR_OK)
			return e;
		if ((e = add_window(op, sv, &window, out, &left)) != ERR_OK)
			return e;
		window.before_pos = out->next_pos;
		window.before_endpoint = out->next_endpoint;
	} while (left > 0 && out->more && clock_mono_us() - start_us < LOOK_US);
	return ERR_OK;
}
