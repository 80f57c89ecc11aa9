/* nginx_conf - nginx-conf/ as one file for the http block, filled in for one installation. The templates are part of the
 * program, so it needs none of the files.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_NGINX_CONF_H
#define CLI_NGINX_CONF_H

#include "conf/conf.h"

struct nginx_site {
	struct str listen;                   /* "80", "443 ssl http2": with ssl, certificates are asked for */
	struct str fcgi_socket, route_socket, log_dir;
	struct str swagger_ui;               /* folder of swagger-ui-dist; where there is none, /docs links to the document */
	const struct str *nodes;             /* "10.0.0.11:7880": addresses, no names */
	size_t n_nodes;
	struct str cors_origins;             /* CORS_ORIGINS */
};

/* The places of the packages; no nodes. */
struct nginx_site nginx_site_usual(const struct conf *c);
void nginx_conf_write(struct strbuf *to, const struct nginx_site *s);

/* nginx_templates.c, made by tools/embed-nginx: "tgo-call.conf", "tgo-call/errors.conf", ...; name NULL at the end. */
struct nginx_template { const char *name, *text; };
extern const struct nginx_template NGINX_TEMPLATES[];

#endif
