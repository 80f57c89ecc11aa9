/* Every error has a sentence of its own in every language.
 * SPDX-License-Identifier: MIT */
#include "i18n/i18n.h"

#include <string.h>

#include "base/utf8.h"
#include "support/unit.h"

enum { ZH_CN, ZH_TW, EN_US, FR_FR, JA_JP };

/* The wire keys that messages.def has rows for. */
static const char *const ROWS[] = {
#define MESSAGE(key, zh_cn, zh_tw, en_us, fr_fr, ja_jp) key,
#include "i18n/messages.def"
#undef MESSAGE
};

static bool
has_byte_over_7f(const char *z)
{
	for (; *z != '\0'; z++) {
		if ((unsigned char)*z >= 0x80)
			return true;
	}
	return false;
}

START_TEST(every_error_has_a_row)
{
	const char *key = err_key((enum err)_i);
	size_t n = 0;

	for (size_t i = 0; i < N_ELEMS(ROWS); i++)
		n += strcmp(ROWS[i], key) == 0;
	ck_assert_msg(n == 1, "%zu rows of %s", n, key);
}
END_TEST

START_TEST(every_row_is_of_an_error)
{
	bool found = false;

	for (int e = 0; e < ERR_COUNT; e++)
		found = found || strcmp(err_key((enum err)e), ROWS[_i]) == 0;
	ck_assert_msg(found, "%s", ROWS[_i]);
}
END_TEST

START_TEST(every_sentence_is_clean_text)
{
	for (size_t l = 0; l < N_LANGS; l++) {
		struct str s = str_of(message_of((enum err)_i, LANGS[l]));

		ck_assert_int_ge(utf8_length(s), 2);
		ck_assert(str_eq(s, str_trim(s)));
		for (size_t i = 0; i < s.len; i++)
			ck_assert((unsigned char)s.at[i] >= 0x20 && s.at[i] != '%' && s.at[i] != '_');
	}
}
END_TEST

START_TEST(languages_differ_from_english)
{
	const char *english = message_of((enum err)_i, LANGS[EN_US]);

	for (size_t l = 0; l < N_LANGS; l++) {
		const char *text = message_of((enum err)_i, LANGS[l]);

		if (l == EN_US)
			continue;
		ck_assert_str_ne(text, english);
		if (l != FR_FR)
			ck_assert_msg(has_byte_over_7f(text), "%s", text);
	}
	ck_assert_msg(!has_byte_over_7f(english), "%s", english);
	ck_assert_str_ne(message_of((enum err)_i, LANGS[JA_JP]),
	    message_of((enum err)_i, LANGS[ZH_CN]));
	ck_assert_str_ne(message_of((enum err)_i, LANGS[JA_JP]),
	    message_of((enum err)_i, LANGS[FR_FR]));
}
END_TEST

/* Two errors say the same exactly when they have the same key. */
START_TEST(errors_differ_from_one_another)
{
	for (int other = 0; other < ERR_COUNT; other++) {
		bool same_key = strcmp(err_key((enum err)_i), err_key((enum err)other)) == 0;

		for (size_t l = 0; l < N_LANGS; l++) {
			bool same_text = strcmp(message_of((enum err)_i, LANGS[l]),
			    message_of((enum err)other, LANGS[l])) == 0;

			ck_assert_msg(same_key == same_text, "%s, %s, %s", err_key((enum err)_i),
			    err_key((enum err)other), LANGS[l]);
		}
	}
}
END_TEST

START_TEST(an_unknown_language_is_the_default)
{
	ck_assert_str_eq(message_of(ERR_ROOM_FULL, "de-DE"),
	    message_of(ERR_ROOM_FULL, LANG_DEFAULT));
	ck_assert_str_eq(message_of(ERR_ROOM_FULL, NULL), message_of(ERR_ROOM_FULL, LANG_DEFAULT));
	ck_assert_str_eq(LANGS[ZH_CN], LANG_DEFAULT);
}
END_TEST

/* One sentence of each column, so that columns cannot change places. */
START_TEST(columns_are_the_languages)
{
	ck_assert_str_eq(message_of(ERR_INTERNAL, "zh-CN"), "服务器内部错误");
	ck_assert_str_eq(message_of(ERR_INTERNAL, "zh-TW"), "伺服器內部錯誤");
	ck_assert_str_eq(message_of(ERR_INTERNAL, "en-US"), "Internal server error");
	ck_assert_str_eq(message_of(ERR_INTERNAL, "fr-FR"), "Erreur interne du serveur");
	ck_assert_str_eq(message_of(ERR_INTERNAL, "ja-JP"), "サーバー内部でエラーが発生しました");
	ck_assert_str_eq(message_of(ERR_SQL_DUPLICATE, "en-US"), "Internal server error");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("i18n/messages");
	TCase *tc = tcase_create("messages");

	tcase_add_loop_test(tc, every_error_has_a_row, 0, ERR_COUNT);
	tcase_add_loop_test(tc, every_row_is_of_an_error, 0, N_ELEMS(ROWS));
	tcase_add_loop_test(tc, every_sentence_is_clean_text, 0, ERR_COUNT);
	tcase_add_loop_test(tc, languages_differ_from_english, 0, ERR_COUNT);
	tcase_add_loop_test(tc, errors_differ_from_one_another, 0, ERR_COUNT);
	tcase_add_test(tc, an_unknown_language_is_the_default);
	tcase_add_test(tc, columns_are_the_languages);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
