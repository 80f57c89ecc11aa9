/* letter - address, headers, envelope.
 * SPDX-License-Identifier: MIT */
#include "jobs/letter.h"

#include <inttypes.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/utf8.h"
#include "crypto/webhook_sign.h"

void
letter_url(struct strbuf *out, struct str url, const struct item *i)
{
	bool query = memchr(url.at, '?', url.len) != NULL;
	bool bare = str_ends(url, S("?")) || str_ends(url, S("&"));

	strbuf_add(out, url);
	if (!bare)
		strbuf_addc(out, query ? '&' : '?');
	strbuf_addf(out, "event_type=%.*s&event_id=%.*s", STR_ARG(i->type), STR_ARG(i->event_id));
}

/* What was written since `from`, as a text of its own (the NUL behind it stays). */
static struct str
cut(struct strbuf *b, size_t *from)
{
	struct str s = { b->at + *from, b->len - *from };

	strbuf_addc(b, '\0');
	*from = b->len;
	return s;
}

static void
add_headers(struct letter *t, struct strbuf *b, size_t *from, const struct webhook_signed *w)
{
	struct str *h = t->call.headers;
	size_t n = 0;

	strbuf_addf(b, "X-Event-Type: %.*s", STR_ARG(t->item->type));
	h[n++] = cut(b, from);
	strbuf_addf(b, "X-Event-ID: %.*s", STR_ARG(w->id));
	h[n++] = cut(b, from);
	strbuf_addf(b, "X-Timestamp: %" PRId64, w->at_s);
	h[n++] = cut(b, from);
	strbuf_addz(b, "X-Signature: ");
	webhook_sign_plain(b, w);
	h[n++] = cut(b, from);
	strbuf_addf(b, "webhook-id: %.*s", STR_ARG(w->id));
	h[n++] = cut(b, from);
	strbuf_addf(b, "webhook-timestamp: %" PRId64, w->at_s);
	h[n++] = cut(b, from);
	strbuf_addz(b, "webhook-signature: ");
	webhook_sign_standard(b, w);
	h[n++] = cut(b, from);
	t->call.n_headers = n;
}

bool
letter_write(struct letter *t, const struct endpoint *to, enum reach reach)
{
	const struct webhook_signed w = { .secret = to->secret, .secret_old = to->secret_old,
	    .id = t->item->event_id, .at_s = t->sent_at_s, .body = t->item->data };
	struct strbuf b;
	size_t from = 0;

	strbuf_init(&b, t->text, sizeof(t->text));
	t->call = (struct multi_call){ .reach = reach, .answer_max = 64 * 1024, .tag = t };
	letter_url(&b, to->url, t->item);
	t->call.call = (struct http_call){ .method = "POST", .url = cut(&b, &from), .body = t->item->data,
	    .content_type = S("application/json"), .timeout_ms = to->timeout_ms };
	add_headers(t, &b, &from, &w);
	return strbuf_ok(&b);
}

void
letter_envelope(struct strbuf *out, const struct item *i, int64_t sent_at_s, int64_t retry,
    int64_t retry_after_s)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_obj(&w, NULL);
	jsonw_str(&w, "event_type", i->type);
	jsonw_str(&w, "event_id", i->event_id);
	jsonw_i64(&w, "timestamp", sent_at_s);
	jsonw_raw(&w, "data", i->data);
	jsonw_i64(&w, "retry", retry);
	jsonw_i64(&w, "retry_after", retry_after_s);
	jsonw_obj_end(&w);
}

void
letter_clean(struct strbuf *out, struct str s, size_t max)
{
	for (; s.len > 0 && max > 0; max--) {
		uint32_t cp;
		size_t n = utf8_next(s, &cp);

		if (n == 0)
			strbuf_addz(out, "\xef\xbf\xbd");
		else
			strbuf_add(out, (struct str){ s.at, n });
		n += n == 0;
		s.at += n;
		s.len -= n;
	}
}
