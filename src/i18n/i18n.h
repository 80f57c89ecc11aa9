/* i18n - languages and messages. messages.def has a row per error key and a column per language.
 * SPDX-License-Identifier: MIT */
#ifndef I18N_I18N_H
#define I18N_I18N_H

#include "base/err.h"
#include "base/str.h"

#define LANG_DEFAULT "zh-CN"
enum { N_LANGS = 5 };
extern const char *const LANGS[N_LANGS];               /* zh-CN zh-TW en-US fr-FR ja-JP */

/* X-Language, then ?lang=, then Accept-Language (q-values, prefixes: en-GB -> en-US, zh-Hant and zh-HK
 * -> zh-TW, zh -> zh-CN). A source that names none of ours passes on to the next. Never NULL. */
const char *lang_pick(struct str x_language, struct str query, struct str accept_language);
const char *lang_match(struct str tag);                /* one tag; NULL when it is none of ours */

/* The sentence for an error. Never NULL. A `%s` never stands in it: details travel as fields. */
const char *message_of(enum err e, const char *lang);

#endif
