/* params - FastCGI parameters: "NAME=value" entries, a NUL between two.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "http/params.h"

static char **
entries(struct arena *a, struct str data)
{
	size_t n = 0;
	struct str part;
	char **envp;

	for (size_t i = 0; i < data.len; i++)
		n += data.at[i] == '\0';
	envp = arena_array(a, n + 2, sizeof(*envp));
	for (n = 0; str_split(&data, '\0', &part); n++)
		envp[n] = arena_z(a, part);
	return envp;
}

/* Found by another way than the program's. */
static size_t
count(char *const *envp, const char *name, const char **first_out)
{
	size_t n = 0;

	*first_out = "";
	for (; *envp != NULL; envp++) {
		const char *equals = strchr(*envp, '=');

		if (equals == NULL || (size_t)(equals - *envp) != strlen(name) ||
		    strncmp(*envp, name, strlen(name)) != 0)
			continue;
		if (n++ == 0)
			*first_out = equals + 1;
	}
	return n;
}

static void
id_is_one(struct str id)
{
	holds(id.len >= 1 && id.len <= 64, "a request has an id of 1 to 64 characters");
	for (size_t i = 0; i < id.len; i++)
		holds(strchr("0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", id.at[i]) != NULL,
		    "an id is of letters, digits and hyphens");
}

void
fuzz_params(struct arena *a, struct str data)
{
	char *const *envp = entries(a, data);
	const char *uri, *first;
	struct str query, header;
	struct request rq;

	params_read(envp, a, &rq);
	id_is_one(rq.request_id);
	(void)count(envp, "REQUEST_URI", &uri);
	holds(str_starts(str_of(uri), rq.raw_path), "the path is the beginning of the address");
	query = str_of(uri + rq.raw_path.len);
	holds(query.len == rq.query.len + (query.len > 0), "what is not the path is the query");
	holds(!has_byte(rq.raw_path, '?'), "a path ends at the question mark");
	holds(rq.content_length >= -1, "a length is a number or not one");
	holds((rq.duplicate_header != NULL) == (count(envp, "HTTP_AUTHORIZATION", &first) > 1 ||
	    count(envp, "HTTP_IDEMPOTENCY_KEY", &first) > 1), "a header that came twice is seen");
	(void)count(envp, "HTTP_AUTHORIZATION", &first);
	holds(str_eq(rq.authorization, str_of(first)), "the first of two is taken");
	(void)count(envp, "HTTP_X_REGION", &first);
	header = params_header(envp, a, S("x-ReGiOn"));
	holds(str_eq(header, str_of(first)) && str_eq(header, rq.x_region), "a header is found by its name in any case");
	(void)params_header(envp, a, data);
}
