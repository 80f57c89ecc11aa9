/* test_ids - what may be a uid, a room id, a text beside them.
 * SPDX-License-Identifier: MIT */
#include "model/ids.h"

#include <string.h>

#include "base/attrs.h"
#include "support/unit.h"

/* 40 characters of 1, 3 and 4 bytes. */
#define TEN "0123456789"
#define FORTY TEN TEN TEN TEN
#define WIDE "\xe7\x94\xb2\xe4\xb9\x99\xe4\xb8\x99\xe4\xb8\x81\xe6\x88\x8a"      /* 5 characters */
#define WIDE_FORTY WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE
#define FACE "\xf0\x9f\x98\x80"
#define FACE_TEN FACE FACE FACE FACE FACE FACE FACE FACE FACE FACE

static const struct { const char *text; size_t len; bool id, room_id; } IDS[] = {
#define ROW(text, id, room_id) { (text), sizeof(text) - 1, (id), (room_id) }
	ROW("a", true, true),
	ROW("", false, false),
	ROW(FORTY, true, true),
	ROW(FORTY "x", false, false),
	ROW(WIDE_FORTY, true, true),
	ROW(WIDE_FORTY "x", false, false),
	ROW(FACE_TEN FACE_TEN FACE_TEN FACE_TEN, true, true),
	ROW(FACE_TEN FACE_TEN FACE_TEN FACE_TEN "x", false, false),
	ROW("a b", true, true),
	ROW(" a", false, false),
	ROW("a ", false, false),
	ROW(" ", false, false),
	ROW("a\tb", false, false),
	ROW("a\nb", false, false),
	ROW("a\0b", false, false),
	ROW("\x7f", false, false),
	ROW("a\xc2\x85", false, false),
	ROW("a\xe2\x80\xa8" "b", false, false),
	ROW("\xff", false, false),
	ROW("a\xc0\x80", false, false),
	ROW("\xed\xa0\x80", false, false),
	ROW("\xe7\x94", false, false),
	ROW("a/b", true, false),
	ROW("a?b", true, false),
	ROW("a#b", true, false),
	ROW("a%b", true, false),
	ROW("sync", true, false),
	ROW("syncs", true, true),
	ROW("Sync", true, true),
	ROW(".", true, false),
	ROW("..", true, false),
	ROW("...", true, true),
	ROW("\"'<>;--", true, true),
#undef ROW
};

START_TEST(ids)
{
	struct str s = { IDS[_i].text, IDS[_i].len };

	ck_assert_msg(id_ok(s) == IDS[_i].id, "id_ok of row %d", _i);
	ck_assert_msg(room_id_ok(s) == IDS[_i].room_id, "room_id_ok of row %d", _i);
}
END_TEST

START_TEST(no_text_at_all)
{
	ck_assert(!id_ok((struct str){ NULL, 0 }));
	ck_assert(text_ok((struct str){ NULL, 0 }, 0, 10));
	ck_assert(text_clean((struct str){ NULL, 0 }));
}
END_TEST

START_TEST(lengths_count_characters)
{
	ck_assert(text_ok(S(WIDE), 5, 5));
	ck_assert(!text_ok(S(WIDE), 6, 9));
	ck_assert(!text_ok(S(WIDE), 1, 4));
	ck_assert(text_clean(S(FORTY FORTY)));
	ck_assert(!text_clean(S("a\xff")));
	ck_assert(!text_clean(S(" a")));
}
END_TEST

/* Every control byte, at every place. */
START_TEST(controls)
{
	char text[3] = "abc";

	for (size_t at = 0; at < sizeof(text); at++) {
		for (int b = 0; b < 0x20; b++) {
			memcpy(text, "abc", sizeof(text));
			text[at] = (char)b;
			ck_assert(!text_clean((struct str){ text, sizeof(text) }));
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("model/ids");
	TCase *tc = tcase_create("ids");

	tcase_add_loop_test(tc, ids, 0, (int)N_ELEMS(IDS));
	tcase_add_test(tc, no_text_at_all);
	tcase_add_test(tc, lengths_count_characters);
	tcase_add_test(tc, controls);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
