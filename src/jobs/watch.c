/* watch - nodes and their probes.
 * SPDX-License-Identifier: MIT */
#include "jobs/watch.h"

#include <string.h>

struct watched *
watch_find(struct watch *w, struct str addr)
{
	for (size_t i = 0; i < w->n; i++)
		if (str_eq(str_of(w->nodes[i].addr), addr))
			return &w->nodes[i];
	return NULL;
}

static bool
keep_text(char to[WATCH_TEXT_BYTES], struct str s)
{
	if (s.len >= WATCH_TEXT_BYTES)
		return false;
	if (s.len > 0)
		memcpy(to, s.at, s.len);
	to[s.len] = '\0';
	return true;
}

struct watched *
watch_meet(struct watch *w, struct str addr)
{
	struct watched *n = watch_find(w, addr);

	if (n == NULL && w->n < WATCHED_MAX) {
		n = &w->nodes[w->n];
		*n = (struct watched){ 0 };
		if (!keep_text(n->addr, addr))
			return NULL;
		w->n++;
	}
	if (n != NULL)
		n->met = true;
	return n;
}

void
watch_end_round(struct watch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!w->nodes[i].met)
			continue;
		w->nodes[n] = w->nodes[i];
		w->nodes[n++].met = false;
	}
	w->n = n;
}

enum watch_change
watch_take(struct watched *n, enum probe p)
{
	bool was = n->down;

	n->refused = p == PROBE_REFUSED;
	n->answered = p == PROBE_OK;
	n->n_silent = p == PROBE_SILENT ? n->n_silent + 1 : 0;
	if (p == PROBE_OK)
		n->down = false;
	else if (p == PROBE_REFUSED || n->n_silent >= SILENCES)
		n->down = true;
	if (n->down == was)
		return WATCH_SAME;
	return n->down ? WATCH_DOWN : WATCH_UP;
}

bool
watch_take_id(struct watched *n, struct str id)
{
	if (id.len == 0 || str_eq(str_of(n->id), id))
		return false;
	return keep_text(n->id, id);
}
