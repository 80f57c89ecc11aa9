/* json_c - json-c's strict parser over a whole text.
 * SPDX-License-Identifier: MIT */
#include "fuzz/json_c.h"

#include <json-c/json.h>

enum { DEPTH_MAX = 64 };

bool
json_c_takes(struct str text)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o;
	bool ok;

	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text.at, (int)text.len + 1);
	ok = json_tokener_get_error(tok) == json_tokener_success;
	json_object_put(o);
	json_tokener_free(tok);
	return ok;
}
