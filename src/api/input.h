/* input - what handlers share in reading requests: who is meant, from which device, path ids, query
 * numbers. SPDX-License-Identifier: MIT */
#ifndef API_INPUT_H
#define API_INPUT_H

#include "call/ops.h"
#include "http/caller.h"
#include "json/json.h"

#define DEVICE_DEFAULT "app"

/* The person acting: a ticket acts as its own uid, which it need not name, and may name no other;
 * everybody else must name one. ERR_FORBIDDEN, ERR_INVALID_PARAMETERS (field). */
enum err input_uid(struct op *op, const struct caller *who, const char *field, struct str given,
    struct str *uid_out) MUST_CHECK;
/* ERR_INVALID_PARAMETERS naming the field. */
enum err input_refuse(struct op *op, const char *field);
struct access input_access(const struct caller *who, unsigned route_who);
/* An integer of the query; absent leaves *out alone. */
enum err input_query_i64(struct op *op, const struct request *rq, const char *name, int64_t min, int64_t max,
    int64_t *out) MUST_CHECK;
/* A text of the query: empty when absent; refused when ok says no. */
enum err input_query_str(struct op *op, const struct request *rq, const char *name,
    bool (*ok)(struct str), struct str *out) MUST_CHECK;
bool input_device_type_ok(struct str s);
bool input_device_id_ok(struct str s);
/* "room.finished": what a type of event may look like. */
bool input_event_type_ok(struct str s);
/* 16 hex digits, lower case. */
bool input_endpoint_id_ok(struct str s);
/* "a,b" -> each of them; absent: none. */
enum err input_query_types(struct op *op, const struct request *rq, struct json_strs *out) MUST_CHECK;

/* A page's end as an opaque text, and back. */
struct str cursor_make(struct op *op, const struct call *last);
enum err cursor_read(struct op *op, const struct request *rq, struct list_filter *f) MUST_CHECK;

#endif
