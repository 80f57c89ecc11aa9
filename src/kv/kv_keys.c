/* kv_keys - every name we use in Redis, in one table.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_private.h"

const struct kv_key KV_KEYS[] = {
	[KV_KEY_ROOM] = { "tgo:room:<room_id>", 600,
		"the next look-up of the room reads the database" },
	[KV_KEY_WAKE] = { "tgo:wake", 0,
		"a channel: the jobs find the deadline when they next look by themselves" },
	[KV_KEY_HOOK_TROUBLE] = { "tgo:hook-trouble", 600,
		"calls are held against LiveKit's lists as seldom as if its webhooks came in time" },
	[KV_KEY_NUMBERED] = { "tgo:numbered", 0,
		"a channel: the jobs find the events when they next look by themselves" },
	[KV_KEY_NODES_DOWN] = { "tgo:nodes:down", 600,
		"a node that does not answer is found out anew" },
	[KV_KEY_NODES_DRAINED] = { "tgo:nodes:drained", 600,
		"who is drained is asked of the database, until the jobs copy it from there" },
	[KV_KEY_NODES_GIVEN] = { "tgo:nodes:given:<n>", 20,
		"the calls of the last seconds spread less evenly over the nodes" },
	[KV_KEY_RATE] = { "tgo:rate:<what>:<who>", 60,
		"who was at its limit begins a new window; TTL: the limit's window" },
};
const size_t N_KV_KEYS = N_ELEMS(KV_KEYS);

int64_t
kv_room_ttl_s(void)
{
	return KV_KEYS[KV_KEY_ROOM].ttl_s;
}

void
kv_key(struct strbuf *to, enum kv_key_name key, struct str what)
{
	struct str rest = str_of(KV_KEYS[key].pattern), head;

	(void)str_split(&rest, '<', &head);
	strbuf_add(to, head);
	if (rest.at != NULL)
		strbuf_add(to, what);
}

const char *
kv_channel_name(enum kv_channel channel)
{
	return KV_KEYS[channel == KV_NUMBERED ? KV_KEY_NUMBERED : KV_KEY_WAKE].pattern;
}
