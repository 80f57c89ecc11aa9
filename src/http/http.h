/* http - requests in, replies out. fcgi.c alone knows fcgiapp.h; everything else works on these two
 * structs and can be tested without a socket.
 * Ownership: all texts live in op->arena.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/op.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_OPTIONS, METHOD_OTHER };

enum { PATH_SEGMENTS_MAX = 10, ROUTE_ARGS_MAX = 3 };

struct request {
	enum method method;
	bool head;                                   /* HEAD: handled as GET, answered without body */
	struct str method_text, raw_path, query;     /* path without query, still encoded */
	struct str body, content_type;
	int64_t content_length;                      /* 0: none; -1: sent, and not a number */
	struct str authorization, x_language, accept_language, origin, request_id, remote_addr;
	struct str x_region;
	struct str idempotency_key;                  /* as sent; at NULL: it was not */
	const char *duplicate_header;                /* Authorization or Idempotency-Key, if it came twice; else NULL */
	bool malformed;                              /* its parameters contradict each other, or no server sends such */

	struct str segments[PATH_SEGMENTS_MAX];      /* split at '/', then each decoded once */
	size_t n_segments;
	struct str args[ROUTE_ARGS_MAX];             /* the {x} of the route, in order */
};

struct reply {
	int status;
	const char *content_type;                    /* default application/json; charset=utf-8 */
	struct strbuf body;
	const char *allow;                           /* with 405 and OPTIONS */
	bool asks_password;                          /* with 401: for a user and a password (HTTP basic) */
	int retry_after_s;                           /* 0: none */
	struct str cors_origin;                      /* "": no CORS headers */
	bool vary_origin;                            /* another origin would be answered otherwise */
	bool preflight;
	bool replayed;                               /* the answer of an earlier request: Idempotency-Replayed */
	size_t access_at, access_len;                /* which bytes of the body are its token and url; len 0: none */
	int refused_status;                          /* for nginx, where it answers for us: what the client is told */
	struct str refused_text;
};

/* Splits and decodes raw_path. False: bad escape, NUL, invalid UTF-8, too many segments. One trailing
 * slash is ignored; an empty segment elsewhere stays and matches no route. */
bool request_split_path(struct arena *a, struct request *rq) MUST_CHECK;
/* The first `name` of the query, decoded ('+' is a space). False when absent. *bad_out (never NULL) is set
 * when it is there and undecodable (bad escape, NUL, invalid UTF-8): then true, and the value "". */
bool request_query(struct arena *a, const struct request *rq, const char *name, struct str *value_out, bool *bad_out);
enum method method_parse(struct str s);               /* HEAD is METHOD_GET; request.head is the reader's */

#endif
