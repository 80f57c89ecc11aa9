/* item - made of a row of event_delivery.
 * SPDX-License-Identifier: MIT */
#include "jobs/item.h"

#include <stdlib.h>
#include <string.h>

static struct str
copy(char **to, struct str s)
{
	struct str out = { *to, s.len };

	if (s.len > 0)
		memcpy(*to, s.at, s.len);
	(*to)[s.len] = '\0';
	*to += s.len + 1;
	return out;
}

struct item *
item_new(const struct delivery_row *r)
{
	size_t n = r->room_id.len + r->type.len + r->event_id.len + r->data.len + 4;
	struct item *i = calloc(1, sizeof(*i) + n);
	char *text;

	if (i == NULL)
		return NULL;
	text = (char *)(i + 1);
	i->n_bytes = sizeof(*i) + n;
	i->pos = r->pos;
	i->event_no = r->event_no;
	i->event_at_ms = r->event_at_ms;
	i->attempts = r->attempts;
	i->first_try_at_ms = r->first_try_at_ms;
	i->next_try_at_ms = r->next_try_at_ms;
	i->room_id = copy(&text, r->room_id);
	i->type = copy(&text, r->type);
	i->event_id = copy(&text, r->event_id);
	i->data = copy(&text, r->data);
	return i;
}

void
item_free(struct item *i)
{
	free(i);
}
