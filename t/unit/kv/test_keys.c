/* Every name we use in Redis: its prefix, its end, and how it is made.
 * SPDX-License-Identifier: MIT */
#include "kv/kv_private.h"

#include <string.h>

#include "support/unit.h"

START_TEST(every_key_is_ours_ends_and_says_what_its_loss_means)
{
	const struct kv_key *k = &KV_KEYS[_i];

	ck_assert(str_starts(str_of(k->pattern), S("tgo:")));
	ck_assert_uint_gt(strlen(k->loss), 10);
	/* A channel holds nothing; everything that does runs out. */
	ck_assert(k->ttl_s > 0 || str_starts(str_of(k->loss), S("a channel")));
}
END_TEST

static const struct { enum kv_key_name key; const char *what, *want; } MADE[] = {
	{ KV_KEY_ROOM, "r1", "tgo:room:r1" },
	{ KV_KEY_ROOM, "", "tgo:room:" },
	{ KV_KEY_ROOM, "a b<c>%s", "tgo:room:a b<c>%s" },
	{ KV_KEY_WAKE, "ignored", "tgo:wake" },
	{ KV_KEY_NUMBERED, "ignored", "tgo:numbered" },
};

START_TEST(keys_as_the_table_says)
{
	char storage[64];
	struct strbuf b;

	strbuf_init(&b, storage, sizeof(storage));
	kv_key(&b, MADE[_i].key, str_of(MADE[_i].what));
	ck_assert_str_eq(storage, MADE[_i].want);
}
END_TEST

START_TEST(a_key_too_long_fails)
{
	char storage[16];
	struct strbuf b;

	strbuf_init(&b, storage, sizeof(storage));
	kv_key(&b, KV_KEY_ROOM, S("0123456789"));
	ck_assert(!strbuf_ok(&b));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("kv/keys");
	TCase *tc = tcase_create("keys");

	tcase_add_loop_test(tc, every_key_is_ours_ends_and_says_what_its_loss_means, 0, KV_KEY_COUNT);
	tcase_add_loop_test(tc, keys_as_the_table_says, 0, N_ELEMS(MADE));
	tcase_add_test(tc, a_key_too_long_fails);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
