/* steps - the ops as a table, the requests as text.
 * SPDX-License-Identifier: MIT */
#include "steps.h"

#include <stdio.h>
#include <string.h>

#define LIST(...) .steps = { __VA_ARGS__ }, .n_steps = sizeof((enum step[]){ __VA_ARGS__ }) / sizeof(enum step)

static const struct op OPS[] = {
	{ .name = "health", LIST(STEP_HEALTH) },
	{ .name = "get", LIST(STEP_GET) },
	{ .name = "sync", LIST(STEP_SYNC) },
	{ .name = "create", LIST(STEP_CREATE) },
	{ .name = "join", LIST(STEP_JOIN_B) },
	{ .name = "leave", LIST(STEP_LEAVE_B) },
	{ .name = "call", LIST(STEP_CREATE, STEP_JOIN_A, STEP_JOIN_B, STEP_LEAVE_B) },
	{ .name = "mixed", LIST(STEP_CREATE, STEP_SYNC, STEP_JOIN_A, STEP_JOIN_B, STEP_GET, STEP_HEALTH, STEP_SYNC,
	    STEP_LEAVE_B) },
};

const struct op *
op_find(const char *name)
{
	for (size_t i = 0; i < sizeof(OPS) / sizeof(OPS[0]); i++)
		if (strcmp(OPS[i].name, name) == 0)
			return &OPS[i];
	return NULL;
}

void
step_describe(enum step s, const struct ids *of, struct request *out)
{
	*out = (struct request){ .method = s < STEP_CREATE ? "GET" : "POST" };
	switch (s) {
	case STEP_HEALTH:
		(void)snprintf(out->path, BODY_MAX, "/health");
		break;
	case STEP_GET:
		(void)snprintf(out->path, BODY_MAX, "/api/v1/rooms/%s", of->room);
		break;
	case STEP_SYNC:
		(void)snprintf(out->path, BODY_MAX, "/api/v1/rooms/sync?uid=%s&device_type=app", of->b);
		break;
	case STEP_CREATE:
		(void)snprintf(out->path, BODY_MAX, "/api/v1/rooms");
		(void)snprintf(out->body, BODY_MAX,
		    "{\"creator\":\"%s\",\"uids\":[\"%s\"],\"room_id\":\"%s\",\"device_type\":\"app\"}", of->a, of->b,
		    of->room);
		break;
	case STEP_JOIN_A:
	case STEP_JOIN_B:
		(void)snprintf(out->path, BODY_MAX, "/api/v1/rooms/%s/join", of->room);
		(void)snprintf(out->body, BODY_MAX, "{\"uid\":\"%s\",\"device_type\":\"app\"}",
		    s == STEP_JOIN_A ? of->a : of->b);
		break;
	case STEP_LEAVE_B:
		(void)snprintf(out->path, BODY_MAX, "/api/v1/rooms/%s/leave", of->room);
		(void)snprintf(out->body, BODY_MAX, "{\"uid\":\"%s\"}", of->b);
		break;
	case STEP_COUNT:
		break;
	}
}

size_t
step_write(enum step s, const struct ids *of, const char *key, char out[REQUEST_MAX])
{
	struct request r;
	int n;

	step_describe(s, of, &r);
	n = snprintf(out, REQUEST_MAX, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s%s", r.method, r.path,
	    key[0] != '\0' ? "Authorization: Bearer " : "", key, key[0] != '\0' ? "\r\n" : "");
	if (r.body[0] == '\0')
		n += snprintf(out + n, REQUEST_MAX - (size_t)n, "\r\n");
	else
		n += snprintf(out + n, REQUEST_MAX - (size_t)n,
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(r.body), r.body);
	return (size_t)n;
}
