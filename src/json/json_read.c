/* json_read - a request's body into a struct, by a table of its fields.
 * SPDX-License-Identifier: MIT */
#include "json/json.h"

#include <string.h>

#include "base/utf8.h"

enum { ELEMENT_CHARS_MAX = 40 };

/* Where a target's member is; its type is the table's word, so bytes are copied, never cast. */
static void
store(void *into, size_t offset, const void *value, size_t size)
{
	memcpy((char *)into + offset, value, size);
}

static bool
text_ok(struct str s, int64_t min, int64_t max, bool (*ok)(struct str))
{
	int64_t n = utf8_length(s);

	return n >= min && n <= max && (ok == NULL || ok(s));
}

static bool
read_str(const struct json *v, const struct json_field *f, void *into)
{
	struct str s = json_str(v);

	if (json_type(v) != JSON_STRING || !text_ok(s, f->min, f->max, f->ok))
		return false;
	store(into, f->offset, &s, sizeof(s));
	return true;
}

static bool
read_int(const struct json *v, const struct json_field *f, void *into)
{
	int64_t n;

	if (json_type(v) != JSON_INT || !json_i64(v, &n) || n < f->min || n > f->max)
		return false;
	store(into, f->offset, &n, sizeof(n));
	return true;
}

static bool
read_bool(const struct json *v, const struct json_field *f, void *into)
{
	bool b = json_is_true(v);

	if (json_type(v) != JSON_BOOL)
		return false;
	store(into, f->offset, &b, sizeof(b));
	return true;
}

static bool
read_strs(struct arena *a, const struct json *v, const struct json_field *f, void *into)
{
	struct json_strs strs = { .n = json_len(v) };

	if (json_type(v) != JSON_ARRAY || (int64_t)strs.n < f->min || (int64_t)strs.n > f->max)
		return false;
	if (strs.n > 0)
		strs.at = arena_array(a, strs.n, sizeof(*strs.at));
	for (size_t i = 0; i < strs.n; i++) {
		const struct json *element = json_at(v, i);

		strs.at[i] = json_str(element);
		if (json_type(element) != JSON_STRING || !text_ok(strs.at[i], 0, ELEMENT_CHARS_MAX, f->ok))
			return false;
	}
	store(into, f->offset, &strs, sizeof(strs));
	return true;
}

static bool
read_object(struct arena *a, const struct json *v, const struct json_field *f, void *into)
{
	struct str text;

	if (json_type(v) != JSON_OBJECT)
		return false;
	text = json_text(a, v);
	if ((int64_t)text.len > f->max)
		return false;
	store(into, f->offset, &text, sizeof(text));
	return true;
}

static bool
read_field(struct arena *a, const struct json *v, const struct json_field *f, void *into)
{
	switch (f->kind) {
	case JSON_IN_STR:    return read_str(v, f, into);
	case JSON_IN_INT:    return read_int(v, f, into);
	case JSON_IN_BOOL:   return read_bool(v, f, into);
	case JSON_IN_STRS:   return read_strs(a, v, f, into);
	case JSON_IN_OBJECT: return read_object(a, v, f, into);
	}
	return false;
}

static enum err
refuse(struct op *op, const char *field)
{
	op->bad_field = field;
	return ERR_INVALID_PARAMETERS;
}

enum err
json_read(struct op *op, struct str text, const struct json_field *fields, size_t n_fields, void *into)
{
	static const bool THERE = true;
	const char *field = "";
	const struct json *body = json_parse(op->arena, text, &field);

	if (json_type(body) != JSON_OBJECT)
		return refuse(op, field);
	for (size_t i = 0; i < n_fields; i++) {
		const struct json_field *f = &fields[i];
		const struct json *v = json_get(body, f->name);

		if (v == NULL && !f->required)
			continue;
		if (v == NULL || !read_field(op->arena, v, f, into))
			return refuse(op, f->name);
		if (f->has_offset != 0)
			store(into, f->has_offset, &THERE, sizeof(THERE));
	}
	return ERR_OK;
}
