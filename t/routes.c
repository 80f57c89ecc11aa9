/* routes - prints the table of routes, one a line: method, full path, who may call it, longest body. For
 * the test that holds docs/openapi.json and the table together. SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "api/routes.h"

static const struct { unsigned bit; const char *word; } WORDS[] = {
	{ WHO_PUBLIC, "public" },
	{ WHO_TICKET_SELF, "ticket" },
	{ WHO_TICKET_ROW, "row" },
	{ WHO_TICKET_ACTIVE, "active-row" },
	{ WHO_TICKET_OWN, "own-row" },
	{ WHO_CREATOR, "creator" },
	{ WHO_KEY, "key" },
	{ WHO_OPS, "ops" },
	{ WHO_REAL_KEY, "real-key" },
};

static const char *
method_name(enum method m)
{
	switch (m) {
	case METHOD_GET:     return "GET";
	case METHOD_POST:    return "POST";
	case METHOD_PUT:     return "PUT";
	case METHOD_DELETE:  return "DELETE";
	case METHOD_OPTIONS: return "OPTIONS";
	case METHOD_OTHER:   break;
	}
	return "?";
}

static void
print_who(unsigned who)
{
	const char *before = "";

	for (size_t i = 0; i < N_ELEMS(WORDS); i++) {
		if ((who & WORDS[i].bit) == 0)
			continue;
		printf("%s%s", before, WORDS[i].word);
		before = ",";
		who &= ~WORDS[i].bit;
	}
	/* A bit that has no word here. */
	if (who != 0)
		printf("%s0x%x", before, who);
}

int
main(void)
{
	for (size_t i = 0; i < N_ROUTES; i++) {
		const struct route *r = &ROUTES[i];

		printf("%s\t%s%s\t", method_name(r->method), r->absolute ? "" : "/api/v1", r->pattern);
		print_who(r->who);
		printf("\t%lld\n", (long long)r->body_max_bytes);
	}
	return 0;
}
