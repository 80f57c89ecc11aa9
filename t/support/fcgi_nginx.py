"""An nginx of a test's own in front of one FastCGI socket, as bare as can be: for what must hold whatever nginx is
told. SPDX-License-Identifier: MIT"""
import os
import subprocess

import requests

from support.ports import free_port
from support.wait import wait_until

CONF = """{user} worker_processes 2; pid {folder}/pid; error_log {folder}/error.log; daemon off;
events {{ worker_connections 512; }}
http {{
	access_log off;
	{temp}
	upstream app {{ server unix:{sock}; {keepalive} }}
	server {{
		listen 127.0.0.1:{port};
		client_max_body_size 64m;
		client_body_buffer_size 1m;
		location / {{
			fastcgi_pass app;
			fastcgi_keep_conn {keep};
			fastcgi_read_timeout 30s;
			fastcgi_next_upstream off;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param REQUEST_URI $request_uri;
			fastcgi_param CONTENT_TYPE $content_type;
			fastcgi_param CONTENT_LENGTH $content_length;
			fastcgi_param SERVER_PROTOCOL $server_protocol;
			fastcgi_param REMOTE_ADDR $remote_addr;
			fastcgi_param REQUEST_ID $http_x_test_id;
		}}
	}}
}}
"""


class OwnNginx:
    """keep: fastcgi_keep_conn on, and connections kept by the upstream."""

    def __init__(self, folder, sock, keep=False):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.errors = folder / "error.log"
        temp = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                        ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(CONF.format(
            user="user root root;" if os.geteuid() == 0 else "", folder=folder, temp=temp, sock=sock, port=self.port,
            keep="on" if keep else "off", keepalive="keepalive 4;" if keep else ""))
        self.proc = subprocess.Popen(["/usr/sbin/nginx", "-e", str(folder / "start.log"), "-c",
                                      str(folder / "nginx.conf")])

    def __enter__(self):
        wait_until(self.serves, 10)
        return self

    def __exit__(self, *_):
        self.proc.terminate()
        self.proc.wait(10)

    def serves(self):
        try:
            return requests.get(self.url + "/health", timeout=15).status_code == 200
        except requests.ConnectionError:
            return False
