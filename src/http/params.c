/* params - finds, copies and judges FastCGI parameters.
 * SPDX-License-Identifier: MIT */
#include "http/params.h"

#include <string.h>

#include "base/rng.h"

enum { HEADER_NAME_MAX = 128 };

struct str
params_find(char *const *envp, struct arena *a, const char *name, size_t *n_out)
{
	size_t n = 0, n_name = strlen(name);
	struct str value = S("");

	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, name, n_name) != 0 || (*envp)[n_name] != '=')
			continue;
		if (n++ == 0)
			value = str_of(*envp + n_name + 1);
	}
	if (n_out != NULL)
		*n_out = n;
	return arena_str(a, value);
}

static bool
is_request_id(struct str s)
{
	if (s.len < 1 || s.len > 64)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    c != '-')
			return false;
	}
	return true;
}

static struct str
request_id(char *const *envp, struct arena *a)
{
	struct str id = params_find(envp, a, "REQUEST_ID", NULL);
	struct strbuf made;

	if (is_request_id(id))
		return id;
	strbuf_init_arena(&made, a, 33, 33);
	rng_hex32(&made);
	return strbuf_str(&made);
}

/* A request without a body has an empty CONTENT_LENGTH. */
static int64_t
content_length(struct str s)
{
	int64_t n = 0;

	if (s.len == 0)
		return 0;
	return parse_i64(s, 0, INT64_MAX, &n) ? n : -1;
}

void
params_read(char *const *envp, struct arena *a, struct request *rq)
{
	size_t n_auth, n_idem, n_uri, n_method, n_length, n_address;
	struct str rest;

	*rq = (struct request){ 0 };
	rq->method_text = params_find(envp, a, "REQUEST_METHOD", &n_method);
	rq->head = str_eq(rq->method_text, S("HEAD"));
	rq->method = rq->head ? METHOD_GET : method_parse(rq->method_text);
	rest = params_find(envp, a, "REQUEST_URI", &n_uri);
	if (str_split(&rest, '?', &rq->raw_path) && rest.at != NULL)
		rq->query = rest;
	rq->content_type = params_find(envp, a, "CONTENT_TYPE", NULL);
	rq->content_length = content_length(params_find(envp, a, "CONTENT_LENGTH", &n_length));
	rq->authorization = params_find(envp, a, "HTTP_AUTHORIZATION", &n_auth);
	rq->idempotency_key = params_find(envp, a, "HTTP_IDEMPOTENCY_KEY", &n_idem);
	if (n_idem == 0)
		rq->idempotency_key = (struct str){ NULL, 0 };
	rq->duplicate_header = n_auth > 1 ? "Authorization" : n_idem > 1 ? "Idempotency-Key" : NULL;
	rq->x_language = params_find(envp, a, "HTTP_X_LANGUAGE", NULL);
	rq->accept_language = params_find(envp, a, "HTTP_ACCEPT_LANGUAGE", NULL);
	rq->origin = params_find(envp, a, "HTTP_ORIGIN", NULL);
	rq->x_region = params_find(envp, a, "HTTP_X_REGION", NULL);
	rq->remote_addr = params_find(envp, a, "REMOTE_ADDR", &n_address);
	rq->request_id = request_id(envp, a);
	/* nginx sends each of them once: two are two requests, to two readers. */
	rq->malformed = n_uri > 1 || n_method > 1 || n_length > 1 || n_address > 1;
}

struct str
params_header(char *const *envp, struct arena *a, struct str name)
{
	char text[HEADER_NAME_MAX];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_addz(&b, "HTTP_");
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		strbuf_addc(&b, c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
	}
	return name.len > 0 && strbuf_ok(&b) ? params_find(envp, a, text, NULL) : S("");
}
