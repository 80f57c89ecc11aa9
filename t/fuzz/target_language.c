/* language - X-Language, ?lang= and Accept-Language, a NUL between two: one of ours comes out.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "i18n/i18n.h"

static bool
is_ours(const char *lang)
{
	for (size_t i = 0; i < N_LANGS; i++)
		if (lang == LANGS[i])
			return true;
	return false;
}

void
fuzz_language(struct arena *a, struct str data)
{
	struct str x = S(""), query = S(""), accept = data;
	const char *lang;

	(void)a;
	lang = lang_pick(x, query, data);
	holds(is_ours(lang), "Accept-Language gives one of ours");
	(void)(str_split(&accept, '\0', &x) && str_split(&accept, '\0', &query));
	lang = lang_pick(x, query, accept);
	holds(is_ours(lang), "three sources give one of ours");
	holds(lang_match(x) == NULL || lang == lang_match(x), "X-Language that names one of ours is heard first");
	holds(lang_match(data) == NULL || is_ours(lang_match(data)), "a tag is one of ours or none");
	holds(message_of(ERR_UNAUTHORIZED, lang)[0] != '\0', "there is a sentence in it");
}
