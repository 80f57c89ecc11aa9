/* json_value - a parsed document: json-c's objects, handed out as our opaque struct json.
 * SPDX-License-Identifier: MIT */
#include "json/json.h"

#include <limits.h>

/* json-c has an enum and a typedef of the name of ours; nothing is linked by that name. */
#define json_type json_c_type
#include <json-c/json.h>
#undef json_type

#include "json/json_scan.h"

/* json-c asks for pointers that are not const also where it only reads (serialising fills a cache inside
 * the object). The objects are its own and never const; only our view of them is. */
static struct json_object *
object_of(const struct json *v)
{
	return (struct json_object *)(uintptr_t)v;
}

static void
put_object(void *o)
{
	json_object_put(o);
}

/* text has passed json_scan, so what can go wrong here is memory. */
static struct json_object *
parse_scanned(struct str text)
{
	struct json_tokener *tok = json_tokener_new_ex(2 * JSON_DEPTH_MAX);
	struct json_object *o;

	if (tok == NULL)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text.at, (int)text.len);
	/* A bare number might go on: a space says that it does not. */
	if (o == NULL && json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, " ", 1);
	json_tokener_free(tok);
	return o;
}

const struct json *
json_parse(struct arena *a, struct str text, const char **field_out)
{
	const char *field = "";
	struct json_object *o;

	if (field_out != NULL)
		*field_out = "";
	if (text.len > INT_MAX)
		return NULL;
	if (!json_scan(a, text, &field)) {
		if (field_out != NULL)
			*field_out = field;
		return NULL;
	}
	o = parse_scanned(text);
	if (o != NULL)
		arena_defer(a, put_object, o);
	return (const struct json *)o;
}

enum json_type
json_type(const struct json *v)
{
	switch (json_object_get_type(object_of(v))) {
	case json_type_null:    return JSON_NULL;
	case json_type_boolean: return JSON_BOOL;
	case json_type_double:  return JSON_DOUBLE;
	case json_type_int:     return JSON_INT;
	case json_type_object:  return JSON_OBJECT;
	case json_type_array:   return JSON_ARRAY;
	case json_type_string:  return JSON_STRING;
	}
	return JSON_NULL;
}

const struct json *
json_get(const struct json *obj, const char *key)
{
	struct json_object *o;

	if (json_type(obj) != JSON_OBJECT || !json_object_object_get_ex(object_of(obj), key, &o))
		return NULL;
	return (const struct json *)o;
}

const struct json *
json_at(const struct json *arr, size_t i)
{
	if (json_type(arr) != JSON_ARRAY)
		return NULL;
	return (const struct json *)json_object_array_get_idx(object_of(arr), i);
}

size_t
json_len(const struct json *arr_or_obj)
{
	enum json_type type = json_type(arr_or_obj);

	if (type == JSON_ARRAY)
		return json_object_array_length(object_of(arr_or_obj));
	if (type == JSON_OBJECT)
		return (size_t)json_object_object_length(object_of(arr_or_obj));
	return 0;
}

struct str
json_str(const struct json *v)
{
	struct json_object *o = object_of(v);

	if (json_type(v) != JSON_STRING)
		return S("");
	return (struct str){ json_object_get_string(o), (size_t)json_object_get_string_len(o) };
}

bool
json_is_true(const struct json *v)
{
	return json_type(v) == JSON_BOOL && json_object_get_boolean(object_of(v));
}

static bool
int_of(struct json_object *o, int64_t *out)
{
	/* json-c keeps what is over INT64_MAX as unsigned, and its int64 getter clamps. */
	if (json_object_get_uint64(o) > INT64_MAX)
		return false;
	*out = json_object_get_int64(o);
	return true;
}

static bool
int_of_double(double d, int64_t *out)
{
	/* -2^63 and 2^63 are exact as doubles; NaN compares false. */
	if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
		return false;
	*out = (int64_t)d;
	return true;
}

bool
json_i64(const struct json *v, int64_t *out)
{
	enum json_type type = json_type(v);

	if (type == JSON_INT)
		return int_of(object_of(v), out);
	if (type == JSON_DOUBLE)
		return int_of_double(json_object_get_double(object_of(v)), out);
	if (type == JSON_STRING)
		return parse_i64(json_str(v), INT64_MIN, INT64_MAX, out);
	return false;
}

bool
json_all_strings(const struct json *obj)
{
	if (obj == NULL)
		return true;
	if (json_type(obj) != JSON_OBJECT)
		return false;
	json_object_object_foreach(object_of(obj), key, value) {
		(void)key;
		if (json_type((const struct json *)value) != JSON_STRING)
			return false;
	}
	return true;
}

struct str
json_text(struct arena *a, const struct json *v)
{
	const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t n = 0;
	const char *text = json_object_to_json_string_length(object_of(v), flags, &n);

	return text == NULL ? S("null") : arena_str(a, (struct str){ text, n });
}
