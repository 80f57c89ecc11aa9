/* docs - the API's description, for programs and for people.
 * SPDX-License-Identifier: MIT */
#include "api/docs.h"

#include "api/handlers.h"

/* Swagger UI's files are installed beside nginx (nginx-conf: /docs/assets/); without them the page
 * still leads to the document. */
static const char PAGE[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>tgo-call-server API</title>\n"
    "<link rel=\"stylesheet\" href=\"/docs/assets/swagger-ui.css\"></head>\n"
    "<body><div id=\"ui\"><p>The API is described in <a href=\"/openapi.json\">openapi.json</a>.</p></div>\n"
    "<script src=\"/docs/assets/swagger-ui-bundle.js\"></script>\n"
    "<script>if (window.SwaggerUIBundle) SwaggerUIBundle({url: \"/openapi.json\", dom_id: \"#ui\"});</script>\n"
    "</body></html>\n";

HANDLER(api_openapi)
{
	(void)op;
	(void)sv;
	(void)rq;
	(void)who;
	strbuf_add(&rp->body, (struct str){ OPENAPI_JSON, OPENAPI_JSON_LEN });
	return ERR_OK;
}

HANDLER(api_docs)
{
	(void)op;
	(void)sv;
	(void)rq;
	(void)who;
	rp->content_type = "text/html; charset=utf-8";
	strbuf_add(&rp->body, S(PAGE));
	return ERR_OK;
}
