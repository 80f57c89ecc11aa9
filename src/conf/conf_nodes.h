/* conf_nodes - the options that describe the cluster: LIVEKIT_NODES and LIVEKIT_REGIONS.
 * SPDX-License-Identifier: MIT */
#ifndef CONF_CONF_NODES_H
#define CONF_CONF_NODES_H

#include "conf/conf.h"

/* "host[:port][;url=..][;region=..][;weight=..][;ip=..],...": into c->nodes; a port that is not named stays 0.
 * False: not such a list, or one node twice. */
bool conf_nodes_parse(struct conf *c, struct str list) MUST_CHECK;
/* Fills in what the nodes leave to other options. False: with that, one node stands there twice. */
bool conf_nodes_settle(struct conf *c) MUST_CHECK;
void conf_nodes_show(const struct conf *c, struct strbuf *to);
/* "name:lat:lon,...": into c->regions. */
bool conf_regions_parse(struct conf *c, struct str list) MUST_CHECK;
void conf_regions_show(const struct conf *c, struct strbuf *to);

#endif
