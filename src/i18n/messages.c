/* messages - the table of messages.def and the search in it.
 * SPDX-License-Identifier: MIT */
#include "i18n/i18n.h"

struct message {
	const char *key;
	const char *text[N_LANGS];
};

static const struct message MESSAGES[] = {
#define MESSAGE(key, zh_cn, zh_tw, en_us, fr_fr, ja_jp) { key, { zh_cn, zh_tw, en_us, fr_fr, ja_jp } },
#include "i18n/messages.def"
#undef MESSAGE
};

static size_t
column_of(const char *lang)
{
	for (size_t i = 0; i < N_LANGS; i++) {
		if (str_eq(str_of(lang), str_of(LANGS[i])))
			return i;
	}
	return 0;
}

static const struct message *
row_of(const char *key)
{
	for (size_t i = 0; i < N_ELEMS(MESSAGES); i++) {
		if (str_eq(str_of(key), str_of(MESSAGES[i].key)))
			return &MESSAGES[i];
	}
	return NULL;
}

const char *
message_of(enum err e, const char *lang)
{
	const struct message *row = row_of(err_key(e));

	/* A key without a row is our mistake (a test holds the two tables together), not the caller's. */
	if (row == NULL)
		row = row_of(err_key(ERR_INTERNAL));
	return row == NULL ? "" : row->text[column_of(lang)];
}
