/* kv_keys - every name we use in Redis, in one table.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_private.h"

const struct kv_key KV_KEYS[] = {
	[KV_KEY_ROOM] = { "tgo:room:<room_id>", 600,
		"the next look-up of the room reads the database" },
	[KV_KEY_WAKE] = { "tgo:wake", 0,
		"a channel: the jobs find the deadline when they next look by themselves" },
};
const size_t N_KV_KEYS = N_ELEMS(KV_KEYS);

void
kv_key(struct strbuf *to, enum kv_key_name key, struct str what)
{
	struct str rest = str_of(KV_KEYS[key].pattern), head;

	(void)str_split(&rest, '<', &head);
	strbuf_add(to, head);
	if (rest.at != NULL)
		strbuf_add(to, what);
}
