/* conf_lists - options that are comma lists: pairs, networks, times.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_lists.h"

#include "base/codec.h"
#include "conf/conf_parse.h"

enum { LIST_MAX = 1024, SHA256_BYTES = 32 };

bool
conf_next_item(struct str *rest, struct str *item_out)
{
	while (str_split(rest, ',', item_out)) {
		*item_out = str_trim(*item_out);
		if (item_out->len > 0)
			return true;
	}
	return false;
}

static size_t
count_items(struct str list)
{
	struct str item;
	size_t n = 0;

	while (conf_next_item(&list, &item))
		n++;
	return n;
}

/* "name:value"; white space may stand around the colon, but not inside. */
static bool
split_pair(struct str item, struct name_value *out)
{
	struct str rest = item;

	if (!str_split(&rest, ':', &out->name) || rest.at == NULL)
		return false;
	out->name = str_trim(out->name);
	out->value = str_trim(rest);
	for (size_t i = 0; i < item.len; i++) {
		const char *at = item.at + i;
		bool inside = (at >= out->name.at && at < out->name.at + out->name.len) ||
		    (at >= out->value.at && at < out->value.at + out->value.len);

		if (inside && (*at <= ' ' || *at > '~'))
			return false;
	}
	return out->name.len > 0 && out->value.len > 0;
}

bool
conf_sha256(struct arena *a, struct str *v)
{
	uint8_t hash[SHA256_BYTES];
	struct strbuf b;

	if (!hex_decode(*v, hash, sizeof(hash)))
		return false;
	strbuf_init_arena(&b, a, 2 * sizeof(hash) + 1, 2 * sizeof(hash) + 1);
	hex_encode(&b, hash, sizeof(hash));
	*v = strbuf_str(&b);
	return true;
}

static bool
is_key_hash(struct arena *a, struct name_value *nv)
{
	return nv->name.len <= 64 && conf_sha256(a, &nv->value);
}

bool
conf_pairs_parse(struct conf *c, enum conf_type type, struct str list)
{
	size_t n = count_items(list), i = 0;
	struct name_value *pairs;
	struct str item;

	if (n > LIST_MAX)
		return false;
	pairs = arena_array(c->own, n, sizeof(*pairs));
	for (; conf_next_item(&list, &item); i++) {
		if (!split_pair(item, &pairs[i]))
			return false;
		if (type == CONF_API_KEYS && !is_key_hash(c->own, &pairs[i]))
			return false;
		pairs[i].name = arena_str(c->own, pairs[i].name);
		pairs[i].value = arena_str(c->own, pairs[i].value);
	}
	if (type == CONF_API_KEYS) {
		c->api_keys = pairs;
		c->n_api_keys = n;
	} else {
		c->livekit_keys = pairs;
		c->n_livekit_keys = n;
	}
	return true;
}

bool
conf_cidrs_parse(struct conf *c, struct str list)
{
	size_t n = count_items(list), i = 0;
	struct cidr *nets;
	struct str item;

	if (n > LIST_MAX)
		return false;
	nets = arena_array(c->own, n, sizeof(*nets));
	while (conf_next_item(&list, &item))
		if (!cidr_parse(item, &nets[i++]))
			return false;
	c->open_networks = nets;
	c->n_open_networks = n;
	return true;
}

bool
conf_seconds_list(struct str list, int64_t min_ms, int64_t max_ms, struct ms_list *out)
{
	struct ms_list found = { .n = 0 };
	struct str item;

	while (conf_next_item(&list, &item)) {
		if (found.n == N_ELEMS(found.at) || !conf_seconds(item, min_ms, max_ms, &found.at[found.n]))
			return false;
		found.n++;
	}
	if (found.n == 0)
		return false;
	*out = found;
	return true;
}
