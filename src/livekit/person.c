/* person - reads one participant.
 * SPDX-License-Identifier: MIT */
#include "livekit/person.h"

#include "model/ids.h"

/* Beyond it a time in ms overflows. */
static const int64_t SECONDS_MAX = INT64_MAX / 2000;

/* The device as our tokens wrote it: attributes first, then the metadata's JSON. What would not fit
 * its column, or is no text at all, is as good as not said. */
static void
read_device(struct op *op, const struct json *p, struct media_session *out)
{
	const struct json *attributes = json_get(p, "attributes");
	struct str metadata = json_str(json_get(p, "metadata"));
	const struct json *meta = metadata.len > 0 ? json_parse(op->arena, metadata, NULL) : NULL;

	out->device_type = json_str(json_get(attributes, "device_type"));
	if (out->device_type.len == 0)
		out->device_type = json_str(json_get(meta, "device_type"));
	out->device_id = json_str(json_get(attributes, "device_id"));
	if (out->device_id.len == 0)
		out->device_id = json_str(json_get(meta, "device_id"));
	if (!text_ok(out->device_type, 1, DEVICE_TYPE_MAX))
		out->device_type = S("");
	if (!text_ok(out->device_id, 1, DEVICE_ID_MAX))
		out->device_id = S("");
}

static const struct json *
get(const struct json *p, const char *camel, const char *snake)
{
	const struct json *v = json_get(p, camel);

	return v != NULL ? v : json_get(p, snake);
}

bool
person_read(struct op *op, const struct json *p, struct media_session *out)
{
	struct str kind = json_str(json_get(p, "kind"));
	bool hidden = json_is_true(json_get(json_get(p, "permission"), "hidden"));
	int64_t at;

	*out = (struct media_session){ .uid = json_str(json_get(p, "identity")),
	    .sid = json_str(json_get(p, "sid")) };
	if (json_i64(get(p, "joinedAtMs", "joined_at_ms"), &at) && at > 0)
		out->joined_at_ms = at;
	else if (json_i64(get(p, "joinedAt", "joined_at"), &at) && at > 0 && at <= SECONDS_MAX)
		out->joined_at_ms = at * 1000 + 999;        /* the latest it can mean */
	read_device(op, p, out);
	return (kind.len == 0 || str_eq(kind, S("STANDARD"))) && !hidden && id_ok(out->uid) &&
	    out->sid.len > 0 && out->sid.len <= SID_MAX;
}
