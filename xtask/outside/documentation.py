"""Serves a real documentation as a site, one of its folders protected, and fetches every file of it.

The bytes on the disk say what is right; Python's own HTTP client and bare sockets do the asking.

    documentation.py FOLDER
"""

import gzip
import pathlib
import random
import re
import shutil
import sys
import tempfile
import urllib.parse

from checks import Checks, expect, expect_answer
from client import Client
from server import NO_LIMITS, Server
from wire import Wire

PROTECTED = "c3ref"
SECRET = "c3ref/open.html"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".odg": "application/vnd.oasis.opendocument.graphics",
    ".pdf": "application/pdf",
    ".pikchr": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

# Databases that the package brings, and what ends up in such a folder by mistake.
WITHHELD = [
    "toc.db.gz",
    "search.d/search.db.gz",
    "toc.db",
    "toc.db-wal",
    "dump.sql",
    "vestibule.toml",
    "images/secret.key",
    "session/server.pem",
    "index.html~",
    "index.html.bak",
    ".htpasswd",
    ".git/config",
    ".env",
    "images/.hidden/a.png",
]

# What the protected file might be called so that the rule does not see it and the file system does.
SPELLINGS = """
    //{f}/{n} ///{f}/{n} /{f}//{n} /./{f}/{n} /{f}/./{n} /.//{f}/{n} /{f}/../{f}/{n} /images/../{f}/{n}
    /images/../../{f}/{n} /../{f}/{n} /../../../../{f}/{n} /index.html/../{f}/{n} /images/%2e%2e/{f}/{n}
    /images/.%2e/{f}/{n} /images/%2E./{f}/{n} /images/..%2f{f}/{n} /images/..%5c{f}/{n} /images/..\\{f}\\{n}
    /images/%252e%252e/{f}/{n} /images/%252e%252e%252f{f}%252f{n} /images/..;/{f}/{n} /images/..;a=b/{f}/{n}
    /{f}%2f{n} /{f}%2F{n} /%2f{f}/{n} /%2F%2f{f}/{n} /{f}%5c{n} /{f}%5C{n} /{f}\\{n} \\{f}\\{n} /\\{f}/{n}
    /{f};/{n} /{f};a=b/{n} /;/{f}/{n} /;a/{f}/{n} /{f}/{n}; /{f}/{n};a=b /{f}/{n};.css /{f}%3b/{n} /{f}/{n}%3b.css
    /{f}%00/{n} /{f}/{n}%00 /{f}/{n}%00.css /%00/{f}/{n} /{f}/{n}%0a /{f}/{n}%0d%0a /{f}/%0a{n} /{f}/{n}%09
    /{f}/{n}/ /{f}/{n}// /{f}/{n}/. /{f}/{n}/.. /{f}/{n}/../{n} /{f}/{n}%2f /{f}/{n}. /{f}/{n}%2e /{f}/{n}%20
    /{f}%20/{n} /%20/{f}/{n} /%20{f}/{n} /{f}./{n} /{f}%2e/{n} /{f}/{n}::$DATA /{f}::$INDEX_ALLOCATION/{n}
    /%c0%af{f}/{n} /{f}%c0%af{n} /%c1%a3{t}/{n} /%e0%80%af{f}/{n} /{f}%ef%bc%8f{n} /{f}%e2%88%95{n}
    /{f}%u002f{n} /%u0063{t}/{n} /%ef%bd%83{t}/{n} /{f}%e2%80%8b/{n} /{f}%c2%ad/{n} /%ef%bb%bf/{f}/{n} /{f}%ff/{n}
    /%2563{t}/{n} /%25%36%33{t}/{n} /{f}/%256fpen.html /{f}/%6{n} /{f}/%{n} /%/{f}/{n} /{f}/{n}% /{f}/{n}%2
    /{F}/{n} /{f}/{N} /{F}/{N} /{f}/{n}?a.css /{f}/{n}?/../index.html /{f}/{n}%3fa.css /{f}/{n}%23a.css /{f}/{n}#a.css
    /login/../{f}/{n} /login/..%2f{f}/{n} /api/../{f}/{n} /api/ui/../../{f}/{n} /api/ui/..%2f..%2f{f}/{n}
    /api/ui//{f}/{n} /livez/../{f}/{n} /.well-known/../{f}/{n} /.well-known//../{f}/{n} /404.html/../{f}/{n}
    {f}/{n} ./{f}/{n} ../{f}/{n} *{f}/{n} ?/{f}/{n} http://{h}/{f}/{n} http://{h}//{f}/{n} http://{h}/images/../{f}/{n}
    http://{h}@elsewhere.test/{f}/{n} http://elsewhere.test/{f}/{n} http:///{f}/{n} http:/{f}/{n} https://{h}/{f}/{n}
    file:///{f}/{n} /http://{h}/{f}/{n} //{h}/{f}/{n} /{f}/{n}.gz /{f}/{n}.br /{f}/{n}~ /{f}/* /{f}/ /{f}
""".split()

