/* json - reading JSON: strict (RFC 8259 and no more: json-c's strict mode lets through what
 * platform.md 5 lists), then by a table of fields into a struct. The only room that knows json-c.
 * Strict:    UTF-8 without NUL (also not as \u0000), no lone surrogates, no duplicate keys, nesting to 16,
 *            nothing after the document.
 * Ownership: values belong to the arena they were parsed into; texts stay valid as long as it does.
 * Errors:    ERR_OK or ERR_INVALID_PARAMETERS with op->bad_field naming the field ("" = the document).
 * SPDX-License-Identifier: MIT */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/op.h"

struct json;                                           /* a parsed value */

enum json_type { JSON_NULL, JSON_BOOL, JSON_INT, JSON_DOUBLE, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Any value (webhooks, replies of others); NULL when it is not JSON (json_scan.h), and for a document
 * that is only `null`. *field_out (may be NULL) then names the key that came twice, or the field whose
 * value is at fault, else "". */
const struct json *json_parse(struct arena *a, struct str text, const char **field_out) MUST_CHECK;

/* All of these take NULL for "absent" and then return the type's nothing; JSON's null is absent. */
enum json_type json_type(const struct json *v);        /* NULL pointer: JSON_NULL */
const struct json *json_get(const struct json *obj, const char *key);
const struct json *json_at(const struct json *arr, size_t i);
size_t json_len(const struct json *arr_or_obj);
struct str json_str(const struct json *v);             /* not a string: "" */
bool json_is_true(const struct json *v);
/* A number or a string holding an integer (protojson writes int64 as text); what stands after the point
 * is cut off. False: neither, or out of range. */
bool json_i64(const struct json *v, int64_t *out);
/* NULL or an object whose values are all strings. */
bool json_all_strings(const struct json *obj);
/* The value as compact JSON text. */
struct str json_text(struct arena *a, const struct json *v);

/* ---- a body by table ---- */
enum json_kind {
	JSON_IN_STR,          /* struct str; min..max characters (not bytes) */
	JSON_IN_INT,          /* int64_t; an integer in min..max; 2.0 and "2" are refused */
	JSON_IN_BOOL,         /* bool */
	JSON_IN_STRS,         /* struct json_strs: array of strings, at most max elements, each up to 40 characters */
	JSON_IN_OBJECT        /* struct str: the object as compact JSON, at most max bytes */
};
struct json_strs { struct str *at; size_t n; };

struct json_field {
	const char *name;
	enum json_kind kind;
	size_t offset;        /* of the value in the target */
	size_t has_offset;    /* of a bool that is set when the field was there (null = absent); 0: none */
	int64_t min, max;
	bool required;
	bool (*ok)(struct str);  /* strings: a further rule; array: on each element */
};

/* text must be one JSON object. Absent fields leave their target as it was. Unknown fields are ignored. */
enum err json_read(struct op *op, struct str text, const struct json_field *fields, size_t n_fields,
    void *into) MUST_CHECK;

#endif
