/* request - what every outbound call is set up with, shared by httpc.c and multi.c; nobody else includes it.
 * SPDX-License-Identifier: MIT */
#ifndef HTTPC_REQUEST_H
#define HTTPC_REQUEST_H

#include <curl/curl.h>

#include "base/arena.h"
#include "httpc/httpc.h"

/* On a handle fresh from curl_easy_reset: address, method, body, time-outs, and the rules of httpc.h. Texts
 * are copied into the arena; the body is read where it lies. */
void request_set(CURL *curl, struct arena *a, const struct http_call *c);
/* What c says of its headers, and no "Expect"; for curl_slist_free_all. */
struct curl_slist *request_headers(struct arena *a, const struct http_call *c);
/* A call that ended with rc got no connection, because nobody listens at that address. */
bool request_refused(CURL *curl, CURLcode rc);
struct curl_slist *request_add_header(struct arena *a, struct curl_slist *list, struct str line);

#endif