# What a stranger might add to the plain request; two blanks stand between fields.
FIELDS = re.split(
    r"\s{2,}",
    """\
X-Original-URL: /index.html  X-Rewrite-URL: /index.html  X-Forwarded-Uri: /index.html  X-Forwarded-For: 127.0.0.1
X-Forwarded-Prefix: /images  X-HTTP-Method-Override: OPTIONS  X-Original-Method: OPTIONS  Remote-User: admin
Remote_User: admin  Remote-Groups: admin  X-Remote-User: admin  Authorization: Bearer  Authorization: Bearer null
Authorization: Basic YWRtaW46YWRtaW4=  Authorization: Digest username="admin"  Authorization: bearer undefined
Cookie: vestibule=x  Cookie: vestibule=  Cookie: vestibule=eyJhbGciOiJub25lIn0.e30.  Cookie: ;;=;vestibule
Range: bytes=0-99  Range: bytes=-1  If-None-Match: *  If-Match: *  If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT
Referer: http://localhost/c3ref/  Origin: http://localhost  Sec-Fetch-Site: same-origin  Purpose: prefetch
User-Agent: Googlebot/2.1  Accept-Encoding: gzip, br  Connection: Authorization  Upgrade: h2c
X-Accel-Redirect: /c3ref/open.html  X-Sendfile: c3ref/open.html  Content-Length: 0  Expect: 100-continue""",
)

METHODS = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "COPY", "PURGE", "get", "GETS"]


class Site:
    """A copy of the documentation with strays and links in it, the server before it, and a user."""

    def __init__(self, folder, url):
        self.folder = folder
        self.url = url
        self.client = Client(url)
        answer = self.client.register("ada@example.org", "a long and uncommon sentence")
        expect_answer(answer, 201)
        self.user = {"Authorization": f"Bearer {answer['access_token']}"}
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        self.protected = [file for file in files if file.startswith(f"{PROTECTED}/")]
        self.public = [file for file in files if file not in {*self.protected, *WITHHELD, *LINKS}]

    def bytes(self, file):
        return (self.folder / file).read_bytes()

    def fetch(self, file, headers=None, method="GET"):
        return self.client.ask(method, "/" + urllib.parse.quote(file), headers)

    def strangers_raw_answers(self, target, field="", method="GET"):
        """What comes back for a target that no library would send as it is."""
        host = urllib.parse.urlsplit(self.url).netloc
        with Wire(self.url) as wire:
            field = f"{field}\r\n" if field else ""
            wire.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{field}\r\n".encode())
            return [answer for answer in iter(lambda: wire.answer(method), None) if answer.status != 100]


# A link may lead to another public file, and nowhere else.
LINKS = {
    "link-to-public.html": "about.html",
    "link-to-protected.html": SECRET,
    "link-to-withheld.txt": "toc.db",
    "link-to-hidden.txt": ".env",
    "link-out.txt": "../outside.txt",
    "link-to-itself.html": "link-to-itself.html",
    "link-to-folder": PROTECTED,
}


