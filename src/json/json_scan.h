/* json_scan - whether a text is JSON by RFC 8259 and no more. json-c's strict mode also takes single
 * quotes, NaN, raw control characters, overlong UTF-8, lone surrogates and \u0000, keeps the last of
 * two equal keys, and clamps integers: all of that is refused here, before json-c sees the text.
 * Limits:    nesting 16; integers within -2^63 .. 2^64-1; 4096 keys in the objects open at one time.
 * SPDX-License-Identifier: MIT */
#ifndef JSON_JSON_SCAN_H
#define JSON_JSON_SCAN_H

#include "base/arena.h"
#include "base/str.h"

enum { JSON_DEPTH_MAX = 16, JSON_KEYS_MAX = 4096 };

/* On false *field_out (not NULL) is the key that came twice, else the member of the outermost object
 * whose value is at fault, else "" (the document; also where the name is over 64 bytes long). */
bool json_scan(struct arena *a, struct str text, const char **field_out) MUST_CHECK;

#endif
