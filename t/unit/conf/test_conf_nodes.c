/* LIVEKIT_NODES and LIVEKIT_REGIONS: what is taken, what is refused, and how they are shown.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_nodes.h"

#include "support/unit.h"

static struct conf c;

static void
set_up(void)
{
	c = (struct conf){ .own = arena_new(4 << 20), .node_port = 7880 };
}

static void
tear_down(void)
{
	arena_free(c.own);
}

static const struct { const char *list; size_t n; const char *shown; } LISTS[] = {
	{ "", 0, "" },
	{ " , ,", 0, "" },
	{ "10.0.0.1", 1, "10.0.0.1:7880" },
	{ "node-1:7890 , node-1", 2, "node-1:7890,node-1:7880" },
	{ "[fd00::1],[fd00::2]:1", 2, "[fd00::1]:7880,[fd00::2]:1" },
	{ "a;url=wss://a.example;region=cn;weight=300", 1, "a:7880;url=wss://a.example;region=cn;weight=300" },
	{ "a ; weight = 100 ; region = eu ;", 1, "a:7880;region=eu" },
	{ "a;ip=203.0.113.7,b;ip=fd00::1", 2, "a:7880;ip=203.0.113.7,b:7880;ip=fd00::1" },
};

START_TEST(lists)
{
	char text[512];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	ck_assert(conf_nodes_parse(&c, str_of(LISTS[_i].list)));
	ck_assert(conf_nodes_settle(&c));
	ck_assert_uint_eq(c.n_nodes, LISTS[_i].n);
	conf_nodes_show(&c, &b);
	ck_assert_str_eq(text, LISTS[_i].shown);
}
END_TEST

static const char *const WRONG[] = {
	"a b", "a:0", "a:65536", "a:x", "a:", ":7880", "[fd00::1", "[]:1", "fd00::1", "http://a", "a/b", "u@a", "a?b",
	"a,a", "A:1,a:1", "a;b", "a;colour=red", "a;weight=0", "a;weight=1001", "a;weight=x", "a;url=", "a;url=ftp://a",
	"a;url=wss://a/", "a;region=", "a;region=x:y", "a;ip=", "a;ip=b", "a;ip=10.0.0.0/8", "a;ip=10.0.0.1:7880",
};

START_TEST(wrong_lists)
{
	ck_assert(!conf_nodes_parse(&c, str_of(WRONG[_i])));
}
END_TEST

static const struct { const char *list; bool ok; const char *shown; } REGIONS[] = {
	{ "", true, "" },
	{ "cn:31.2:121.5, eu:50.1:-8.75", true, "cn:31.2:121.5,eu:50.1:-8.75" },
	{ "eu:52.520008:13.404954", true, "eu:52.520008:13.404954" },
	{ "a:.5:+1.", true, "a:0.5:1" }, { "a:0.12345678949:-0.1000", true, "a:0.123456789:-0.1" },
	{ "a:90:180,b:-90:-180", true, "a:90:180,b:-90:-180" },
	{ "a:91:0", false, NULL }, { "a:0:181", false, NULL }, { "a:0", false, NULL }, { "a", false, NULL },
	{ ":1:2", false, NULL }, { "a:x:2", false, NULL }, { "a:1:2:3", false, NULL }, { "a::", false, NULL },
	{ "a:1e1:2", false, NULL }, { "a:nan:2", false, NULL },
};

START_TEST(regions)
{
	char text[512];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	ck_assert_int_eq(conf_regions_parse(&c, str_of(REGIONS[_i].list)), REGIONS[_i].ok);
	if (!REGIONS[_i].ok)
		return;
	conf_regions_show(&c, &b);
	ck_assert_str_eq(text, REGIONS[_i].shown);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf/nodes");
	TCase *tc = tcase_create("nodes");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, lists, 0, N_ELEMS(LISTS));
	tcase_add_loop_test(tc, wrong_lists, 0, N_ELEMS(WRONG));
	tcase_add_loop_test(tc, regions, 0, N_ELEMS(REGIONS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