def prepare(documentation, folder):
    """Copies the documentation and puts into it what should never have been there."""
    shutil.copytree(documentation, folder)
    for stray in WITHHELD:
        (folder / stray).parent.mkdir(exist_ok=True)
        if not (folder / stray).exists():
            (folder / stray).write_text("nobody's business")
    for page in sorted(folder.glob("lang_*.html")):
        page.with_name(f"{page.name}.gz").write_bytes(gzip.compress(page.read_bytes(), 6))
    (folder.parent / "outside.txt").write_text("nobody's business")
    for link, leads_to in LINKS.items():
        (folder / link).symlink_to(leads_to)


def every_public_file_arrives_whole_and_with_its_type(site):
    assert len(site.public) > 500, len(site.public)
    for file in site.public:
        answer = site.fetch(file)
        expect((file, answer.status), (file, 200))
        assert answer.bytes == site.bytes(file), file
        expect((file, answer.headers["Content-Type"]), (file, TYPES[pathlib.PurePath(file).suffix]))
        expect((file, answer.headers["Cache-Control"]), (file, "no-cache"))
        expect(answer.headers["X-Content-Type-Options"], "nosniff")


def every_file_has_a_strong_etag_which_saves_fetching_it_again(site):
    etags = set()
    for file in site.public:
        etag = site.fetch(file, method="HEAD").headers["ETag"]
        assert re.fullmatch(r'"[^"]+"', etag), etag
        etags.add(etag)
        for known in (etag, f'"other", W/{etag}', "*"):
            answer = site.fetch(file, {"If-None-Match": known})
            expect((file, answer.status, answer.bytes, answer.headers["ETag"]), (file, 304, b"", etag))
        expect((file, site.fetch(file, {"If-None-Match": '"other"'}).status), (file, 200))
        expect((file, site.fetch(file, {"If-Match": '"other"'}).status), (file, 412))
    expect(len(etags), len(site.public))


def head_says_what_get_would_and_sends_nothing(site):
    for file in site.public:
        head, get = site.fetch(file, method="HEAD"), site.fetch(file)
        expect((file, head.status, head.bytes), (file, 200, b""))
        for answer in (head, get):
            del answer.headers["X-Request-Id"], answer.headers["Date"]
        expect((file, sorted(head.headers.items())), (file, sorted(get.headers.items())))
        expect(int(head.headers["Content-Length"]), len(get.bytes))


def any_range_of_any_file_is_that_part_of_it(site):
    chance = random.Random(1)
    for file in site.public:
        whole = site.bytes(file)
        first = chance.randrange(len(whole))
        last = chance.randrange(first, len(whole))
        tail = chance.randrange(1, len(whole) + 1)
        for field, start, end in (
            (f"{first}-{last}", first, last + 1),
            (f"{first}-", first, len(whole)),
            (f"-{tail}", len(whole) - tail, len(whole)),
            (f"{first}-{len(whole) * 2}", first, len(whole)),
        ):
            answer = site.fetch(file, {"Range": f"bytes={field}"})
            expect((file, field, answer.status), (file, field, 206))
            assert answer.bytes == whole[start:end], (file, field)
            expect(answer.headers["Content-Range"], f"bytes {start}-{end - 1}/{len(whole)}")
        answer = site.fetch(file, {"Range": f"bytes={len(whole)}-"})
        expect((file, answer.status, answer.headers["Content-Range"]), (file, 416, f"bytes */{len(whole)}"))
        changed = site.fetch(file, {"Range": "bytes=0-0", "If-Range": '"other"'})
        expect((file, changed.status, len(changed.bytes)), (file, 200, len(whole)))


