/* strict_json - a second opinion on JSON: RFC 8259 by the letter, written apart from src/json and sharing nothing with it.
 * SPDX-License-Identifier: MIT */
#ifndef FUZZ_STRICT_JSON_H
#define FUZZ_STRICT_JSON_H

#include "base/arena.h"

struct strict_rules {
	unsigned depth_max;
	bool nul_ok;          /* \u0000 */
	bool twice_ok;        /* one key twice in an object */
};

/* Whether text is JSON; then *canonical_out (may be NULL) is it without blanks, with each text in its shortest form and
 * whole numbers without a sign on zero; fractions as they were. */
bool strict_json(struct arena *a, struct str text, const struct strict_rules *rules, struct str *canonical_out);

#endif
