/* Which language a request gets.
 * SPDX-License-Identifier: MIT */
#include "i18n/i18n.h"

#include "support/unit.h"

static const struct { const char *tag, *lang; } TAGS[] = {
	    { "zh-CN", "zh-CN" }, { "zh-TW", "zh-TW" }, { "en-US", "en-US" }, { "fr-FR", "fr-FR" },
	{ "ja-JP", "ja-JP" },
	{ "zh", "zh-CN" }, { "en", "en-US" }, { "fr", "fr-FR" }, { "ja", "ja-JP" },
	{ "ZH-cn", "zh-CN" }, { "zh-tw", "zh-TW" }, { "EN-us", "en-US" }, { "Fr", "fr-FR" },
	{ "JA", "ja-JP" },
	{ "en-GB", "en-US" }, { "en-AU", "en-US" }, { "fr-CA", "fr-FR" }, { "ja-Latn", "ja-JP" },
	{ "zh-HK", "zh-TW" }, { "zh-MO", "zh-TW" }, { "zh-SG", "zh-CN" }, { "zh-MY", "zh-CN" },
	{ "zh-Hant", "zh-TW" }, { "zh-Hans", "zh-CN" }, { "zh-Hant-HK", "zh-TW" },
	{ "zh-Hant-CN", "zh-TW" },
	{ "zh-Hans-HK", "zh-CN" }, { "zh-Hans-TW", "zh-CN" }, { "zh-hant-tw-x-a", "zh-TW" },
	{ "zh-yue-HK", "zh-TW" }, { "zh_TW", "zh-TW" }, { "en_US", "en-US" },
	{ "zh_Hant_HK", "zh-TW" },
	{ " en-US ", "en-US" },
	{ "", NULL }, { " ", NULL }, { "-", NULL }, { "*", NULL }, { "de", NULL },
	{ "de-DE", NULL }, { "ko-KR", NULL },
	{ "eng", NULL }, { "e", NULL }, { "english", NULL }, { "zho", NULL }, { "x-en", NULL },
	{ "TW", NULL },
	{ "-en", NULL }, { "en;q=1", NULL }, { "fra", NULL },
};

START_TEST(one_tag)
{
	const char *lang = lang_match(str_of(TAGS[_i].tag));

	if (TAGS[_i].lang == NULL) {
		ck_assert_msg(lang == NULL, "%s", TAGS[_i].tag);
		return;
	}
	ck_assert_msg(lang != NULL, "%s", TAGS[_i].tag);
	ck_assert_str_eq(lang, TAGS[_i].lang);
}
END_TEST

static const struct { const char *accept, *lang; } ACCEPT[] = {
	{ "en-US", "en-US" }, { "en-US,en;q=0.9", "en-US" }, { "en-GB,en;q=0.9", "en-US" },
	{ "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr-FR" },
	{ "de-DE,de;q=0.9,ja;q=0.3,en;q=0.8", "en-US" }, { "ja;q=0.2,fr;q=0.9", "fr-FR" },
	{ "en;q=0.5,ja;q=0.5", "en-US" }, { "ja;q=0.5,en;q=0.5", "ja-JP" },
	{ "en;q=0.001,ja;q=0.002", "ja-JP" }, { "en;q=0.85,ja;q=0.9", "ja-JP" },
	{ "en;q=0.10,ja;q=0.1", "en-US" },
	{ "zh-HK,zh;q=0.9,en;q=0.8", "zh-TW" }, { "zh-Hant;q=0.9,zh-Hans;q=0.8", "zh-TW" },
	{ "en;q=0,ja;q=0.1", "ja-JP" }, { "en;q=0.000,ja;q=0.1", "ja-JP" }, { "en;q=0", "zh-CN" },
	{ " en ; q=0.3 , ja ;q=0.7", "ja-JP" }, { "en;Q=0.3,ja;Q=0.7", "ja-JP" },
	{ "en;level=1;q=0.1,ja;q=0.2", "ja-JP" }, { "en;q=1.000,ja", "en-US" },
	/* what is no weight takes its item out */
	{ "en;q=2,ja;q=0.1", "ja-JP" }, { "en;q=1.001,ja;q=0.1", "ja-JP" },
	{ "en;q=,ja;q=0.1", "ja-JP" },
	{ "en;q=-1,ja;q=0.1", "ja-JP" }, { "en;q=x,ja;q=0.1", "ja-JP" },
	{ "en;q=0.1234,ja;q=0.01", "ja-JP" },
	{ "en;q=.5,ja;q=0.1", "ja-JP" }, { "en;q=0x1,ja;q=0.1", "ja-JP" },
	{ "en;q=0.,ja;q=0.1", "ja-JP" },
	/* none of ours */
	{ "", "zh-CN" }, { "*", "zh-CN" }, { "de-DE,ko;q=0.9", "zh-CN" }, { ",,;,;q=1,", "zh-CN" },
	{ ",en", "en-US" }, { ";q=0.5,en", "en-US" }, { "*;q=1,en;q=0.1", "en-US" },
};

START_TEST(accept_language)
{
	ck_assert_str_eq(lang_pick(S(""), S(""), str_of(ACCEPT[_i].accept)), ACCEPT[_i].lang);
	/* the same without a NUL behind it, and with nothing there at all */
	ck_assert_str_eq(lang_pick((struct str){ NULL, 0 }, (struct str){ NULL, 0 },
	    str_of(ACCEPT[_i].accept)), ACCEPT[_i].lang);
}
END_TEST

static const struct { const char *header, *query, *accept, *lang; } SOURCES[] = {
	{ "", "", "", "zh-CN" },
	{ "ja-JP", "fr-FR", "en-US", "ja-JP" },
	{ "", "fr-FR", "en-US", "fr-FR" },
	{ "", "", "en-US", "en-US" },
	{ "de-DE", "fr-FR", "en-US", "fr-FR" },
	{ "de-DE", "ko", "en-US", "en-US" },
	{ "de-DE", "ko", "es", "zh-CN" },
	{ "en-GB", "", "", "en-US" },
	{ "zh", "en", "en", "zh-CN" },
	{ "", "zh_HK", "en", "zh-TW" },
};

START_TEST(a_source_that_names_none_of_ours_passes_on)
{
	ck_assert_str_eq(lang_pick(str_of(SOURCES[_i].header), str_of(SOURCES[_i].query),
	    str_of(SOURCES[_i].accept)), SOURCES[_i].lang);
}
END_TEST

START_TEST(our_languages_match_themselves)
{
	ck_assert_str_eq(lang_match(str_of(LANGS[_i])), LANGS[_i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("i18n/lang");
	TCase *tc = tcase_create("lang");

	tcase_add_loop_test(tc, one_tag, 0, N_ELEMS(TAGS));
	tcase_add_loop_test(tc, accept_language, 0, N_ELEMS(ACCEPT));
	tcase_add_loop_test(tc, a_source_that_names_none_of_ours_passes_on, 0, N_ELEMS(SOURCES));
	tcase_add_loop_test(tc, our_languages_match_themselves, 0, N_LANGS);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
