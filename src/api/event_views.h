/* event_views - how events, their deliveries and their receivers look in answers, of the API and of tgo-call.
 * SPDX-License-Identifier: MIT */
#ifndef API_EVENT_VIEWS_H
#define API_EVENT_VIEWS_H

#include "base/jsonw.h"
#include "call/event_ops.h"

/* One event of the stream. */
void view_event(struct jsonw *w, const struct event_row *r);
/* One delivery of one event. */
void view_delivery(struct op *op, struct jsonw *w, const struct delivery_log_row *r);
/* One receiver; its address masked. */
void view_endpoint(struct op *op, struct jsonw *w, const struct endpoint_view *v);
/* An address with *** in the place of user and password, and of its query. */
struct str view_url(struct op *op, struct str url);

#endif
