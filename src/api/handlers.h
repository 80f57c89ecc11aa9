/* handlers - one function per endpoint: decode, one operation of the domain, encode. Never SQL, never a
 * status code. SPDX-License-Identifier: MIT */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "call/services.h"
#include "http/router.h"

#define HANDLER(name)                                                                             \
	enum err name(struct op *op, struct services *sv, const struct request *rq,                   \
	    const struct caller *who, struct reply *rp)

HANDLER(api_rooms_create);
HANDLER(api_rooms_list);
HANDLER(api_rooms_sync);
HANDLER(api_room_get);
HANDLER(api_room_participants);
HANDLER(api_room_participant);

HANDLER(api_room_join);
HANDLER(api_room_leave);
HANDLER(api_room_reject);
HANDLER(api_room_token);
HANDLER(api_participants_join);
HANDLER(api_participants_leave);

HANDLER(api_room_invite);
HANDLER(api_room_end);
HANDLER(api_room_remove);
HANDLER(api_room_mute);
HANDLER(api_room_status);
HANDLER(api_participant_status);

HANDLER(api_calling);
HANDLER(api_user_calls);
HANDLER(api_token);
HANDLER(api_tickets);
HANDLER(api_livekit_hook);
HANDLER(api_webhook_logs);
HANDLER(api_webhook_stats);
HANDLER(api_webhook_cleanup);
HANDLER(api_webhook_endpoints);
HANDLER(api_webhook_enable);
HANDLER(api_events);
HANDLER(api_event_redeliver);
HANDLER(api_events_redeliver);
HANDLER(api_nodes);
HANDLER(api_node);
HANDLER(api_node_drain);
HANDLER(api_node_undrain);
HANDLER(api_migrations_history);
HANDLER(api_migrations_status);
HANDLER(api_health);
HANDLER(api_readyz);
HANDLER(api_metrics);
HANDLER(api_openapi);
HANDLER(api_docs);

#endif
