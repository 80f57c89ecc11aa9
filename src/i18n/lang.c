/* lang - which of our languages a request asks for.
 * SPDX-License-Identifier: MIT */
#include "i18n/i18n.h"

const char *const LANGS[N_LANGS] = { "zh-CN", "zh-TW", "en-US", "fr-FR", "ja-JP" };

enum { ZH_CN, ZH_TW, EN_US, FR_FR, JA_JP };

/* The first subtag, cut off *rest. Java and ICU write zh_CN. */
static struct str
next_subtag(struct str *rest)
{
	struct str tag = { rest->at, 0 };

	while (tag.len < rest->len && tag.at[tag.len] != '-' && tag.at[tag.len] != '_')
		tag.len++;
	if (tag.len == rest->len) {
		*rest = S("");
	} else {
		rest->at += tag.len + 1;
		rest->len -= tag.len + 1;
	}
	return tag;
}

/* Traditional or simplified: a script decides, and stands before a region; else the region does. */
static const char *
match_chinese(struct str rest)
{
	while (rest.len > 0) {
		struct str tag = next_subtag(&rest);

		if (str_eq_nocase(tag, S("Hans")))
			return LANGS[ZH_CN];
		if (str_eq_nocase(tag, S("Hant")) || str_eq_nocase(tag, S("TW"))
		    || str_eq_nocase(tag, S("HK")) || str_eq_nocase(tag, S("MO")))
			return LANGS[ZH_TW];
	}
	return LANGS[ZH_CN];
}

const char *
lang_match(struct str tag)
{
	struct str rest = str_trim(tag);
	struct str first = next_subtag(&rest);

	if (str_eq_nocase(first, S("zh")))
		return match_chinese(rest);
	if (str_eq_nocase(first, S("en")))
		return LANGS[EN_US];
	if (str_eq_nocase(first, S("fr")))
		return LANGS[FR_FR];
	if (str_eq_nocase(first, S("ja")))
		return LANGS[JA_JP];
	return NULL;
}

/* "1", "0.8", "0.850" -> thousandths; -1 for what is no weight (RFC 9110, 12.4.2). */
static int
parse_weight(struct str s)
{
	int value = 0, scale = 100;

	if (s.len < 1 || s.len > 5 || (s.at[0] != '0' && s.at[0] != '1') || (s.len > 1 && s.at[1] != '.'))
		return -1;
	value = (s.at[0] - '0') * 1000;
	for (size_t i = 2; i < s.len; i++, scale /= 10) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return -1;
		value += (s.at[i] - '0') * scale;
	}
	return value <= 1000 ? value : -1;
}

/* The weight among an item's parameters, which begin after its first ';'. */
static int
weight_of(struct str params)
{
	struct str param;

	while (str_split(&params, ';', &param)) {
		param = str_trim(param);
		if (param.len >= 2 && (param.at[0] == 'q' || param.at[0] == 'Q') && param.at[1] == '=')
			return parse_weight((struct str){ param.at + 2, param.len - 2 });
	}
	return 1000;
}

/* The heaviest item that is one of ours; the first of two equal ones. */
static const char *
match_list(struct str list)
{
	const char *best = NULL;
	int best_weight = 0;
	struct str item, tag;

	while (str_split(&list, ',', &item)) {
		const char *lang;
		int weight;

		if (!str_split(&item, ';', &tag))
			continue;
		lang = lang_match(tag);
		weight = weight_of(item);
		if (lang != NULL && weight > best_weight) {
			best = lang;
			best_weight = weight;
		}
	}
	return best;
}

const char *
lang_pick(struct str x_language, struct str query, struct str accept_language)
{
	const char *lang = lang_match(x_language);

	if (lang == NULL)
		lang = lang_match(query);
	if (lang == NULL)
		lang = match_list(accept_language);
	return lang != NULL ? lang : LANG_DEFAULT;
}
