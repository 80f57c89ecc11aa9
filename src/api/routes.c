/* routes - the table of endpoints.
 * SPDX-License-Identifier: MIT */
#include "api/routes.h"

#include "api/handlers.h"

#define KIB 1024
#define T WHO_TICKET_SELF
#define R WHO_TICKET_ROW
#define R_ACTIVE WHO_TICKET_ACTIVE
#define R_OWN WHO_TICKET_OWN
#define C WHO_CREATOR
#define K WHO_KEY
#define P WHO_PUBLIC
#define O WHO_OPS
#define SMALL (64 * KIB)
#define LARGE (256 * KIB)
#define HOOK (2048 * KIB)

const struct route ROUTES[] = {
	/* method         path                                    absolute handler                who         body  */
	{ METHOD_POST,   "/rooms",                                false, api_rooms_create,       T | K,        LARGE },
	{ METHOD_GET,    "/rooms",                                false, api_rooms_list,         K,            0 },
	{ METHOD_GET,    "/rooms/sync",                           false, api_rooms_sync,         T | K,        0 },
	{ METHOD_GET,    "/rooms/{room_id}",                      false, api_room_get,           R | K,        0 },
	{ METHOD_GET,    "/rooms/{room_id}/participants",         false, api_room_participants,  R | K,        0 },
	{ METHOD_GET,    "/rooms/{room_id}/participants/{uid}",   false, api_room_participant,   R | K,        0 },
	{ METHOD_POST,   "/rooms/{room_id}/join",                 false, api_room_join,          T | K,        SMALL },
	{ METHOD_POST,   "/rooms/{room_id}/leave",                false, api_room_leave,         T | K,        SMALL },
	{ METHOD_POST,   "/rooms/{room_id}/reject",               false, api_room_reject,        T | K,        SMALL },
	{ METHOD_POST,   "/rooms/{room_id}/invite",               false, api_room_invite,        R_ACTIVE | K, LARGE },
	{ METHOD_POST,   "/rooms/{room_id}/token",                false, api_room_token,         T | K,        SMALL },
	{ METHOD_POST,   "/rooms/{room_id}/end",                  false, api_room_end,           C | K,        SMALL },
	{ METHOD_DELETE, "/rooms/{room_id}/participants/{uid}",   false, api_room_remove,        C | K,        SMALL },
	{ METHOD_POST,   "/rooms/{room_id}/participants/{uid}/mute", false, api_room_mute,       R_OWN | C | K, SMALL },
	{ METHOD_PUT,    "/rooms/{room_id}/status",               false, api_room_status,        K,            SMALL },
	{ METHOD_PUT,    "/rooms/{room_id}/participants/{uid}/status", false, api_participant_status, K,       SMALL },
	{ METHOD_POST,   "/participants/join",                    false, api_participants_join,  T | K,        SMALL },
	{ METHOD_POST,   "/participants/leave",                   false, api_participants_leave, T | K,        SMALL },
	{ METHOD_POST,   "/participants/calling",                 false, api_calling,            K,            SMALL },
	{ METHOD_GET,    "/users/{uid}/calls",                    false, api_user_calls,         T | K,        0 },
	{ METHOD_POST,   "/token",                                false, api_token,              T | K,        SMALL },
	{ METHOD_POST,   "/tickets",                              false, api_tickets,            WHO_REAL_KEY, SMALL },
	{ METHOD_POST,   "/webhooks/livekit",                     false, api_livekit_hook,       P,            HOOK },
	{ METHOD_GET,    "/webhooks/logs",                        false, api_webhook_logs,       K,            0 },
	{ METHOD_GET,    "/webhooks/logs/stats",                  false, api_webhook_stats,      K,            0 },
	{ METHOD_POST,   "/webhooks/logs/cleanup",                false, api_webhook_cleanup,    O,            SMALL },
	{ METHOD_GET,    "/webhooks/endpoints",                   false, api_webhook_endpoints,  K,            0 },
	{ METHOD_POST,   "/webhooks/endpoints/{id}/enable",       false, api_webhook_enable,     O,            SMALL },
	{ METHOD_GET,    "/events",                               false, api_events,             K,            0 },
	{ METHOD_POST,   "/events/redeliver",                     false, api_events_redeliver,   O,            SMALL },
	{ METHOD_POST,   "/events/{event_id}/redeliver",          false, api_event_redeliver,    O,            SMALL },
	{ METHOD_GET,    "/nodes",                                false, api_nodes,              K,            0 },
	{ METHOD_GET,    "/nodes/{id}",                           false, api_node,               K,            0 },
	{ METHOD_POST,   "/nodes/{id}/drain",                     false, api_node_drain,         O,            SMALL },
	{ METHOD_POST,   "/nodes/{id}/undrain",                   false, api_node_undrain,       O,            SMALL },
	{ METHOD_GET,    "/migrations/history",                   false, api_migrations_history, K,            0 },
	{ METHOD_GET,    "/migrations/status",                    false, api_migrations_status,  K,            0 },
	{ METHOD_GET,    "/health",                               false, api_health,             P,            0 },
	{ METHOD_GET,    "/health",                               true,  api_health,             P,            0 },
	{ METHOD_GET,    "/readyz",                               false, api_readyz,             P,            0 },
	{ METHOD_GET,    "/readyz",                               true,  api_readyz,             P,            0 },
	{ METHOD_GET,    "/metrics",                              true,  api_metrics,            P,            0 },
	{ METHOD_GET,    "/docs",                                 false, api_docs,               P,            0 },
	{ METHOD_GET,    "/docs",                                 true,  api_docs,               P,            0 },
	{ METHOD_GET,    "/swagger/index.html",                   true,  api_docs,               P,            0 },
	{ METHOD_GET,    "/openapi.json",                         false, api_openapi,            P,            0 },
	{ METHOD_GET,    "/openapi.json",                         true,  api_openapi,            P,            0 },
	{ METHOD_GET,    "/api/docs/swagger.json",                true,  api_openapi,            P,            0 },
};
const size_t N_ROUTES = N_ELEMS(ROUTES);