def a_compressed_copy_goes_to_those_who_take_it(site):
    for file in [file for file in site.public if f"{file}.gz" in site.public]:
        answer = site.fetch(file, {"Accept-Encoding": "gzip"})
        expect((file, answer.status, answer.headers["Content-Encoding"]), (file, 200, "gzip"))
        expect(answer.headers["Content-Type"], TYPES[".html"])
        assert gzip.decompress(answer.bytes) == site.bytes(file), file
        plain = site.fetch(file)
        expect((plain.headers["Content-Encoding"], plain.headers["Vary"]), (None, "Accept-Encoding"))
        assert plain.headers["ETag"] != answer.headers["ETag"], file


def a_folder_is_its_index_page_or_nothing(site):
    assert site.client.get("/").bytes == site.bytes("index.html")
    for folder in sorted(path for path in site.folder.iterdir() if path.is_dir() and path.name[0] != "."):
        if folder.name in {PROTECTED, *LINKS}:
            continue
        answer = site.client.get(f"/{folder.name}")
        expect((folder.name, answer.headers["Location"]), (folder.name, f"/{folder.name}/"))
        expect(answer.status, 301, 302, 307, 308)
        expected = 200 if (folder / "index.html").exists() else 404
        expect((folder.name, site.client.get(f"/{folder.name}/").status), (folder.name, expected))


def every_link_of_every_page_leads_to_what_the_disk_holds(site):
    links = set()
    for page in [file for file in site.public if file.endswith(".html")]:
        for link in re.findall(r"\b(?:href|src)=[\"']?([^\"'\s>]+)", site.bytes(page).decode("latin-1")):
            target = urllib.parse.urlsplit(urllib.parse.urljoin(f"http://site/{page}", link))
            if target.netloc == "site" and target.scheme == "http":
                links.add(target.path)
    assert len(links) > 500, len(links)
    for path in sorted(links):
        file = urllib.parse.unquote(path).lstrip("/") or "index.html"
        if file in WITHHELD or not (site.folder / file).is_file():
            expected = {401} if file.startswith(f"{PROTECTED}/") else {404, 301, 302, 307, 308}
        else:
            expected = {401} if file in site.protected else {200}
        status = site.client.ask("HEAD", urllib.parse.quote(path, safe="/%")).status
        expect((path, status), *((path, each) for each in expected))


def a_stranger_gets_no_protected_file(site):
    assert len(site.protected) > 100, len(site.protected)
    for file in site.protected:
        for headers in ({}, {"If-None-Match": "*"}, {"Range": "bytes=0-9"}, {"Sec-Fetch-Mode": "cors"}):
            answer = site.fetch(file, headers)
            expect((file, answer.status), (file, 401))
            assert answer.headers["WWW-Authenticate"] and not answer.headers["ETag"], file
            expect(answer["code"], "missing_token")
        expect((file, site.fetch(file, method="HEAD").status), (file, 401))


def a_stranger_who_opens_a_protected_page_is_sent_to_log_in(site):
    for file in site.protected:
        for headers in ({"Sec-Fetch-Mode": "navigate"}, {"Accept": "text/html,*/*;q=0.8"}):
            answer = site.fetch(file, headers)
            path = urllib.parse.quote(f"/{file}")
            expect((answer.status, answer.headers["Location"]), (303, f"/login?next={path}"))
            assert site.bytes(file)[:200] not in answer.bytes


def a_user_gets_every_protected_file(site):
    for file in site.protected:
        answer = site.fetch(file, site.user)
        expect((file, answer.status), (file, 200))
        assert answer.bytes == site.bytes(file), file
        expect(answer.headers["Cache-Control"], "private, no-cache")
        known = {"If-None-Match": answer.headers["ETag"]}
        expect((file, site.fetch(file, {**site.user, **known}).status), (file, 304))
        expect((file, site.fetch(file, known).status), (file, 401))
        expect((file, site.fetch(file, {**site.user, "Range": "bytes=5-9"}).bytes), (file, site.bytes(file)[5:10]))


