/* test_codec.c - hex, base64, base64url: the vectors of RFC 4648, and what decoders refuse.
 * SPDX-License-Identifier: MIT */
#include "base/codec.h"

#include <string.h>

#include "support/unit.h"

static const struct { const char *plain, *hex, *b64, *b64url; } VECTORS[] = {
	{ "", "", "", "" },
	{ "f", "66", "Zg==", "Zg" },
	{ "fo", "666f", "Zm8=", "Zm8" },
	{ "foo", "666f6f", "Zm9v", "Zm9v" },
	{ "foob", "666f6f62", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "666f6f6261", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "666f6f626172", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbe", "fbffbe", "+/++", "-_--" },
};
START_TEST(vectors_both_ways)
{
	char text[3][64];
	struct strbuf b[3];
	uint8_t out[64];
	size_t n = strlen(VECTORS[_i].plain), got;

	for (int i = 0; i < 3; i++)
		strbuf_init(&b[i], text[i], sizeof(text[i]));
	hex_encode(&b[0], VECTORS[_i].plain, n);
	base64_encode(&b[1], VECTORS[_i].plain, n);
	base64url_encode(&b[2], VECTORS[_i].plain, n);
	ck_assert_str_eq(text[0], VECTORS[_i].hex);
	ck_assert_str_eq(text[1], VECTORS[_i].b64);
	ck_assert_str_eq(text[2], VECTORS[_i].b64url);

	ck_assert(hex_decode(strbuf_str(&b[0]), out, n));
	ck_assert_mem_eq(out, VECTORS[_i].plain, n);
	got = n;                                   /* room for exactly that */
	ck_assert(base64_decode(strbuf_str(&b[1]), out, &got));
	ck_assert_uint_eq(got, n);
	ck_assert_mem_eq(out, VECTORS[_i].plain, n);
	got = sizeof(out);
	ck_assert(base64url_decode(strbuf_str(&b[2]), out, &got));
	ck_assert_uint_eq(got, n);
	ck_assert_mem_eq(out, VECTORS[_i].plain, n);
	if (n > 0) {
		got = n - 1;
		ck_assert(!base64url_decode(strbuf_str(&b[2]), out, &got));
	}
}
END_TEST

static const char *const NOT_BASE64[] = {
	"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v\n", " Zg=", "Z\ng=",
	"-_--", "Zm=v", "Zm9vY", "=Zg=",
};
START_TEST(base64_refuses)
{
	uint8_t out[64];
	size_t n = sizeof(out);

	ck_assert(!base64_decode(str_of(NOT_BASE64[_i]), out, &n));
}
END_TEST

static const char *const NOT_BASE64URL[] = { "Zg==", "Zm8=", "Zh", "Zm9", "+/++", "Z", "Zm9vY", "Zg " };
START_TEST(base64url_refuses)
{
	uint8_t out[64];
	size_t n = sizeof(out);

	ck_assert(!base64url_decode(str_of(NOT_BASE64URL[_i]), out, &n));
}
END_TEST

START_TEST(hex_in_both_cases_but_nothing_else)
{
	uint8_t out[2];

	ck_assert(hex_decode(S("aBCd"), out, 2));
	ck_assert_uint_eq(out[0], 0xab);
	ck_assert_uint_eq(out[1], 0xcd);
	ck_assert(!hex_decode(S("abc"), out, 2));
	ck_assert(!hex_decode(S("abcde"), out, 2));
	ck_assert(!hex_decode(S("abcdef"), out, 2));
	ck_assert(!hex_decode(S("abcg"), out, 2));
	ck_assert(!hex_decode(S("0xab"), out, 2));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/codec");
	TCase *tc = tcase_create("codec");

	tcase_add_loop_test(tc, vectors_both_ways, 0, N_ELEMS(VECTORS));
	tcase_add_loop_test(tc, base64_refuses, 0, N_ELEMS(NOT_BASE64));
	tcase_add_loop_test(tc, base64url_refuses, 0, N_ELEMS(NOT_BASE64URL));
	tcase_add_test(tc, hex_in_both_cases_but_nothing_else);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
