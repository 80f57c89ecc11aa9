/* json - src/json and a second reader agree on what is JSON, and on what it says.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "fuzz/strict_json.h"
#include "json/json.h"
#include "json/json_scan.h"

void
fuzz_json(struct arena *a, struct str data)
{
	static const struct strict_rules RULES = { .depth_max = JSON_DEPTH_MAX };
	const char *field = NULL;
	struct str canonical, ours;
	bool good = strict_json(a, data, &RULES, &canonical);
	const struct json *doc = json_parse(a, data, &field), *again;

	holds(json_scan(a, data, &field) == good, "both readers agree on what is JSON");
	holds((doc != NULL) == (good && !str_eq(canonical, S("null"))), "what is scanned is parsed");
	if (doc == NULL)
		return;
	ours = json_text(a, doc);
	holds(str_eq(ours, canonical), "written again it is what the other reader writes");
	again = json_parse(a, ours, NULL);
	holds(again != NULL && str_eq(json_text(a, again), ours), "what we write we read");
}
