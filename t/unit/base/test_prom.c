/* Prometheus' text: what a label's value cannot do.
 * SPDX-License-Identifier: MIT */
#include "base/prom.h"

#include <string.h>

#include "support/unit.h"

enum { TEXT_MAX = 1024 };

static const struct {
	struct str value;
	const char *printed;
} VALUES[] = {
	{ { "10.0.0.1:7880", 13 }, "10.0.0.1:7880" },
	{ { "", 0 }, "" },
	{ { "a\"} 1\nfake{b=\"", 14 }, "a\\\"} 1?fake{b=\\\"" },
	{ { "back\\slash", 10 }, "back\\\\slash" },
	{ { "ends\\", 5 }, "ends\\\\" },
	{ { "tab\tnul\0del\x7f", 12 }, "tab?nul?del?" },
	{ { "节点", 6 }, "节点" },
	{ { "half \xe8\x8a", 7 }, "half ??" },
	{ { "\xff\xfe", 2 }, "??" },
};

START_TEST(a_value_stays_a_value)
{
	const struct prom_label l = { "node", VALUES[_i].value };
	char text[TEXT_MAX], wanted[TEXT_MAX];
	struct strbuf b, w;

	strbuf_init(&b, text, sizeof(text));
	prom_i64(&b, "x", &l, 1, -7);
	strbuf_init(&w, wanted, sizeof(wanted));
	strbuf_addf(&w, "x{node=\"%s\"} -7\n", VALUES[_i].printed);
	ck_assert(strbuf_ok(&b) && strbuf_ok(&w));
	ck_assert_str_eq(text, wanted);
}
END_TEST

START_TEST(lines)
{
	const struct prom_label l[] = { { "a", S("1") }, { "b", S("2") } };
	char text[TEXT_MAX];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	prom_family(&b, "x", "gauge", "What it is.");
	prom_i64(&b, "x", NULL, 0, 3);
	prom_milli(&b, "x", l, 2, 1005);
	prom_milli(&b, "x", NULL, 0, -1500);
	prom_series(&b, "x", "_bucket", l, 1);
	ck_assert_str_eq(text, "# HELP x What it is.\n# TYPE x gauge\nx 3\nx{a=\"1\",b=\"2\"} 1.005\nx -1.500\n"
	    "x_bucket{a=\"1\"} ");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("prom");
	TCase *tc = tcase_create("prom");

	tcase_add_loop_test(tc, a_value_stays_a_value, 0, N_ELEMS(VALUES));
	tcase_add_test(tc, lines);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
