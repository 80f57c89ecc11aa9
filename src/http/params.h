/* params - what a FastCGI request says before its body: its parameters, read into struct request. Pure: it knows an
 * array of "NAME=value" and no library, so that hostile ones can be tried without a socket.
 * Shape:     envp ends with NULL; a header that was sent twice stands in it twice; an entry without '=' names nothing.
 * Ownership: everything is copied into the arena.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_PARAMS_H
#define HTTP_PARAMS_H

#include "http/http.h"

/* Fills all of rq but the body, the segments and the args. A REQUEST_ID that is none is replaced by one of ours. */
void params_read(char *const *envp, struct arena *a, struct request *rq);
/* The first parameter of that name, "" for none; *n_out (may be NULL) is how many there are. */
struct str params_find(char *const *envp, struct arena *a, const char *name, size_t *n_out);
/* A header by its name as it is sent ("CF-IPCountry"); "": there is none. */
struct str params_header(char *const *envp, struct arena *a, struct str name);

#endif
