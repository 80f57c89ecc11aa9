/* logs_line - `tgo-call logs` reads what our log writes, whatever stands in it, and nothing of it drives a terminal.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/jsonw.h"
#include "cli/logs_line.h"

static struct str
written(struct arena *a, const char *room, struct str uid, struct str msg)
{
	struct strbuf b;
	struct jsonw w;

	strbuf_init_arena(&b, a, 256, 64 * 1024);
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	jsonw_z(&w, "level", "info");
	jsonw_z(&w, "timestamp", "2026-11-21T03:35:16.123+08:00");
	jsonw_str(&w, "msg", msg);
	jsonw_z(&w, "room_id", room);
	jsonw_strs(&w, "uids", &uid, 1);
	jsonw_i64(&w, "n", 17);
	jsonw_obj_end(&w);
	holds(jsonw_done(&w), "the line is whole");
	return strbuf_str(&b);
}

static void
any_line(struct arena *a, struct str line)
{
	struct log_last last = { .wanted = true };
	struct log_wish all = { .any_level = true };
	struct str rest = line;
	struct log_member m;
	struct strbuf b;
	size_t n = 0;

	for (; log_member_next(&rest, &m); n++)
		holds(m.key.at >= line.at && m.value.at + m.value.len <= line.at + line.len && m.value.len > 0,
		    "a member is a part of its line");
	holds(log_wanted(&all, line, &last), "who wants everything gets everything");
	strbuf_init_arena(&b, a, 256, 4 * line.len + 256);
	log_for_people(line, &b);
	holds(strbuf_ok(&b), "there is a line for people");
	for (size_t i = 0; i < b.len; i++)
		holds(((unsigned char)b.at[i] >= 0x20 || b.at[i] == '\t') && b.at[i] != 0x7f, "and it drives no terminal");
}

void
fuzz_logs_line(struct arena *a, struct str data)
{
	struct log_last last = { .wanted = false };
	struct str whole = data, room = take_text(&data), uid = take_text(&data);
	const char *z = arena_z(a, room);
	struct log_wish wish = { .room = log_quoted(a, z), .least = LOG_INFO };
	struct str line = written(a, z, uid, data), rest = line;
	struct log_member m;
	int n = 0;

	any_line(a, whole);
	any_line(a, line);
	while (log_member_next(&rest, &m))
		n++;
	holds(n == 6, "each member of a line of ours is found");
	holds(log_wanted(&wish, line, &last), "a call's line is found by the call's id");
	wish.room = log_quoted(a, arena_printf(a, "%s-", z).at);
	holds(!log_wanted(&wish, line, &last), "and not by another id");
}
