/* json_c - json-c itself, asked without src/json between; its names and ours cannot stand in one file.
 * SPDX-License-Identifier: MIT */
#ifndef FUZZ_JSON_C_H
#define FUZZ_JSON_C_H

#include "base/str.h"

/* text: NUL-terminated past its length. */
bool json_c_takes(struct str text);

#endif
