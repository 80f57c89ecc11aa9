/* conf_wants - which receiver gets what.
 * SPDX-License-Identifier: MIT */
#include "conf/conf.h"

bool
endpoint_wants(const struct endpoint *e, struct str type)
{
	for (size_t i = 0; i < e->n_events && !e->all; i++)
		if (str_eq(e->events[i], type))
			return true;
	return e->all;
}

const struct endpoint *
endpoint_find(const struct conf *c, struct str id)
{
	for (size_t i = 0; i < c->n_endpoints; i++)
		if (str_eq(c->endpoints[i].id, id))
			return &c->endpoints[i];
	return NULL;
}