def databases_keys_and_hidden_files_are_withheld_from_everybody(site):
    for file in WITHHELD:
        assert (site.folder / file).is_file(), file
        for headers in ({}, site.user, {"Range": "bytes=0-9"}, {"Accept-Encoding": "gzip, br"}):
            answer = site.fetch(file, headers)
            expect((file, answer.status), (file, 404))
            assert site.bytes(file)[:16] not in answer.bytes, file


def a_link_opens_no_more_than_the_name_it_leads_to(site):
    expect(site.fetch("link-to-public.html").bytes, site.bytes("about.html"))
    expect_answer(site.fetch("link-to-protected.html"), 401)
    expect(site.fetch("link-to-protected.html", site.user).bytes, site.bytes(SECRET))
    expect_answer(site.fetch(f"link-to-folder/{pathlib.PurePath(SECRET).name}"), 401)
    for link in ("link-to-withheld.txt", "link-to-hidden.txt", "link-out.txt", "link-to-itself.html"):
        expect((link, site.fetch(link, site.user).status), (link, 404))


def no_spelling_of_a_protected_path_gives_its_bytes_to_a_stranger(site):
    folder, name = SECRET.split("/")
    names = {"f": folder, "n": name, "F": folder.upper(), "N": name.upper(), "t": folder[1:]}
    names["h"] = urllib.parse.urlsplit(site.url).netloc
    for spelling in SPELLINGS:
        stays_secret(site, spelling.format(**names))


def no_header_and_no_method_gives_protected_bytes_to_a_stranger(site):
    for field in FIELDS:
        stays_secret(site, f"/{SECRET}", field=field)
        # The same words must not turn a public address into the protected one.
        stays_secret(site, "/absent.html", field=field)
    for method in METHODS:
        stays_secret(site, f"/{SECRET}", method=method)


def a_path_written_with_escapes_is_the_same_path_for_strangers_and_users(site):
    chance = random.Random(2)
    for _ in range(300):
        target = "/" + "".join(
            chance.choice((letter, f"%{ord(letter):02x}", f"%{ord(letter):02X}")) if letter != "/" else letter
            for letter in SECRET
        )
        expect((target, [answer.status for answer in site.strangers_raw_answers(target)]), (target, [401]))
        assert site.client.ask("GET", target, site.user).bytes == site.bytes(SECRET), target


def stays_secret(site, target, **more):
    secret = site.bytes(SECRET)
    answers = site.strangers_raw_answers(target, **more)
    expect((target, more, len(answers)), (target, more, 1))
    answer = answers[0]
    assert answer.status in (303, 400, 401, 403, 404, 405), (target, more, answer)
    for position in range(0, len(secret) - 64, 64):
        piece = secret[position : position + 64]
        assert piece not in answer.body, (target, more, answer)


CHECKS = [
    every_public_file_arrives_whole_and_with_its_type,
    every_file_has_a_strong_etag_which_saves_fetching_it_again,
    head_says_what_get_would_and_sends_nothing,
    any_range_of_any_file_is_that_part_of_it,
    a_compressed_copy_goes_to_those_who_take_it,
    a_folder_is_its_index_page_or_nothing,
    every_link_of_every_page_leads_to_what_the_disk_holds,
    a_stranger_gets_no_protected_file,
    a_stranger_who_opens_a_protected_page_is_sent_to_log_in,
    a_user_gets_every_protected_file,
    databases_keys_and_hidden_files_are_withheld_from_everybody,
    a_link_opens_no_more_than_the_name_it_leads_to,
    no_spelling_of_a_protected_path_gives_its_bytes_to_a_stranger,
    no_header_and_no_method_gives_protected_bytes_to_a_stranger,
    a_path_written_with_escapes_is_the_same_path_for_strangers_and_users,
]

checks = Checks()
with tempfile.TemporaryDirectory(prefix="vestibule-") as temporary:
    folder = pathlib.Path(temporary) / "site"
    prepare(sys.argv[1], folder)
    with Server(*NO_LIMITS, site=folder, protect=f"/{PROTECTED}/**") as server:
        checks.run_all(CHECKS, Site(folder, server.url))
checks.finish()
