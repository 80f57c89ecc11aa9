/* How the address of a receiver is shown. SPDX-License-Identifier: MIT */
#include <check.h>

#include "conf/conf_url.h"
#include "support/unit.h"

static const struct {
	const char *url, *masked;
} CASES[] = {
	{ "https://host/robot", "https://host/robot" },
	{ "https://host/robot?access_token=abc", "https://host/robot?***" },
	{ "https://host?key=abc", "https://host?***" },
	{ "https://host/robot?", "https://host/robot?" },
	{ "https://host/robot?a=b?c=d&e=f@g", "https://host/robot?***" },
	{ "HTTP://u:p@host:8080/robot?k=v", "HTTP://***@host:8080/robot?***" },
	{ "http://u:p@[::1]:80?k", "http://***@[::1]:80?***" },
	{ "http://u:p@host/a@b", "http://***@host/a@b" },
	{ "http://host/?x=/@", "http://host/?***" },
	/* What is no address may still hold one's query. */
	{ "host/robot?access_token=abc", "host/robot?***" },
	{ "", "" },
};

START_TEST(shown)
{
	char text[100];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	url_mask(str_of(CASES[_i].url), &b);
	ck_assert_str_eq(b.at, CASES[_i].masked);
}
END_TEST

/* What is kept of a failed try has its query: the name and number of the event are in it. */
START_TEST(shown_with_its_query)
{
	char text[100];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	url_mask_user(S("http://u:p@host/robot?k=v@w"), &b);
	ck_assert_str_eq(b.at, "http://***@host/robot?k=v@w");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_url");
	TCase *tc = tcase_create("core");

	tcase_add_loop_test(tc, shown, 0, N_ELEMS(CASES));
	tcase_add_test(tc, shown_with_its_query);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
