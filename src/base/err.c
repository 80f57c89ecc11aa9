/* err.c - the table of base/err.h, ready to be looked up.
 * SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <assert.h>

static const struct { const char *key; int http; enum blame blame; } ROWS[ERR_COUNT] = {
#define X(name, key, http, blame) [ERR_##name] = { key, http, blame },
	ERR_ROWS(X)
#undef X
};

const char *
err_key(enum err e)
{
	assert(e >= 0 && e < ERR_COUNT);
	return ROWS[e].key;
}

int
err_http(enum err e)
{
	assert(e >= 0 && e < ERR_COUNT);
	return ROWS[e].http;
}

enum blame
err_blame(enum err e)
{
	assert(e >= 0 && e < ERR_COUNT);
	return ROWS[e].blame;
}
