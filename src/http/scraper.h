/* scraper - may this request read the metrics? From the host itself always, from elsewhere with METRICS_USER's password.
 * Whence:    REMOTE_ADDR alone, which nginx sets; no header says it. A proxy on the same host in front of nginx makes everybody
 *            local, unless nginx is told the real address (set_real_ip_from).
 * Errors:    ERR_UNAUTHORIZED: not with these words, or with none; ERR_FORBIDDEN: there is no user to be.
 * SPDX-License-Identifier: MIT */
#ifndef HTTP_SCRAPER_H
#define HTTP_SCRAPER_H

#include "conf/conf.h"
#include "http/http.h"

/* What a 401 asks for, in WWW-Authenticate. */
#define SCRAPER_CHALLENGE "Basic realm=\"metrics\", charset=\"UTF-8\""

enum err scraper_may(const struct conf *c, const struct request *rq) MUST_CHECK;

#endif
