"""Spellings of URLs that must not be watched, and of some that may: one line each to add another.

`#` begins a comment, `\\x00` and the like are written as Python writes them.
"""

from codecs import decode


def _lines(text: str) -> list[str]:
    lines = (line.partition(" # ")[0].strip() for line in text.splitlines())
    return [decode(line, "unicode_escape") if "\\" in line else line for line in lines if line]


FORBIDDEN = _lines(r"""
http://127.0.0.1/
http://127.0.0.1:8080/
http://127.0.0.1:80/
http://127.0.0.1./
http://127.0.0.1#x
http://127.0.0.1?x
http://127.0.0.1:443/x
https://127.0.0.1/
HTTP://127.0.0.1/
hTtP://127.0.0.1/
http://127.0.0.2/
http://127.255.255.255/
http://127.1/
http://127.0.1/
http://127.0x1/
http://0x7f.1/
http://0x7f000001/
http://0X7F000001/
http://0x7f.0x0.0x0.0x1/
http://0177.0.0.1/
http://0177.0.0.01/
http://00000177.0.0.1/
http://017700000001/
http://2130706433/
http://2130706433:80/
http://0x7F.00.00.0x01/
http://127.000.000.001/
http://127.0.0.0x1/
http://127.65535/
http://0/
http://00/
http://0x0/
http://0x/
http://0.0.0.0/
http://0.0.0.1/
http://0.255.255.255/
http://10.0.0.1/
http://10.255.255.255/
http://10.1/
http://0xa.1/
http://012.0.0.1/
http://167772161/
http://172.16.0.1/
http://172.31.255.255/
http://172.16.1/
http://0xac100001/
http://192.168.0.1/
http://192.168.1/
http://192.168.65535/
http://0xc0a80001/
http://3232235521/
http://100.64.0.1/
http://100.127.255.255/
http://100.100.100.200/
http://169.254.0.1/
http://169.254.169.254/
http://169.254.169.254:80/latest/meta-data/
http://169.254.170.2/v2/credentials
http://169.254.100.1:9001/
http://169.16689662/
http://2852039166/
http://0xa9fea9fe/
http://0xA9.0xFE.0xA9.0xFE/
http://0251.0376.0251.0376/
http://0251.254.0xa9.254/
http://168.63.129.16/
http://192.0.0.1/
http://192.0.0.192/
http://192.0.2.1/
http://192.88.99.1/
http://198.18.0.1/
http://198.19.255.255/
http://198.51.100.1/
http://203.0.113.1/
http://233.252.0.1/
http://224.0.0.1/
http://239.255.255.255/
http://240.0.0.1/
http://255.255.255.255/
http://4294967295/
http://0xffffffff/
http://[::1]/
http://[::1]:8080/
http://[0:0:0:0:0:0:0:1]/
http://[0000:0000:0000:0000:0000:0000:0000:0001]/
http://[::0001]/
http://[::]/
http://[0::0]/
http://[::127.0.0.1]/
http://[::7f00:1]/
http://[::8.8.8.8]/
http://[::ffff:127.0.0.1]/
http://[::FFFF:127.0.0.1]/
http://[::ffff:7f00:1]/
http://[0:0:0:0:0:ffff:127.0.0.1]/
http://[::ffff:10.0.0.1]/
http://[::ffff:169.254.169.254]/
http://[::ffff:a9fe:a9fe]/
http://[::ffff:100.64.0.1]/
http://[::ffff:8.8.8.8]/
http://[::ffff:0:127.0.0.1]/
http://[::ffff:0:0:1]/
http://[64:ff9b::7f00:1]/
http://[64:ff9b::127.0.0.1]/
http://[64:ff9b::a9fe:a9fe]/
http://[64:ff9b::10.0.0.1]/
http://[64:ff9b:1::7f00:1]/
http://[64:ff9b:1:ffff::1]/
http://[100::1]/
http://[100:0:0:1::1]/
http://[2001::1]/
http://[2001:0:7f00:1::]/
http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/
http://[2001:2::1]/
http://[2001:10::1]/
http://[2001:20::1]/
http://[2001:db8::1]/
http://[2001:1ff::1]/
http://[2002:7f00:1::]/
http://[2002:7f00:1::1]/
http://[2002:a9fe:a9fe::]/
http://[2002:a00:1::1]/
http://[2002:808:808::1]/
http://[3fff::1]/
http://[3fff:fff::1]/
http://[4000::1]/
http://[5f00::1]/
http://[1::1]/
http://[fc00::1]/
http://[fd00::1]/
http://[fd00:ec2::254]/
http://[fd20:ce::254]/
http://[fdff:ffff::1]/
http://[fe80::1]/
http://[febf::1]/
http://[fec0::1]/
http://[feff::1]/
http://[ff00::1]/
http://[ff02::1]/
http://[ff0e::1]/
http://[8000::1]/
http://[::1%25lo]/
http://[fe80::1%25eth0]/
http://[fe80::1%eth0]/
http://localhost/
http://LOCALHOST/
http://LocalHost:8080/
http://localhost./
http://a.localhost/
http://a.b.localhost./
http://metadata.google.internal/
http://METADATA.google.internal./
http://instance-data.ec2.internal/
http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/ # full-width digits
http://127\u30020\u30020\u30021/ # ideographic full stops
http://127\uff0e0\uff0e0\uff0e1/ # full-width full stops
http://\u2460\u2461\u2466.0.0.1/ # circled digits
http://\u24c1ocalhost/ # a circled letter
http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54/
http://\u2488127.0.0.1/
http://1\u06f27.0.0.1/
http://%31%32%37.0.0.1/
http://127.0.0.1%2f@example.com/
http://127%2e0%2e0%2e1/
http://%6cocalhost/
http://user@127.0.0.1/
http://user:password@127.0.0.1/
http://example.com@127.0.0.1/
http://127.0.0.1@example.com/
http://example.com:80@127.0.0.1/
http://example.com%40127.0.0.1/
http://@127.0.0.1/
http://:@example.com/
http://user:pass@example.com/
http://127.0.0.1\\@example.com/
http://example.com\\@127.0.0.1/
http:\\\\127.0.0.1\\
http:/\\127.0.0.1/
http://\\127.0.0.1/
http:///127.0.0.1/
http:/127.0.0.1/
http:127.0.0.1/
http:////example.com/
http://
http:///
http://:80/
http://?x
http://#x
http://.
http://..
http://.example.com/
http://example..com/
http://exa mple.com/
http://exam\x00ple.com/
http://example.com\x00.evil/
http://example.com\r\nX: y/
http://example.com/\r\nX: y
http://example.com/\nX
http://example.com/\tx
http://example.com/\x7f
http://example.com/a b
\x01http://example.com/
http://example.com/\x00
http://example.com:0/
http://example.com:65536/
http://example.com:99999999999/
http://example.com:-1/
http://example.com:+80/
http://example.com:80:80/
http://example.com:8o/
http://example.com:\u0668\u0660/
http://example.com:\xb2/
http://example.com:0x50/
http://example.com:25/
http://example.com:110/
http://example.com:143/
http://example.com:465/
http://example.com:587/
http://example.com:1433/
http://example.com:3306/
http://example.com:5432/
http://example.com:6379/
http://example.com:11211/
http://example.com:27017/
http://[example.com]/
http://[127.0.0.1]/
http://[::1/
http://::1]/
http://::1/
http://[]/
http://[::1]x/
http://[::1]@example.com/
http://[:::1]/
http://[::ffff:127.0.0.1.5]/
http://[::ffff:127.0.0]/
http://[v1.x]/
http://1.2.3.4.5/
http://1.2.3.256/
http://256.1.1.1/
http://1.2.65536.1/
http://1.2.3.4x.5/
http://4294967296/
http://0x100000000/
http://08.0.0.1/
http://1.2.3.09/
http://example.0/
http://example.0x7f/
http://-example.com/
http://exa$mple.com/
http://exa<b>mple.com/
http://exa'mple.com/
http://exa;mple.com/
http://exa^mple.com/
http://exa|mple.com/
http://exa{}mple.com/
http://exa`mple.com/
http://xn--\u00e4.com/
http://*.example.com/
file:///etc/passwd
file://127.0.0.1/etc/passwd
ftp://example.com/
gopher://127.0.0.1:6379/_x
dict://127.0.0.1:11211/
ldap://127.0.0.1/
ws://example.com/
jar:http://example.com!/
data:text/plain,x
javascript:alert(1)
about:blank
unix:///var/run/docker.sock
http+unix://%2Fvar%2Frun%2Fdocker.sock/
httpx://example.com/
http
://example.com/
//example.com/
/etc/passwd
example.com
example.com:80
127.0.0.1
monitum.example
http://monitum.example/
https://monitum.example/v1/targets
http://MONITUM.example./
http://monitum.example:8080/
http://other.example:4566/
http://93.184.216.34:4566/
""")
FORBIDDEN += [
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 127 + "com/",
    "http://example.com/" + "x" * 2048,
    "http://" + "1" * 400 + "/",
    "",
    " ",
    " http://example.com/",
    "http://example.com/ ",
]
# Monitum's own endpoints for the table above.
OWN_HOSTS = frozenset({"monitum.example", "other.example:4566", "93.184.216.34:4566"})

