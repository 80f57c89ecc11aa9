/* docs - the OpenAPI document, built into the program from docs/openapi.json (tools/embed-file).
 * SPDX-License-Identifier: MIT */
#ifndef API_DOCS_H
#define API_DOCS_H

#include "base/str.h"

extern const char OPENAPI_JSON[];
extern const unsigned long OPENAPI_JSON_LEN;

#endif
