#!/usr/bin/env python3
"""A small S3 client for tests, made from the documentation and sharing nothing with kura's own.

s3client.py make BUCKET                  makes a bucket
s3client.py make-locked BUCKET DAYS      makes one with Object Lock, governing every new object for so many days
s3client.py policy BUCKET FILE           puts a bucket policy
s3client.py put BUCKET KEY [FILE]        puts an object (standard input without FILE)
s3client.py get BUCKET KEY               writes an object to standard output
s3client.py head BUCKET KEY              prints its size
s3client.py delete BUCKET KEY            removes an object
s3client.py list BUCKET [PREFIX]         prints "SIZE<TAB>KEY" of all objects, in the server's order
s3client.py download BUCKET PREFIX DIR   writes every object below DIR, under its key without PREFIX
s3client.py clear BUCKET PREFIX          removes every object that begins with PREFIX

S3_ENDPOINT, S3_REGION, S3_ACCESS and S3_SECRET name the server and the key; S3_CA a file of CA certificates. A refusal
is printed as "STATUS CODE" on standard error, and the exit status is then 1.
"""
import base64
import datetime
import hashlib
import hmac
import http.client
import os
import re
import ssl
import sys
import urllib.parse
import xml.etree.ElementTree


class Refused(Exception):
    pass


def sign(method, path, query, headers):
    """The Authorization header of AWS Signature Version 4 over these headers, named in lower case."""
    moment, body_hash, region = headers["x-amz-date"], headers["x-amz-content-sha256"], os.environ["S3_REGION"]
    day = moment[:8]
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join([method, path, query, lines, names, body_hash])
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + os.environ["S3_SECRET"]).encode()
    for part in [day, region, "s3", "aws4_request"]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={os.environ['S3_ACCESS']}/{scope}, SignedHeaders={names}, Signature={signature}"


def connect(endpoint):
    if endpoint.scheme == "https":
        context = ssl.create_default_context(cafile=os.environ.get("S3_CA"))
        return http.client.HTTPSConnection(endpoint.hostname, endpoint.port, timeout=60, context=context)
    return http.client.HTTPConnection(endpoint.hostname, endpoint.port, timeout=60)


def request(method, bucket, key="", body=b"", more_headers={}, **arguments):
    """One request; the body of a good answer (of HEAD: its length)."""
    endpoint = urllib.parse.urlsplit(os.environ["S3_ENDPOINT"])
    path = urllib.parse.quote(f"/{bucket}/{key}" if key else f"/{bucket}", safe="/-._~")
    quote = lambda text: urllib.parse.quote(text, safe="-._~")
    query = "&".join(sorted(f"{quote(name)}={quote(value)}" for name, value in arguments.items()))
    headers = {"host": endpoint.netloc, "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
               "x-amz-date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ"), **more_headers}
    connection = connect(endpoint)
    connection.request(method, path + ("?" + query if query else ""), body,
                       {**headers, "Authorization": sign(method, path, query, headers)})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= 300:
        code = re.search(rb"<Code>([^<]*)</Code>", content)
        raise Refused(f"{answer.status} {code.group(1).decode() if code else answer.reason}")
    return int(answer.headers["Content-Length"]) if method == "HEAD" else content


def objects(bucket, prefix):
    arguments = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
    while True:
        page = xml.etree.ElementTree.fromstring(request("GET", bucket, **arguments))
        tag = lambda name: page.tag.replace("ListBucketResult", name)
        for entry in page.iter(tag("Contents")):
            yield urllib.parse.unquote_plus(entry.findtext(tag("Key"))), int(entry.findtext(tag("Size")))
        if page.findtext(tag("IsTruncated")) != "true":
            return
        arguments["continuation-token"] = page.findtext(tag("NextContinuationToken"))


def download(bucket, prefix, directory):
    for key, _ in objects(bucket, prefix):
        path = os.path.join(directory, key[len(prefix):].lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(request("GET", bucket, key))


def make_locked(bucket, days):
    request("PUT", bucket, more_headers={"x-amz-bucket-object-lock-enabled": "true"})
    retention = f"<DefaultRetention><Mode>GOVERNANCE</Mode><Days>{days}</Days></DefaultRetention>"
    body = ('<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled>'
            f"<Rule>{retention}</Rule></ObjectLockConfiguration>").encode()
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    request("PUT", bucket, body=body, more_headers={"content-md5": md5}, **{"object-lock": ""})


def main(command, bucket, *rest):
    if command == "make":
        request("PUT", bucket)
    elif command == "make-locked":
        make_locked(bucket, rest[0])
    elif command == "policy":
        with open(rest[0], "rb") as file:
            request("PUT", bucket, body=file.read(), policy="")
    elif command == "put":
        with open(rest[1] if len(rest) > 1 else "/dev/stdin", "rb") as file:
            request("PUT", bucket, rest[0], file.read())
    elif command == "get":
        sys.stdout.buffer.write(request("GET", bucket, rest[0]))
    elif command == "head":
        print(request("HEAD", bucket, rest[0]))
    elif command == "delete":
        request("DELETE", bucket, rest[0])
    elif command == "list":
        for key, size in objects(bucket, rest[0] if rest else ""):
            print(f"{size}\t{key}")
    elif command == "download":
        download(bucket, *rest)
    elif command == "clear":
        for key, _ in list(objects(bucket, rest[0])):
            request("DELETE", bucket, key)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Refused as refusal:
        sys.exit(str(refusal))
