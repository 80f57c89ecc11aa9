/* echo - the least a FastCGI program can do: the limit that the worker's own figures are held against.
 * Started by scripts/bench through spawn-fcgi, so fd 0 is the listening socket.
 * SPDX-License-Identifier: MIT */
#include <fcgiapp.h>

static const char REPLY[] = "Status: 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{\"status\":\"ok\"}";

int
main(void)
{
	FCGX_Request rq;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&rq, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&rq) == 0) {
		FCGX_PutStr(REPLY, (int)sizeof(REPLY) - 1, rq.out);
		FCGX_Finish_r(&rq);
	}
	return 0;
}
