/* jsonw - the input is a list of calls: whatever they hold, a document that says it is done is JSON, for json-c too,
 * and its texts are those that were given.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/jsonw.h"
#include "base/utf8.h"
#include "fuzz/json_c.h"
#include "fuzz/strict_json.h"
#include "json/json.h"

enum { OPS_MAX = 200 };

static const struct strict_rules RULES = { .depth_max = 33, .nul_ok = true, .twice_ok = true };

static void
one_call(struct arena *a, struct jsonw *w, struct str *data)
{
	uint8_t op = take_byte(data);
	const char *key = op & 0x80 ? arena_z(a, take_text(data)) : NULL;

	switch (op & 7) {
	case 0: jsonw_obj(w, key); break;
	case 1: jsonw_obj_end(w); break;
	case 2: jsonw_arr(w, key); break;
	case 3: jsonw_arr_end(w); break;
	case 4: jsonw_str(w, key, take_text(data)); break;
	case 5: jsonw_i64(w, key, (int64_t)((uint64_t)take_byte(data) << 56) | take_byte(data)); break;
	case 6: jsonw_bool(w, key, take_byte(data) & 1); break;
	default: jsonw_null(w, key); break;
	}
}

/* In a document of its own, cut to what fits, too. */
static void
text_comes_back(struct arena *a, struct str v, size_t room)
{
	struct str fit = jsonw_fit(v, room);
	const struct json *doc;
	struct strbuf b;
	struct jsonw w;

	holds(fit.len <= v.len && (fit.len == 0 || fit.at == v.at), "what fits is a beginning");
	strbuf_init_arena(&b, a, 64, 8 * v.len + 64);
	jsonw_init(&w, &b);
	jsonw_str(&w, NULL, fit);
	holds(jsonw_done(&w) && (b.len <= room || fit.len == 0), "what fits is not longer than its room");
	strbuf_init_arena(&b, a, 64, 8 * v.len + 64);
	jsonw_init(&w, &b);
	jsonw_arr(&w, NULL);
	jsonw_str(&w, NULL, v);
	jsonw_arr_end(&w);
	holds(jsonw_done(&w) && strict_json(a, strbuf_str(&b), &RULES, NULL), "any bytes make a text");
	holds(is_one_line(strbuf_str(&b)) && is_plain(strbuf_str(&b)), "and one line, for every reader");
	if (has_byte(v, '\0'))
		return;
	doc = json_parse(a, strbuf_str(&b), NULL);
	holds(doc != NULL, "without NUL we read it ourselves");
	if (utf8_length(v) >= 0)
		holds(str_eq(json_str(json_at(doc, 0)), v), "UTF-8 comes back as it was");
}

void
fuzz_jsonw(struct arena *a, struct str data)
{
	struct str rest = data, whole;
	struct strbuf b;
	struct jsonw w;

	text_comes_back(a, data, data.len > 0 ? (unsigned char)data.at[0] + 2 : 2);
	strbuf_init_arena(&b, a, 64, 65536);
	jsonw_init(&w, &b);
	for (int i = 0; i < OPS_MAX && rest.len > 0; i++)
		one_call(a, &w, &rest);
	if (!jsonw_done(&w) || !strbuf_ok(&b))
		return;
	whole = strbuf_str(&b);
	holds(strict_json(a, whole, &RULES, NULL), "what is done is JSON");
	holds(json_c_takes(whole), "json-c reads it");
}
