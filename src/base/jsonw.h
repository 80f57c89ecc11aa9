/* jsonw - writes one JSON document into a strbuf: logs, replies, events and token claims share it.
 * Shape:     compact JSON. Raw UTF-8, '/' not escaped, control characters (C1 too),
 *            U+2028, U+2029, '"' and '\' escaped; a byte that
 *            is not strict UTF-8 becomes U+FFFD. Commas are its business.
 * Errors:    sticky in the strbuf. Nesting over 32, an end that does not match, a second value at the
 *            top, a key too much or missing also fail the strbuf.
 * Keys:      inside an object every value call takes its key; inside an array (or at the top) pass NULL. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include "base/strbuf.h"

struct jsonw {
	struct strbuf *to;
	unsigned depth;
	bool comma[33];       /* per depth: a value stands already */
	bool object[33];      /* per depth: values have keys */
};

void jsonw_init(struct jsonw *w, struct strbuf *to);
void jsonw_obj(struct jsonw *w, const char *key);
void jsonw_obj_end(struct jsonw *w);
void jsonw_arr(struct jsonw *w, const char *key);
void jsonw_arr_end(struct jsonw *w);
void jsonw_str(struct jsonw *w, const char *key, struct str v);
void jsonw_z(struct jsonw *w, const char *key, const char *v);        /* NULL writes "" */
void jsonw_i64(struct jsonw *w, const char *key, int64_t v);
void jsonw_bool(struct jsonw *w, const char *key, bool v);
void jsonw_null(struct jsonw *w, const char *key);
void jsonw_raw(struct jsonw *w, const char *key, struct str json);    /* already a JSON value */
void jsonw_strs(struct jsonw *w, const char *key, const struct str *v, size_t n);
/* The longest beginning of v, in whole characters, that jsonw_str writes within `room` bytes, quotes
 * included; v itself when all of it does. */
struct str jsonw_fit(struct str v, size_t room);
bool jsonw_done(const struct jsonw *w) MUST_CHECK;                    /* balanced and not failed */

#endif
