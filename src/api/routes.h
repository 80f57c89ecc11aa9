/* routes - every endpoint in one table: method, path, handler, who may call it, how large a body may be.
 * docs/openapi.json describes the same; a test holds them together. SPDX-License-Identifier: MIT */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "http/router.h"

extern const struct route ROUTES[];
extern const size_t N_ROUTES;

#endif
