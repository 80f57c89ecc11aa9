"""Free ports, below the range the kernel gives to outgoing connections. SPDX-License-Identifier: MIT"""
import random
import socket


def is_free(port, address="127.0.0.1"):
    with socket.socket() as s:
        try:
            s.bind((address, port))
        except OSError:
            return False
        return True


def free_port(addresses=("127.0.0.1",)):
    while True:
        port = random.randrange(20000, 32000)
        if all(is_free(port, address) for address in addresses):
            return port
