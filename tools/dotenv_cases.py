"""Makes tests/config/dotenv_cases.json: what python-dotenv reads from the inputs below.

    python3 -m venv /tmp/dotenv && /tmp/dotenv/bin/pip install python-dotenv==1.2.4
    /tmp/dotenv/bin/python tools/dotenv_cases.py > tests/config/dotenv_cases.json

A file is read as load_dotenv() reads it: from disk, the real environment before the file's own values.
Keys without "=" have the value None there and are left out here.
"""

import json
import logging
import os
import tempfile

from dotenv.main import DotEnv

REAL = {"REAL": "from-environment", "EMPTY": ""}

INPUTS = [
    # Nothing to read
    "",
    "\n\n  \n\t\n",
    "# only a comment",
    "  # an indented comment\nK=a\n",
    # Comments
    "K=a#b",
    "K=a #b",
    "K=a\t#b",
    "K=a # b # c",
    "K= #c",
    "K=  # c",
    "K=#c",
    "K='a' # b",
    'K="a"#b',
    'K="a # b"',
    "K='a # b'",
    "K # no value\nL=b",
    "A=1\n#B=2\nC=3\n",
    # Values without quotes
    "K=a",
    "K=",
    "K=\nL=b",
    "K = a",
    "K  =  a b  ",
    "\tK=a",
    "K=a=b=c",
    "K=a b",
    "K=it's",
    'K=say "hi"',
    "K=a\\nb",
    "K=C:\\temp\\new",
    "K=$REAL",
    "K=glsa_AbC123_0f9e8d7c",
    "K=00a#B$c%d^e&f*g(h)",
    # Names
    "export K=a",
    "export\tK=a",
    "export K",
    "export=a",
    "'quoted key'=a",
    "K.with-dots=a",
    "1=a",
    "MÄR=ä\nNAME=Zoë 漢字 🙂",
    # Quotes
    "K='a b'",
    'K="a b"',
    "K=''",
    'K=""',
    "K= 'a' ",
    "K='it\\'s'",
    "K='a\\nb'",
    "K='a\\\\b'",
    'K="say \\"hi\\""',
    'K="a\\nb\\tc"',
    'K="a\\\\nb"',
    'K="a\\\\"\nL=b',
    'K="\\a\\b\\f\\v\\r\\z"',
    'K="caf\\u00e9"',
    "K=\"it's\"",
    "K='say \"hi\"'",
    # Several lines
    'K="one\ntwo"\nL=b',
    "K='one\ntwo # three\n'\nL=b",
    "K=one\\\ntwo=b",
    # Line ends and byte order mark
    "A=1\r\nB=2\r\n",
    "A=1\r\n# comment\r\nB='2'\r\n",
    "A=1\rB=2\r",
    'A="one\r\ntwo"\r\n',
    "\ufeffA=1\nB=2\n",
    # Variables
    "K=${REAL}",
    "K=a-${REAL}-b-${REAL}",
    "K='${REAL}'",
    'K="${REAL}"',
    "K=${UNSET}",
    "K=a${UNSET}b",
    "K=${UNSET:-default}",
    "K=${UNSET:-}",
    "K=${EMPTY:-default}",
    "K=${REAL:-default}",
    "A=1\nB=${A}2\nC=${B}3",
    "B=${A}\nA=1",
    "REAL=from-file\nK=${REAL}",
    "K=${UNSET:-a b # c}",
    "K=${REAL-x}",
    "K=${}",
    "K=${UNSET",
    "K=\\${REAL}",
    "K=${constructor}${toString:-x}",
    # The same key twice
    "K=a\nK=b",
    "K=a\nK=${K}b",
    "K=a\nK=",
    "K=a\nK\nL=${K}",
    # Malformed lines are skipped
    "=a\nL=b",
    "K='a\nL=b",
    'K="a\nL=b',
    "K='a' b\nL=b",
    'K="a"b\nL=c',
    "K a\nL=b",
    "not a variable\nL=b",
    "A=1\n??? = \nB=2",
    "export\nL=b",
    "{\"K\": 1}\nL=b",
    "''=a\nL=b",
]


def read(text):
    with tempfile.NamedTemporaryFile(suffix=".env") as file:
        file.write(text.encode())
        file.flush()
        values = DotEnv(file.name, encoding="utf-8", override=False).dict()
    return {key: value for key, value in values.items() if value is not None}


def main():
    logging.disable()
    os.environ.clear()
    os.environ.update(REAL)
    cases = [{"input": text, "environment": REAL, "variables": read(text)} for text in INPUTS]
    print(json.dumps(cases, indent=2))


if __name__ == "__main__":
    main()
