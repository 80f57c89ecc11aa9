/* metrics - the scrape.
 * SPDX-License-Identifier: MIT */
#include "api/metrics.h"

#include "api/handlers.h"
#include "api/state_text.h"
#include "base/clock.h"
#include "base/prom.h"
#include "base/sample.h"
#include "http/reply.h"
#include "http/scraper.h"

enum { US_PER_S = 1000 * 1000, TEXT_BYTES = 64 * 1024 };
/* The last question to the database leaves by then, and may take a second. */
enum { HURRY_US = 800 * 1000 };

/* ---- what there is ---- */

/* False: it could not be asked; what was seen before stays. */
static bool
look(struct op *op, struct services *sv, struct sql_link *db, int64_t began_us)
{
	struct strbuf text;
	struct state s;

	if (op_state(op, sv, db, &s) != ERR_OK)
		return false;
	strbuf_init_arena(&text, op->arena, TEXT_BYTES, STATE_MAX_BYTES);
	state_text(&text, &s);
	return strbuf_ok(&text) && sample_put(sv->state, strbuf_str(&text), began_us, clock_mono_us());
}

static void
note_links(struct op *op, struct services *sv, bool mysql, bool redis)
{
	static const char NAME[] = "tgo_dependency_up";
	const struct prom_label m = { "service", S("mysql") }, r = { "service", S("redis") };
	int64_t now_us = clock_mono_us();
	struct strbuf text;

	strbuf_init_arena(&text, op->arena, LINKS_MAX_BYTES, LINKS_MAX_BYTES);
	prom_family(&text, NAME, "gauge", "1: it answered when it was last asked.");
	prom_i64(&text, NAME, &m, 1, mysql);
	prom_i64(&text, NAME, &r, 1, redis);
	(void)sample_put(sv->links, strbuf_str(&text), now_us, now_us);
}

/* On a connection of its own: that of the requests may wait for twice as long. */
static void
refresh(struct op *op, struct services *sv)
{
	int64_t began_us = clock_mono_us();
	struct sql_link *db;
	bool mysql, redis;

	if (!sample_is_due(sv->state, began_us, STATE_EVERY_S * US_PER_S))
		return;
	redis = kv_ping(op, sv->kv);
	db = sql_twin(sv->db);
	sql_hurry(db, began_us + HURRY_US);
	mysql = sql_ping(op, db);
	note_links(op, sv, mysql, redis);
	if (mysql)
		(void)look(op, sv, db, began_us);
	sql_close(db);
}

static void
put_state(struct op *op, struct services *sv, struct strbuf *to)
{
	static const char AGE[] = "tgo_state_age_seconds";
	struct str text;
	int64_t made_us;

	if (sample_get(sv->links, op->arena, &text, &made_us))
		strbuf_add(to, text);
	prom_family(to, AGE, "gauge", "How old the figures are that were read from the database and the nodes.");
	if (!sample_get(sv->state, op->arena, &text, &made_us))
		return;
	prom_milli(to, AGE, NULL, 0, (clock_mono_us() - made_us) / 1000);
	strbuf_add(to, text);
}

/* ---- the answer ---- */

/* LEGACY_STATUS is not for scrapers, which know what a 401 asks for. */
static void
refuse(struct op *op, struct reply *rp, enum err e)
{
	reply_error(rp, op, e, false);
	rp->asks_password = e == ERR_UNAUTHORIZED;
}

void
metrics_answer(struct op *op, struct services *sv, const struct request *rq, struct reply *rp)
{
	enum err e = scraper_may(sv->conf, rq);

	if (e != ERR_OK) {
		refuse(op, rp, e);
		return;
	}
	rp->content_type = PROM_CONTENT_TYPE;
	if (sv->meter != NULL)
		meter_print(sv->meter, &rp->body);
	/* The workers of /_route have none of these. */
	if (sv->state == NULL)
		return;
	refresh(op, sv);
	put_state(op, sv, &rp->body);
}

HANDLER(api_metrics)
{
	(void)who;
	metrics_answer(op, sv, rq, rp);
	return ERR_OK;
}
