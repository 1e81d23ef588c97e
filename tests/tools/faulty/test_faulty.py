#!/usr/bin/env python3
"""test_faulty.py FAULTY: whether the proxy passes everything on, does each of its faults and writes its log."""
import email.utils
import http.client
import http.server
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BODY = bytes(range(256)) * 400


class Server(http.server.BaseHTTPRequestHandler):
    """Answers GET with BODY, HEAD with its length, and keeps what was put."""
    protocol_version = "HTTP/1.1"
    requests = []

    def do_GET(self):
        self.requests.append((self.command, self.path, self.headers["Host"], b""))
        self.send_response(200)
        if "chunked" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
            return
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(BODY)

    do_HEAD = do_GET

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.command, self.path, self.headers["Host"], body))
        self.send_response(200)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Faulty(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.rules_file = os.path.join(self.directory.name, "rules")
        self.log_file = os.path.join(self.directory.name, "log")
        Server.requests.clear()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()
        self.proxy = subprocess.Popen([FAULTY, str(self.server.server_port), self.rules_file, self.log_file], stdout=subprocess.PIPE)
        self.port = int(self.proxy.stdout.readline())

    def tearDown(self):
        self.assertIsNone(self.proxy.poll())
        self.proxy.kill()
        self.proxy.wait()
        self.proxy.stdout.close()
        self.server.shutdown()
        self.server.server_close()
        self.directory.cleanup()

    def rules(self, *lines):
        with open(self.rules_file + ".new", "w") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(self.rules_file + ".new", self.rules_file)

    def ask(self, method="GET", target="/bucket/key?a=b%20c", body=None, headers={}, timeout=10):
        """One request on a connection of its own: status, body, headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def log(self):
        with open(self.log_file) as file:
            return [line.rstrip("\n").split("\t") for line in file]

    def test_passes_on(self):
        self.assertEqual(self.ask()[:2], (200, BODY))
        self.assertEqual(self.ask(target="/chunked")[:2], (200, BODY))
        status, body, headers = self.ask("HEAD")
        self.assertEqual((status, body, headers["Content-Length"]), (200, b"", str(len(BODY))))
        self.assertEqual(self.ask("PUT", "/put", BODY, {"Host": "bucket.example:1"})[2]["ETag"], '"e"')
        self.assertEqual(Server.requests[-1], ("PUT", "/put", "bucket.example:1", BODY))
        authorization = "AWS4-HMAC-SHA256 Credential=key/20261122/eu-9/s3/aws4_request, SignedHeaders=host, Signature=0"
        self.ask("PUT", "/put", b"12", {"Authorization": authorization, "X-Amz-Date": "20261122T000000Z", "Expect": "100-continue"})
        self.assertEqual(self.log()[-2:], [["PUT", "/put", str(len(BODY)), "200", "200", "-", "-", "-"],
                                           ["PUT", "/put", "2", "200", "200", "-", "eu-9", "20261122T000000Z"]])

    def test_keeps_connections(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.connect()
        first = connection.sock
        for method in ["GET", "HEAD", "PUT", "GET"]:
            connection.request(method, "/key", BODY if method == "PUT" else None)
            self.assertEqual(connection.getresponse().read(), BODY if method == "GET" else b"")
            self.assertIs(connection.sock, first)
        connection.close()

    def test_answers_itself(self):
        self.rules("# errors", "", "PUT|POST /bucket/* always status 503 SlowDown 2", "GET *skewed always skew 3600",
                   "GET *region always region eu-west-7", "GET *moved always redirect 307 http://other:1")
        status, body, headers = self.ask("PUT", "/bucket/x", BODY)
        self.assertEqual((status, headers["Retry-After"]), (503, "2"))
        self.assertIn(b"<Code>SlowDown</Code>", body)
        self.assertEqual(Server.requests, [])
        status, body, headers = self.ask(target="/skewed")
        self.assertEqual(status, 403)
        offset = email.utils.parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
        self.assertAlmostEqual(offset, 3600, delta=10)
        self.assertIn(b"<Region>eu-west-7</Region>", self.ask(target="/region")[1])
        status, _, headers = self.ask(target="/moved")
        self.assertEqual((status, headers["Location"]), (307, "http://other:1/moved"))
        self.assertEqual([line[3:6] for line in self.log()],
                         [["-", "503", "status"], ["-", "403", "skew"], ["-", "400", "region"], ["-", "307", "redirect"]])

    def test_early_answer(self):
        self.rules("PUT * always early 403 AccessDenied")
        self.assertEqual(self.ask("PUT", "/x", BODY)[0], 403)
        self.assertEqual(self.log(), [["PUT", "/x", "0", "-", "403", "early", "-", "-"]])

    def test_no_answer(self):
        for fault, failure in [("close", (ConnectionError, http.client.HTTPException)), ("eat", http.client.RemoteDisconnected),
                               ("lose", http.client.RemoteDisconnected), ("garbage", http.client.BadStatusLine), ("stall", TimeoutError)]:
            with self.subTest(fault):
                Server.requests.clear()
                self.rules(f"* * always {fault}")
                with self.assertRaises(failure):
                    self.ask("PUT", "/x", BODY, timeout=0.3)
                self.assertEqual(len(Server.requests), fault == "lose")
                self.assertEqual(self.log()[-1][3:6], ["200" if fault == "lose" else "-", "-", fault])

    def test_spoiled_answers(self):
        for fault, failure in [("reset", ConnectionResetError), ("cut", http.client.IncompleteRead),
                               ("claim 5", http.client.IncompleteRead), ("freeze", TimeoutError)]:
            with self.subTest(fault):
                self.rules(f"* * always {fault}")
                with self.assertRaises(failure):
                    self.ask(timeout=0.5)
                self.assertEqual(self.log()[-1][4], "-")
        self.rules("* * always claim -5")
        self.assertEqual(self.ask()[1], BODY[:-5])

    def test_slow(self):
        self.rules("* * always slow 200000")
        begin = time.monotonic()
        self.assertEqual(self.ask()[1], BODY)
        self.assertGreater(time.monotonic() - begin, 0.3)

    def test_network(self):
        self.rules("* /off first:1 dark 1", "* /gone first:1 refuse 1")
        begin = time.monotonic()
        self.assertEqual(self.ask(target="/off")[1], BODY)
        self.assertGreater(time.monotonic() - begin, 0.9)
        with self.assertRaises(ConnectionResetError):
            self.ask(target="/gone")
        with self.assertRaises(ConnectionRefusedError):
            self.ask()
        deadline = time.monotonic() + 10
        while True:
            try:
                self.assertEqual(self.ask()[1], BODY)
                break
            except ConnectionRefusedError:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)

    def test_when(self):
        def statuses(when, targets):
            self.rules(f"GET * {when} status 500 InternalError")
            return "".join(str(self.ask(target=target)[0])[0] for target in targets)
        self.assertEqual(statuses("first:2", ["/a"] * 4), "5522")
        self.assertEqual(statuses("nth:2", ["/a"] * 4), "2522")
        self.assertEqual(statuses("every:3", ["/a"] * 6), "225225")
        self.assertEqual(statuses("once", ["/a", "/b", "/a", "/b", "/a?c"]), "55225")
        self.rules()
        self.assertEqual(self.ask()[0], 200)


class Usage(unittest.TestCase):
    def test_server_gone(self):
        with tempfile.TemporaryDirectory() as directory, socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            proxy = subprocess.Popen([FAULTY, str(nobody.getsockname()[1]), "/nonexistent", directory + "/log"], stdout=subprocess.PIPE)
            connection = http.client.HTTPConnection("127.0.0.1", int(proxy.stdout.readline()), timeout=10)
            connection.request("GET", "/")
            with self.assertRaises(http.client.RemoteDisconnected):
                connection.getresponse()
            connection.close()
            proxy.kill()
            proxy.wait()
            proxy.stdout.close()

    def test_wrong_rules(self):
        for rule in ["GET * always", "GET * sometimes close", "GET * every:0 close", "GET * once explode", "GET * always skew soon"]:
            with tempfile.NamedTemporaryFile("w") as rules, self.subTest(rule):
                rules.write(rule + "\n")
                rules.flush()
                proxy = subprocess.Popen([FAULTY, "1", rules.name, "/dev/null"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                connection = http.client.HTTPConnection("127.0.0.1", int(proxy.stdout.readline()), timeout=10)
                with self.assertRaises(ConnectionError):
                    connection.request("GET", "/")
                    connection.getresponse()
                connection.close()
                self.assertEqual(proxy.wait(), 2)
                proxy.stdout.close()


if __name__ == "__main__":
    FAULTY = sys.argv.pop(1)
    unittest.main()
