/* SHA-256 and HMAC-SHA-256 against the published vectors (FIPS 180-4, RFC 4231).
 * SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

#include <string.h>

#include "base/codec.h"
#include "support/unit.h"

static void
check_hex(const uint8_t bytes[SHA256_BYTES], const char *hex)
{
	uint8_t want[SHA256_BYTES];

	ck_assert(hex_decode(str_of(hex), want, sizeof(want)));
	ck_assert_mem_eq(bytes, want, sizeof(want));
}

static const struct { const char *text, *hex; } SHA[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(sha256_as_published)
{
	uint8_t out[SHA256_BYTES];

	digest_sha256(str_of(SHA[_i].text), out);
	check_hex(out, SHA[_i].hex);
}
END_TEST

START_TEST(sha256_of_nothing_and_of_a_million)
{
	static char many[1000000];
	uint8_t out[SHA256_BYTES];

	digest_sha256((struct str){ NULL, 0 }, out);
	check_hex(out, SHA[0].hex);
	memset(many, 'a', sizeof(many));
	digest_sha256((struct str){ many, sizeof(many) }, out);
	check_hex(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

/* key: `n_key` times key_byte, or the text where n_key is 0 */
static const struct { const char *key; size_t n_key; int key_byte; const char *data; size_t n_data;
    int data_byte; const char *hex; } HMAC[] = {
	{ NULL, 20, 0x0b, "Hi There", 0, 0,
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "Jefe", 0, 0, "what do ya want for nothing?", 0, 0,
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ NULL, 20, 0xaa, NULL, 50, 0xdd,
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
	  "\x18\x19", 0, 0, NULL, 50, 0xcd,
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	{ NULL, 131, 0xaa, "Test Using Larger Than Block-Size Key - Hash Key First", 0, 0,
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ "", 0, 0, "", 0, 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

static struct str
text_or_run(const char *text, char *room, size_t n, int byte)
{
	if (text != NULL)
		return str_of(text);
	memset(room, byte, n);
	return (struct str){ room, n };
}

START_TEST(hmac_as_published)
{
	char key[256], data[256];
	uint8_t out[SHA256_BYTES];

	digest_hmac_sha256(text_or_run(HMAC[_i].key, key, HMAC[_i].n_key, HMAC[_i].key_byte),
	    text_or_run(HMAC[_i].data, data, HMAC[_i].n_data, HMAC[_i].data_byte), out);
	check_hex(out, HMAC[_i].hex);
}
END_TEST

START_TEST(hmac_of_no_key_at_all_is_that_of_the_empty_key)
{
	uint8_t out[SHA256_BYTES];

	digest_hmac_sha256((struct str){ NULL, 0 }, (struct str){ NULL, 0 }, out);
	check_hex(out, HMAC[N_ELEMS(HMAC) - 1].hex);
}
END_TEST

START_TEST(equal_looks_at_every_byte)
{
	uint8_t a[SHA256_BYTES] = { 0 }, b[SHA256_BYTES] = { 0 };

	ck_assert(digest_equal(a, b, sizeof(a)));
	b[_i] = 1;
	ck_assert(!digest_equal(a, b, sizeof(a)));
	ck_assert(digest_equal(a, b, (size_t)_i));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("crypto/digest");
	TCase *tc = tcase_create("digest");

	tcase_add_loop_test(tc, sha256_as_published, 0, N_ELEMS(SHA));
	tcase_add_test(tc, sha256_of_nothing_and_of_a_million);
	tcase_add_loop_test(tc, hmac_as_published, 0, N_ELEMS(HMAC));
	tcase_add_test(tc, hmac_of_no_key_at_all_is_that_of_the_empty_key);
	tcase_add_loop_test(tc, equal_looks_at_every_byte, 0, SHA256_BYTES);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
