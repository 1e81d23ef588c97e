#!/usr/bin/python3
"""A monitor that is told of runs: python3 ping-server.py DIRECTORY

Listens on a port of its own choice on 127.0.0.1, whose number it writes to DIRECTORY/port. Each request adds a line
"METHOD PATH STATUS" to DIRECTORY/requests, and its body becomes DIRECTORY/body.N. Paths tell what to answer:

  /flaky/..   503 twice, then 200
  /gone/..    404
  /away/..    a redirect to /elsewhere
  /slow/..    nothing, until the other side gives up
  others      200
"""
import http.server
import os
import sys
import threading

directory = sys.argv[1]
mutex = threading.Lock()
counts = {"requests": 0, "flaky": 0}


class Monitor(http.server.BaseHTTPRequestHandler):
    def answer(self):
        kind = self.path.split("/")[1]
        if kind == "flaky":
            counts["flaky"] += 1
            return 503 if counts["flaky"] <= 2 else 200
        return {"gone": 404, "away": 302}.get(kind, 200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with mutex:
            counts["requests"] += 1
            status = self.answer()
            with open(f"{directory}/body.{counts['requests']}", "wb") as out:
                out.write(body)
            with open(f"{directory}/requests", "a") as out:
                out.write(f"{self.command} {self.path} {status}\n")
        if self.path.startswith("/slow/"):
            self.connection.recv(1)
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Monitor)
with open(f"{directory}/port.new", "w") as port:
    port.write(str(server.server_address[1]))
os.rename(f"{directory}/port.new", f"{directory}/port")
server.serve_forever()