# A spelling, and what Monitum makes of it.
ALLOWED = {
    "http://example.com": "http://example.com/",
    "HTTPS://Example.COM/Path?q=A#frag": "https://example.com/Path?q=A",
    "https://example.com.:443/": "https://example.com/",
    "http://example.com:/": "http://example.com/",
    "http://example.com:80/": "http://example.com/",
    "http://example.com:443/": "http://example.com:443/",
    "http://example.com:8080?x": "http://example.com:8080/?x",
    "https://b\u00fccher.example/caf\u00e9?\u00fc": "https://xn--bcher-kva.example/caf%C3%A9?%C3%BC",
    "http://under_score.example/": "http://under_score.example/",
    "http://a-b.example/%2F%zz": "http://a-b.example/%2F%zz",
    "http://8.8.8.8/": "http://8.8.8.8/",
    "http://0x08080808/": "http://8.8.8.8/",
    "http://134744072/": "http://8.8.8.8/",
    "http://[2606:4700:4700::1111]/": "http://[2606:4700:4700::1111]/",
    "http://[2606:4700:4700:0::1111]:8080/": "http://[2606:4700:4700::1111]:8080/",
    "http://100.63.255.255/": "http://100.63.255.255/",
    "http://172.32.0.1/": "http://172.32.0.1/",
    "http://11.0.0.1/": "http://11.0.0.1/",
    "http://128.0.0.1/": "http://128.0.0.1/",
    "http://169.253.0.1/": "http://169.253.0.1/",
    "http://other.example/": "http://other.example/",
    "http://localhost.example/": "http://localhost.example/",
    "http://127.0.0.1.example/": "http://127.0.0.1.example/",
    "http://example.com/a@b:c": "http://example.com/a@b:c",
    'http://example.com/<x>"{y}|^`': "http://example.com/%3Cx%3E%22%7By%7D%7C%5E%60",
    "http://example.com/..//./a": "http://example.com/..//./a",
}
