"""A worker that dies half way: whether it happened nobody can say, and so it is answered. One that cannot be reached at
all has done nothing. SPDX-License-Identifier: MIT
"""
import os
import signal
import threading

from mysql_server import Mysql

from support.client import Api
from support.wait import wait_until
from support.worker_process import children_of

LOCKED = "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"


def test_a_worker_killed_while_it_works(stack):
    api, mysql, answers = Api(stack), Mysql(stack), []
    api.post("/rooms", {"creator": "half", "uids": ["way"], "room_id": "half-way"}).raise_for_status()
    holder = mysql.root(database=stack.env["DB_NAME"])
    with holder.cursor() as c:
        c.execute("START TRANSACTION")
        c.execute("SELECT room_id FROM rtc_room WHERE room_id = 'half-way' FOR UPDATE")
        asking = threading.Thread(target=lambda: answers.append(api.post("/rooms/half-way/end")))
        asking.start()
        wait_until(lambda: mysql.say(LOCKED)[0]["n"] > 0, 5, what="a worker that waits for the lock")
        for child in children_of(stack.pid("worker")):
            os.kill(child, signal.SIGKILL)
        asking.join(10)
    holder.close()
    mysql.hang_up()
    assert (answers[0].status_code, answers[0].json()["error"]) == (503, "outcome_unknown")
    # The truth is to be had, and asking again is harmless.
    assert wait_until(lambda: api.get("/rooms/half-way").status_code == 200, 10)
    assert api.post("/rooms/half-way/end").json()["status"] == 3


def test_no_worker_at_all(stack):
    stack.stop("worker")
    try:
        answer = Api(stack).post("/rooms", {"creator": "half", "uids": ["way"]})
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    finally:
        stack.start()
