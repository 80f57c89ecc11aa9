/* Both signatures of an event against vectors: the published one of Standard Webhooks, and ones computed by
 * another program. SPDX-License-Identifier: MIT */
#include "crypto/webhook_sign.h"

#include "support/unit.h"

#define BODY "{\"room_id\":\"r1\",\"status\":6}"
#define ID "019a0000-0000-7000-8000-000000000001"
#define V1_RAW "v1,lXpGZmOudt+y67gY5KlWFvKPw5Sc3wQspQ41xjMjsrY="
#define PUBLISHED "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const struct { struct webhook_signed in; const char *plain, *standard; } VECTORS[] = {
	{ { .secret = { "s3cret", 6 }, .id = { ID, 36 }, .at_s = 1795224981, .body = { BODY, 27 } },
	  "bcfe4012b35bc540fb3e750e195d99333aa26c10cfa4190e26d7a829a881e7a3", V1_RAW },
	{ { .secret = { PUBLISHED, 38 }, .id = { "msg_p5jXN8AQM9LWM0D4loKWxJek", 28 }, .at_s = 1614265330,
	    .body = { "{\"test\": 2432232314}", 20 } },
	  NULL, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
	/* the Go server signed with an empty key where none was configured */
	{ { .secret = { "", 0 }, .id = { ID, 36 }, .at_s = 1795224981, .body = { BODY, 27 } },
	  "61e31d067dc7aa7a31be1fbb24274e4935a1c4d89854690ad80592b70608b876", NULL },
	/* two secrets, two signatures */
	{ { .secret = { PUBLISHED, 38 }, .secret_old = { "s3cret", 6 }, .id = { ID, 36 }, .at_s = 1795224981,
	    .body = { BODY, 27 } },
	  NULL, "v1,LLc62kUILPBYxuCTEmKrtu7P+Safbv7kLUJ5gkcf4JM= " V1_RAW },
	/* not base64 behind the prefix: its own bytes */
	{ { .secret = { "whsec_no base64", 15 }, .id = { ID, 36 }, .at_s = 1795224981, .body = { BODY, 27 } },
	  NULL, "v1,9c0R1fNGh5+kMGk1SxppnnGB6cyuoZRFQT5/XimCW/g=" },
};
START_TEST(signatures_as_computed_elsewhere)
{
	char text[256];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	webhook_sign_plain(&b, &VECTORS[_i].in);
	ck_assert(strbuf_ok(&b));
	if (VECTORS[_i].plain != NULL)
		ck_assert_str_eq(text, VECTORS[_i].plain);
	strbuf_init(&b, text, sizeof(text));
	webhook_sign_standard(&b, &VECTORS[_i].in);
	ck_assert(strbuf_ok(&b));
	if (VECTORS[_i].standard != NULL)
		ck_assert_str_eq(text, VECTORS[_i].standard);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("crypto/webhook_sign");
	TCase *tc = tcase_create("webhook_sign");

	tcase_add_loop_test(tc, signatures_as_computed_elsewhere, 0, N_ELEMS(VECTORS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
